import { createReadStream } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { car } from '@helia/car'
import type { Helia } from '@helia/interface'
import { CarBlockIterator } from '@ipld/car'
import { SwarmError } from '../../core/base/index.ts'
import type { CID } from '../../core/codec/index.ts'
import { decodedBlock, hashFits, isKept } from './cid.ts'
import { walkDag } from './dag-walk.ts'
import { CarCorruptError } from './errors.ts'
import { requireVacant } from './folder-writer.ts'
import { BLOCK_BYTES_MAX } from './limits.ts'
import { pathError } from './local-paths.ts'
import type { Operation } from './operation.ts'

/** Writes the DAGs below these roots as a CAR (version 1) to `target`, which must not exist; removed on failure. */
export async function writeCar(
  helia: Helia,
  operation: Operation,
  roots: CID[],
  target: string
): Promise<{ blocks: number; bytes: number }> {
  await requireVacant(target)
  for (const root of roots) await operation.load(root)
  const written = { blocks: 0, bytes: 0 }
  let file: Awaited<ReturnType<typeof open>> | undefined
  try {
    file = await open(target, 'wx')
    const exporter = {
      export: (root: CID) =>
        exportedBlocks(operation, root, () => {
          written.blocks += 1
        })
    }
    for await (const bytes of car(helia).export(roots, { exporter, signal: operation.signal })) {
      await file.writeFile(bytes)
      written.bytes += bytes.length
    }
    await file.close()
    return written
  } catch (cause) {
    await file?.close()
    if (file !== undefined) await rm(target, { force: true })
    throw pathError(target, cause)
  }
}

async function* exportedBlocks(
  operation: Operation,
  root: CID,
  onBlock: () => void
): AsyncGenerator<ReturnType<typeof decodedBlock>> {
  for await (const { cid, bytes } of walkDag([root], part => operation.load(part))) {
    if (bytes === undefined) continue
    onBlock()
    yield decodedBlock(cid, bytes)
  }
}

/** Stores the blocks of a CAR after checking each hash. Blocks before the flaw of a corrupt CAR stay until garbage collection. */
export async function readCar(
  operation: Operation,
  path: string
): Promise<{ roots: CID[]; blocks: number }> {
  const source = createReadStream(path)
  try {
    const blocks = await CarBlockIterator.fromIterable(source)
    const roots = await blocks.getRoots()
    const strange = roots.find(root => !isKept(root))
    if (strange !== undefined)
      throw corrupt(path, `its root ${strange} has a hash or codec that is not kept here`)
    let count = 0
    for await (const { cid, bytes } of blocks) {
      if (bytes.length > BLOCK_BYTES_MAX)
        throw corrupt(path, `the block ${cid} is larger than ${BLOCK_BYTES_MAX} bytes`)
      if (!hashFits(cid, bytes))
        throw corrupt(path, `the bytes of the block ${cid} do not fit its CID`)
      await operation.store(cid, bytes)
      count += 1
    }
    return { roots, blocks: count }
  } catch (cause) {
    operation.signal.throwIfAborted()
    if (cause instanceof SwarmError) throw cause
    const known = pathError(path, cause)
    // What remains are the parser's complaints: a bad header, a bad length, an early end.
    throw known === cause ? corrupt(path, (cause as Error).message, cause) : known
  } finally {
    source.destroy()
  }
}

export function corrupt(path: string, flaw: string, cause?: unknown): CarCorruptError {
  return new CarCorruptError(
    `the CAR file ${path} is corrupt: ${flaw}. Get it again`,
    { path },
    { cause }
  )
}
