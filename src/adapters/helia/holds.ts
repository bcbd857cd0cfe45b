import { assert } from '../../core/base/index.ts'
import type { CID } from '../../core/codec/index.ts'
import { blockKey } from './cid.ts'

/** What one call in flight uses: the DAG below `root` as far as it is on disk, and every block it wrote or read. */
export type Hold = { readonly root: CID | null; readonly keys: Set<string> }

/**
 * Reference counts of blocks in use, so that garbage collection needs no lock that a slow fetch would keep for minutes.
 *
 * 1. A call touches a block before it asks whether the block is there; it waits when the block is just being removed.
 * 2. A hold closed during a sweep counts until the sweep ends, because the sweep may have read the pins before the call wrote its own.
 */
export class Holds {
  readonly #open = new Set<Hold>()
  readonly #counts = new Map<string, number>()
  readonly #removing = new Map<string, Promise<void>>()
  #retained: Hold[] | null = null

  open(root: CID | null): Hold {
    const hold = { root, keys: new Set<string>() }
    this.#open.add(hold)
    return hold
  }

  close(hold: Hold): void {
    if (!this.#open.delete(hold)) return
    if (this.#retained === null) this.#release(hold)
    else this.#retained.push(hold)
  }

  /** Marks a block as used, then waits for its removal to end if one runs. */
  async touch(hold: Hold, cid: CID): Promise<void> {
    const key = blockKey(cid)
    if (!hold.keys.has(key)) {
      hold.keys.add(key)
      this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
    }
    await this.#removing.get(key)
  }

  beginSweep(): void {
    assert(this.#retained === null, 'one sweep at a time')
    this.#retained = []
  }

  endSweep(): void {
    const retained = this.#retained ?? []
    this.#retained = null
    for (const hold of retained) this.#release(hold)
  }

  roots(): CID[] {
    const holds = [...this.#open, ...(this.#retained ?? [])]
    return holds.flatMap(hold => (hold.root === null ? [] : [hold.root]))
  }

  /** Removes a block unless a call holds it. The check and the mark happen in one turn. False: it is held. */
  async removeUnheld(key: string, remove: () => Promise<void>): Promise<boolean> {
    if (this.#counts.has(key)) return false
    const removal = remove().finally(() => this.#removing.delete(key))
    // A waiting `touch` only needs the end of the removal; the failure itself goes to the sweep.
    this.#removing.set(
      key,
      removal.catch(() => {})
    )
    await removal
    return true
  }

  #release(hold: Hold): void {
    for (const key of hold.keys) {
      const count = (this.#counts.get(key) ?? 1) - 1
      if (count === 0) this.#counts.delete(key)
      else this.#counts.set(key, count)
    }
  }
}
