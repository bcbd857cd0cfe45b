import {
  CAPSULE_BLOCK_BYTES_MAX,
  CAPSULE_WASM_BYTES_MAX,
  type Capsule,
  CapsuleRefusedError,
  parseCapsule,
  parseCapsuleBlock
} from '../adapters/opa/index.ts'
import { CID, cidOf, DAG_CBOR } from '../core/codec/index.ts'
import { CAPABILITIES_BYTES_MAX, SOURCES_BYTES_MAX } from './limits.ts'

export type Source = { readonly path: string; readonly text: string }

/** A capsule with everything that it links to: what travels, and what a person can read. */
export type CapsuleDag = {
  readonly capsule: Capsule
  readonly sources: readonly Source[]
  /** By text CID; the capsule's own block comes first. */
  readonly blocks: ReadonlyMap<string, Uint8Array>
}

/** Bytes of a block by its text CID. Rejects when nobody has it. */
export type LoadBlock = (cid: string) => Uint8Array | Promise<Uint8Array>

/**
 * Gathers a capsule block by block, wherever the blocks come from: nothing is asked for before what links to it was checked, and nothing
 * larger than it may be is kept. Rejects with CapsuleRefusedError, or as `load` does. Its vectors are not run here.
 */
export async function gatherCapsule(cid: string, load: LoadBlock): Promise<CapsuleDag> {
  const blocks = new Map<string, Uint8Array>()
  const take = async (link: CID, bytesMax: number, what: string): Promise<Uint8Array> => {
    const name = link.toString()
    const bytes = blocks.get(name) ?? (await load(name))
    if (bytes.length > bytesMax) throw refused(cid, `${what} is larger than ${bytesMax} bytes`)
    if (!cidOf(bytes, link.code).equals(link))
      throw refused(cid, `the bytes of ${what} are not those that its CID names`)
    blocks.set(name, bytes)
    return bytes
  }
  const root = rootOf(cid)
  const block = await take(root, CAPSULE_BLOCK_BYTES_MAX, 'its block')
  const manifest = parseCapsuleBlock(block)
  const wasm = await take(manifest.wasm, CAPSULE_WASM_BYTES_MAX, 'its wasm')
  const capsule = parseCapsule(block, wasm)
  await take(manifest.capabilities, CAPABILITIES_BYTES_MAX, 'its capabilities file')
  const sources: Source[] = []
  let left = SOURCES_BYTES_MAX
  for (const { path, source } of manifest.sources) {
    const bytes = await take(source, left, `its source ${path}`)
    left -= bytes.length
    sources.push({ path, text: textOf(cid, path, bytes) })
  }
  return { capsule, sources, blocks }
}

function rootOf(cid: string): CID {
  const root = parsed(cid)
  if (root === null || root.code !== DAG_CBOR || root.version !== 1)
    throw refused(cid, 'its CID is not one of a DAG-CBOR block')
  return root
}

function parsed(cid: string): CID | null {
  try {
    return CID.parse(cid)
  } catch {
    return null
  }
}

function textOf(cid: string, path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw refused(cid, `its source ${path} is not UTF-8 text`)
  }
}

function refused(cid: string, flaw: string): CapsuleRefusedError {
  return new CapsuleRefusedError(cid, flaw)
}
