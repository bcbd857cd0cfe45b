import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadShippedCapsule } from '../adapters/opa/index.ts'
import type { CapsuleDag } from './capsule-dag.ts'
import { gatherFolder } from './compiled-folder.ts'

/** Name of the base capsule, for those who do not know its CID. */
export const BASE_NAME = 'base'
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
export function shippedCapsule(): Promise<CapsuleDag> {
  return gatherFolder(loadShippedCapsule(basePath()), basePath(), capabilitiesPath())
}
