import { open, writeFile } from 'node:fs/promises'
import { CarBufferReader } from '@ipld/car/buffer-reader'
import * as CarBufferWriter from '@ipld/car/buffer-writer'
import { CID } from '../core/codec/index.ts'
import { type CapsuleDag, gatherCapsule } from './capsule-dag.ts'
import { CapsuleFileError } from './errors.ts'
import { CAPSULE_FILE_BYTES_MAX } from './limits.ts'

/** A capsule as a CAR (version 1): one root, its blocks in the order of the DAG. Equal capsules are equal bytes. */
export function encodeCapsuleFile({ capsule, blocks }: CapsuleDag): Uint8Array {
  const roots = [CID.parse(capsule.cid)]
  const parts = [...blocks].map(([cid, bytes]) => ({ cid: CID.parse(cid), bytes }))
  const length = parts.reduce(
    (sum, part) => sum + CarBufferWriter.blockLength(part),
    CarBufferWriter.headerLength({ roots })
  )
  const writer = CarBufferWriter.createWriter(new ArrayBuffer(length), { roots })
  for (const part of parts) writer.write(part)
  return writer.close()
}

/** Reads what `encodeCapsuleFile` wrote, or any CAR with a capsule as its one root. Rejects with CapsuleFileError or CapsuleRefusedError. */
export async function decodeCapsuleFile(bytes: Uint8Array, name: string): Promise<CapsuleDag> {
  const { roots, blocks } = readCar(bytes, name)
  const [root] = roots
  if (root === undefined || roots.length > 1)
    throw flawed(name, `it has ${roots.length} roots, a capsule is one`)
  return gatherCapsule(root.toString(), cid => {
    const block = blocks.get(cid)
    if (block === undefined) throw flawed(name, `the block ${cid} is missing`)
    return block
  })
}

/** Reads a file of this machine, at most as large as any capsule. */
export async function readCapsuleFile(path: string): Promise<CapsuleDag> {
  return decodeCapsuleFile(await readBounded(path), path)
}

/** Writes a capsule to a file of this machine, over what was there. Rejects with CapsuleFileError. */
export async function writeCapsuleFile(path: string, dag: CapsuleDag): Promise<void> {
  await writeFile(path, encodeCapsuleFile(dag)).catch((cause: NodeJS.ErrnoException) => {
    throw new CapsuleFileError(
      `${path} cannot be written (${cause.code}): choose another path`,
      { path },
      { cause }
    )
  })
}

async function readBounded(path: string): Promise<Uint8Array> {
  const file = await open(path).catch((cause: NodeJS.ErrnoException) => {
    throw flawed(path, `it cannot be read (${cause.code})`, cause)
  })
  try {
    const stats = await file.stat()
    if (!stats.isFile()) throw flawed(path, 'it is no file')
    if (stats.size > CAPSULE_FILE_BYTES_MAX)
      throw flawed(path, `it is larger than ${CAPSULE_FILE_BYTES_MAX} bytes`)
    return new Uint8Array(await file.readFile())
  } finally {
    await file.close()
  }
}

function readCar(
  bytes: Uint8Array,
  name: string
): { roots: readonly CID[]; blocks: ReadonlyMap<string, Uint8Array> } {
  try {
    const reader = CarBufferReader.fromBytes(bytes)
    const blocks = reader.blocks().map(block => [block.cid.toString(), block.bytes] as const)
    return { roots: reader.getRoots(), blocks: new Map(blocks) }
  } catch (cause) {
    throw flawed(name, `it is no CAR file (${(cause as Error).message})`, cause)
  }
}

function flawed(name: string, flaw: string, cause?: unknown): CapsuleFileError {
  return new CapsuleFileError(
    `${name} holds no capsule: ${flaw}; make one with "can-swarm policy build"`,
    { name },
    { cause }
  )
}
