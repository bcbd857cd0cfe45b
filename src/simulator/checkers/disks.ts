import type { JournalRecord } from '../../core/swarm/index.ts'
import type { VirtualNode } from '../virtual-node.ts'
import { DiskImage } from './disk-image.ts'

/** Both sides of each disk: what was written, and what of it is there for good. Kept from what is seen, apart from the world's own. */
export class Disks {
  readonly #written = new Map<VirtualNode, DiskImage>()
  readonly #durable = new Map<VirtualNode, DiskImage>()
  readonly #unsynced = new Map<VirtualNode, JournalRecord[]>()

  written(node: VirtualNode): DiskImage {
    return imageOf(this.#written, node)
  }

  durable(node: VirtualNode): DiskImage {
    return imageOf(this.#durable, node)
  }

  write(node: VirtualNode, records: readonly JournalRecord[]): void {
    const image = this.written(node)
    for (const record of records) image.apply(record)
    const waiting = this.#unsynced.get(node)
    if (waiting === undefined) this.#unsynced.set(node, [...records])
    else waiting.push(...records)
  }

  sync(node: VirtualNode): void {
    const image = this.durable(node)
    for (const record of this.#unsynced.get(node) ?? []) image.apply(record)
    this.#unsynced.set(node, [])
  }

  /** A crash: what is on the disk now is all there is. */
  reread(node: VirtualNode): void {
    this.#unsynced.set(node, [])
    this.#written.set(node, new DiskImage(node.disk))
    this.#durable.set(node, new DiskImage(node.disk))
  }
}

function imageOf(images: Map<VirtualNode, DiskImage>, node: VirtualNode): DiskImage {
  const known = images.get(node)
  if (known !== undefined) return known
  const fresh = new DiskImage()
  images.set(node, fresh)
  return fresh
}
