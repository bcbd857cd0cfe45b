// Goal: the changes that this program writes are those that Automerge writes. Method: Automerge makes the same edits, bytes are compared;
// what is read back is compared with Automerge's own decoder, on valid and on mutated bytes.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import * as A from '@automerge/automerge'
import fc from 'fast-check'
import {
  BUCKETS,
  chainActor,
  genesisChange,
  planChange,
  readChange
} from '../../../../src/adapters/automerge/change-chunk.ts'
import { toHex } from '../../../../src/core/base/index.ts'
import { idOf } from '../../../../src/core/codec/index.ts'

type Maps = Record<string, Record<string, Uint8Array>>

const genesis = genesisChange('thread')
const actor = chainActor('thread', 'did:key:z', 3)
const initOf = (envelope: Uint8Array, seq: number, dep: string) => ({
  genesisActor: genesis.actor,
  actor,
  seq,
  dep,
  envelope
})

/** The same edits by Automerge itself. */
function byAutomerge(envelopes: readonly Uint8Array[]): Uint8Array[] {
  let made = A.init<Maps>({ actor: toHex(genesis.actor) })
  made = A.change(made, { time: 0 }, doc => {
    for (let bucket = 0; bucket < BUCKETS; bucket++) doc[bucket.toString(16).padStart(2, '0')] = {}
  })
  const changes = [A.getLastLocalChange(made) as Uint8Array]
  let doc = A.clone(made, { actor: toHex(actor) })
  for (const envelope of envelopes) {
    const digest = createHash('sha256').update(envelope).digest()
    const name = ((digest[31] as number) % BUCKETS).toString(16).padStart(2, '0')
    doc = A.change(doc, { time: 0 }, maps => {
      ;(maps[name] as Record<string, Uint8Array>)[idOf(envelope)] = envelope
    })
    changes.push(A.getLastLocalChange(doc) as Uint8Array)
  }
  return changes
}

const envelopes = fc.array(fc.uint8Array({ minLength: 1, maxLength: 3000 }), {
  minLength: 1,
  maxLength: 4
})

describe('adapters/automerge/change-chunk', () => {
  it('writes the bytes that Automerge writes', () => {
    fc.assert(
      fc.property(envelopes, list => {
        const distinct = [...new Map(list.map(bytes => [idOf(bytes), bytes])).values()]
        const [first, ...rest] = byAutomerge(distinct)
        assert.deepEqual(Buffer.from(genesis.bytes), Buffer.from(first as Uint8Array))
        let dep = genesis.hash
        distinct.forEach((envelope, at) => {
          const change = planChange(initOf(envelope, at + 1, dep))
          assert.deepEqual(Buffer.from(change.bytes), Buffer.from(rest[at] as Uint8Array))
          assert.equal(change.hash, A.decodeChange(change.bytes).hash)
          dep = change.hash
        })
      }),
      { numRuns: 40 }
    )
  })

  it('writes the largest envelope and a long chain as Automerge reads them', () => {
    const envelope = new Uint8Array(64 * 1024).fill(7)
    const change = planChange(initOf(envelope, 16_384, genesis.hash))
    const { seq, startOp, ops, deps } = A.decodeChange(change.bytes)
    assert.deepEqual({ seq, startOp, deps }, { seq: 16_384, startOp: 16_448, deps: [genesis.hash] })
    assert.equal(ops.length, 1)
    assert.deepEqual(readChange(change.bytes)?.envelope, envelope)
  })

  it('reads what it wrote, and nothing that differs in one byte', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 400 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (envelope, place, flip) => {
          const { bytes, hash } = planChange(initOf(envelope, 1, genesis.hash))
          const read = readChange(bytes)
          assert.deepEqual(read && { ...read, envelope: [...read.envelope] }, {
            hash,
            dep: genesis.hash,
            envelope: [...envelope]
          })
          const mutated = Uint8Array.from(bytes)
          const at = place % bytes.length
          mutated[at] = (mutated[at] as number) ^ flip
          // The checksum covers every byte but the magic.
          assert.equal(readChange(mutated), null)
        }
      )
    )
  })

  it('refuses compressed chunks and changes of other forms', () => {
    let doc = A.init<{ text: string }>({ actor: 'aa'.repeat(32) })
    doc = A.change(doc, { time: 0 }, draft => {
      draft.text = 'x'.repeat(100_000)
    })
    assert.equal(readChange(A.getLastLocalChange(doc) as Uint8Array), null)
    assert.equal(readChange(A.save(doc)), null)
    const compressed = Uint8Array.from(planChange(initOf(new Uint8Array(9), 1, genesis.hash)).bytes)
    compressed[8] = 2
    assert.equal(readChange(compressed), null)
    assert.equal(readChange(genesis.bytes), null)
  })

  it('never throws on random bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), bytes => void readChange(bytes)))
  })
})
