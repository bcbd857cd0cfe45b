import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadShippedCapsule } from '../adapters/opa/index.ts'
import { cidOf } from '../core/codec/index.ts'
import { type CapsuleDag, gatherCapsule } from './capsule-dag.ts'

/** Name of the base capsule, for those who do not know its CID. */
export const BASE_NAME = 'base'
const RAW = 0x55
/** `policies/` of the package: two folders above this file, in the sources and in the bundle. */
const POLICIES = fileURLToPath(new URL('../../policies', import.meta.url))

/** The list of builtins that policies are compiled under. */
export function capabilitiesPath(): string {
  return join(POLICIES, 'capabilities.json')
}

/** The folder of the base capsule. */
export function basePath(): string {
  return join(POLICIES, BASE_NAME)
}

/** The base capsule as the program ships it, with its sources. */
export async function shippedCapsule(): Promise<CapsuleDag> {
  const capsule = loadShippedCapsule(basePath())
  const files = capsule.manifest.sources.map(({ path }) => join(POLICIES, path))
  const blocks = new Map<string, Uint8Array>([[capsule.cid, capsule.block]])
  for (const bytes of [
    capsule.wasm,
    ...(await Promise.all([capabilitiesPath(), ...files].map(path => readFile(path))))
  ])
    blocks.set(cidOf(bytes, RAW).toString(), new Uint8Array(bytes))
  const dag = await gatherCapsule(capsule.cid, cid => blocks.get(cid) ?? new Uint8Array())
  return { ...dag, capsule }
}
