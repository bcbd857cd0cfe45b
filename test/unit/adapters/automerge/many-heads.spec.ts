// Goal: a message of plan sync fits into its frame however many sessions a plan has, and both sides still come together. Method: sync sessions
// about made-up graphs with more heads than a message names.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { Bloom } from '../../../../src/adapters/automerge/bloom.ts'
import { SYNC_MESSAGE_BYTES_MAX } from '../../../../src/adapters/automerge/limits.ts'
import { decodeSyncMessage } from '../../../../src/adapters/automerge/sync-message.ts'
import { type SyncGraph, SyncSession } from '../../../../src/adapters/automerge/sync-session.ts'
import { toHex } from '../../../../src/core/base/index.ts'

const GENESIS = hashAt(0)
const CHANGE_BYTES = 32
/** Four of them go a little beyond what one message has of changes. */
const LARGE_CHANGE_BYTES = 65_000

function hashAt(at: number): string {
  return createHash('sha256').update(`${at}`).digest('hex')
}

/** A change for each session, which has its hash in it. */
class Graph implements SyncGraph {
  readonly #changes = new Map<string, string | null>([[GENESIS, null]])
  readonly #size: number

  constructor(from: number, to: number, size = CHANGE_BYTES) {
    for (let at = from; at < to; at++) this.add(hashAt(at))
    this.#size = size
  }

  add(hash: string): void {
    this.#changes.set(hash, GENESIS)
  }

  heads(): string[] {
    return [...this.#changes.keys()].filter(hash => hash !== GENESIS).sort()
  }

  has(hash: string): boolean {
    return this.#changes.has(hash)
  }

  changes(): ReadonlyMap<string, string | null> {
    return this.#changes
  }

  bytesOf(hash: string): Uint8Array {
    const bytes = new Uint8Array(this.#size)
    bytes.set(Buffer.from(hash, 'hex'))
    return bytes
  }
}

/** Hands over the next message of one side; false when it has nothing to say. */
function tell(from: [SyncSession, Graph], to: [SyncSession, Graph]): boolean {
  const { message } = from[0].say(from[1])
  if (message === null) return false
  assert.ok(message.length <= SYNC_MESSAGE_BYTES_MAX, `${message.length} bytes`)
  const heard = decodeSyncMessage(message)
  assert.ok(heard !== null)
  const fresh = heard.changes.map(change => toHex(change.subarray(0, CHANGE_BYTES)))
  to[0].hear(heard, new Set(fresh.filter(hash => !to[1].has(hash))))
  for (const hash of fresh) to[1].add(hash)
  to[0].judged()
  return true
}

describe('adapters/automerge: plan sync with very many heads', function () {
  this.timeout(60_000)

  it('says no more at once than a frame has room for', () => {
    const here = new SyncSession()
    const graph = new Graph(1, 15_000, LARGE_CHANGE_BYTES)
    const unknown = new Graph(20_000, 34_000).heads()
    const have = [{ lastSync: [], bloom: Bloom.of([]) }]
    for (const heads of [graph.heads(), unknown]) {
      here.hear({ heads, need: [], have, changes: [] }, new Set())
      here.judged()
      for (let messages = 0; messages < 2; messages++) {
        const { message } = here.say(graph)
        assert.ok(message !== null && message.length <= SYNC_MESSAGE_BYTES_MAX)
        assert.ok(decodeSyncMessage(message) !== null)
      }
    }
  })

  it('brings both sides together nevertheless', () => {
    const one: [SyncSession, Graph] = [new SyncSession(), new Graph(1, 9_500)]
    const other: [SyncSession, Graph] = [new SyncSession(), new Graph(9_000, 10_000)]
    for (let at = 0; at < 1_000; at++) {
      const isOneDone = !tell(one, other)
      if (!tell(other, one) && isOneDone) break
    }
    const [here, there] = [one[1].heads().length, other[1].heads().length]
    // The filter hides one in a hundred changes, and what is not named cannot be asked for.
    assert.ok(Math.min(here, there) > 0.98 * 10_000, `${here} and ${there}`)
  })
})
