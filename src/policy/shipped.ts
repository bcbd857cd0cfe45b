import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadShippedCapsule } from '../adapters/opa/index.ts'
import type { CapsuleDag } from './capsule-dag.ts'
import { gatherFolder } from './compiled-folder.ts'

/** Name of the base capsule, for those who do not know its CID. */
export const BASE_NAME = 'base'

/** The list of builtins that policies are compiled under. */
export function capabilitiesPath(): string {
  return join(policiesPath(), 'capabilities.json')
}

/** The folder of the base capsule. */
export function basePath(): string {
  return join(policiesPath(), BASE_NAME)
}

/** The base capsule as the program ships it, with its sources. */
export function shippedCapsule(): Promise<CapsuleDag> {
  return gatherFolder(loadShippedCapsule(basePath()), basePath(), capabilitiesPath())
}

/** `policies/` of the package: two folders above this file, in the sources and in the bundle. Asked when it is needed: other bundles are in no folder. */
function policiesPath(): string {
  return fileURLToPath(new URL('../../policies', import.meta.url))
}
