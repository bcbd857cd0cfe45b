/**
 * Keys that mean something to JavaScript objects or, for `/`, to DAG-JSON, in which records are written. No protocol
 * map has them.
 */
export const RESERVED_KEYS: ReadonlySet<string> = new Set([
  '/',
  '__defineGetter__',
  '__defineSetter__',
  '__lookupGetter__',
  '__lookupSetter__',
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'isPrototypeOf',
  'propertyIsEnumerable',
  'prototype',
  'then',
  'toJSON',
  'toLocaleString',
  'toString',
  'valueOf'
])
