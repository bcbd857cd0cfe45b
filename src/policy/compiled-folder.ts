import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { type Capsule, loadCapsule } from '../adapters/opa/index.ts'
import { cidOf } from '../core/codec/index.ts'
import { type CapsuleDag, gatherCapsule } from './capsule-dag.ts'

const RAW = 0x55

/**
 * The capsule that lies compiled beside its sources in a folder; null when there is none. Rejects with CapsuleRefusedError when the sources are not those that it was
 * compiled of.
 */
export async function compiledCapsule(
  directory: string,
  capabilities: string
): Promise<CapsuleDag | null> {
  const isCompiled = ['capsule.json', 'capsule.wasm'].every(name =>
    existsSync(join(directory, name))
  )
  return isCompiled ? gatherFolder(loadCapsule(directory), directory, capabilities) : null
}

/** A capsule with its sources out of the folder that it was read from. */
export async function gatherFolder(
  capsule: Capsule,
  directory: string,
  capabilities: string
): Promise<CapsuleDag> {
  const paths = capsule.manifest.sources.map(({ path }) => pathIn(directory, path))
  const files = [capabilities, ...paths].filter(path => existsSync(path))
  const parts = [capsule.wasm, ...(await Promise.all(files.map(path => readFile(path))))]
  const blocks = new Map<string, Uint8Array>([[capsule.cid, capsule.block]])
  for (const bytes of parts) blocks.set(cidOf(bytes, RAW).toString(), new Uint8Array(bytes))
  const dag = await gatherCapsule(capsule.cid, cid => blocks.get(cid) ?? new Uint8Array())
  return { ...dag, capsule }
}

/** Paths of sources begin with the policy's name, whatever the folder is called; they may not lead out of it. */
function pathIn(directory: string, source: string): string {
  const path = join(directory, source.slice(source.indexOf('/') + 1))
  return relative(directory, path).startsWith('..') ? dirname(path) : path
}
