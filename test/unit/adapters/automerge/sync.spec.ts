// Goal: our side of Automerge's sync protocol brings documents to equal heads, with our own kind and with stock Automerge, whatever each
// side had before. Method: documents of random parts of some chains; messages are handed over until nobody has anything to say.
import assert from 'node:assert/strict'
import * as A from '@automerge/automerge'
import fc from 'fast-check'
import { Documents } from '../../../../src/adapters/automerge/documents.ts'
import {
  decodeSyncMessage,
  encodeSyncMessage
} from '../../../../src/adapters/automerge/sync-message.ts'
import { useNodeSha256 } from '../../../../src/adapters/sha256/index.ts'
import type { Admitted } from '../../../../src/core/envelope/index.ts'
import { parseEnvelope } from '../../../../src/core/envelope/index.ts'
import type { Signer } from '../../../../src/ports/index.ts'
import { entryOf, PLAN_NEED, PLAN_THREAD, planChain } from '../../../support/plan-chains.ts'
import { SIGNERS } from '../../../support/sample-drafts.ts'

useNodeSha256()
const chains = SIGNERS.flatMap(signer => [
  planChain({ signer, count: 30 }),
  planChain({ signer, session: 1, count: 8 })
])

/** A node: its documents, and what its door accepts (here: everything that is heard). */
class Side {
  readonly documents = new Documents(4)
  heardChanges = 0

  constructor(envelopes: readonly Admitted[]) {
    this.documents.apply(PLAN_THREAD, [PLAN_NEED, ...envelopes].map(entryOf))
  }

  hear(message: Uint8Array): void {
    const { lie, envelopes } = this.documents.hear(PLAN_THREAD, 'other', message)
    assert.equal(lie, null)
    this.heardChanges += envelopes.length
    const entries = envelopes.map(bytes => {
      const parsed = parseEnvelope(bytes)
      assert.ok(parsed.ok)
      return entryOf(parsed.value)
    })
    this.documents.apply(PLAN_THREAD, entries)
    this.documents.judged(PLAN_THREAD, 'other')
  }

  say(): Uint8Array | null {
    return this.documents.say(PLAN_THREAD, 'other').message
  }

  heads(): string[] {
    return this.documents.view(PLAN_THREAD).heads
  }
}

/** Messages until both are silent. */
function converse(one: Side, other: Side): number {
  for (let messages = 0; messages < 100; ) {
    const before = messages
    for (const [from, to] of [
      [one, other],
      [other, one]
    ] as const) {
      const message = from.say()
      if (message === null) continue
      messages++
      to.hear(message)
    }
    if (messages === before) return messages
  }
  return assert.fail('they talk for ever')
}

/** How much of each chain a side has. */
const lengths = fc.array(fc.nat({ max: 30 }), {
  minLength: chains.length,
  maxLength: chains.length
})
const partOf = (parts: readonly number[]): Admitted[] =>
  chains.flatMap((chain, at) => chain.slice(0, parts[at]))

describe('adapters/automerge/sync', () => {
  it('brings any two documents to equal heads, and then says no more', () => {
    fc.assert(
      fc.property(lengths, lengths, (ours, theirs) => {
        const one = new Side(partOf(ours))
        const other = new Side(partOf(theirs))
        assert.ok(converse(one, other) <= 12)
        assert.deepEqual(one.heads(), other.heads())
        assert.equal(one.say(), null)
      }),
      { numRuns: 15 }
    )
  })

  it('costs two short messages when nothing is new, and only the news when something is', () => {
    const all = chains.flat()
    const one = new Side(all)
    const other = new Side(all)
    assert.ok(converse(one, other) <= 2)
    const [news] = planChain({ signer: SIGNERS[0] as Signer, session: 2, count: 1 })
    one.documents.apply(PLAN_THREAD, [entryOf(news as Admitted)])
    const message = one.say() as Uint8Array
    other.hear(message)
    assert.ok(message.length < 1500, `${message.length} bytes`)
    assert.equal(other.heardChanges, 1)
  })

  it('goes on after a cut where it was', () => {
    const one = new Side(chains.flat())
    const other = new Side([])
    for (let at = 0; at < 3; at++) {
      const hello = other.say()
      if (hello !== null) one.hear(hello)
      const message = one.say()
      if (message !== null && at < 2) other.hear(message)
    }
    one.documents.reopen('other')
    other.documents.reopen('other')
    const before = other.heardChanges
    converse(one, other)
    assert.deepEqual(one.heads(), other.heads())
    assert.ok(before > 0 && other.heardChanges < chains.flat().length * 1.1)
  })

  it('cuts a large plan into messages of bounded size', () => {
    const one = new Side(planChain({ count: 400, facts: 40 }))
    const other = new Side([])
    one.hear(other.say() as Uint8Array)
    let messages = 0
    for (let message = one.say(); message !== null; message = one.say()) {
      assert.ok(message.length < (messages === 0 ? 40_000 : 300_000), `${message.length} bytes`)
      other.hear(message)
      messages++
    }
    assert.ok(messages > 3)
    assert.deepEqual(one.heads(), other.heads())
  })

  it('asks for nothing again that has come and is being judged, but for what was refused', () => {
    const [chain = []] = chains
    const one = new Side(chain)
    const other = new Side([])
    one.hear(other.say() as Uint8Array)
    const message = one.say() as Uint8Array
    assert.equal(other.documents.hear(PLAN_THREAD, 'other', message).envelopes.length, chain.length)
    other.documents.apply(PLAN_THREAD, chain.slice(0, 20).map(entryOf))
    const need = () => decodeSyncMessage(other.say() ?? assert.fail('it says nothing'))?.need.length
    assert.equal(need(), 0)
    other.documents.judged(PLAN_THREAD, 'other')
    assert.equal(need(), chain.length - 20)
  })

  it('does not ask for heads by name while what comes before them is being judged', () => {
    const one = new Side(planChain({ count: 40, facts: 40 }))
    const other = new Side([])
    one.hear(other.say() as Uint8Array)
    const head = one.heads().find(one => !other.heads().includes(one)) as string
    const isAskedFor = () => {
      const message = other.say()
      return message !== null && decodeSyncMessage(message)?.need.includes(head) === true
    }
    other.documents.hear(PLAN_THREAD, 'other', one.say() as Uint8Array)
    assert.equal(isAskedFor(), false)
    other.documents.judged(PLAN_THREAD, 'other')
    assert.equal(isAskedFor(), true)
  })

  it('is understood by stock Automerge', () => {
    const one = new Side(chains.flat())
    let doc = A.init<Record<string, Record<string, Uint8Array>>>()
    let state = A.initSyncState()
    for (let round = 0; round < 10; round++) {
      const ours = one.say()
      if (ours !== null) [doc, state] = A.receiveSyncMessage(doc, state, ours)
      const [next, theirs] = A.generateSyncMessage(doc, state)
      state = next
      if (theirs !== null) one.hear(theirs)
      if (ours === null && theirs === null) break
    }
    assert.deepEqual([...A.getHeads(doc)].sort(), one.heads())
    const bytes = Object.values(doc).flatMap(map => Object.values(map))
    assert.equal(bytes.length, chains.flat().length + 1)
  })

  it('decodes what Automerge encodes', () => {
    const all = new Side(chains.flat())
    const saved = A.load<object>(all.documents.save(PLAN_THREAD))
    let doc = A.init<object>()
    ;[doc] = A.applyChanges(doc, A.getAllChanges(saved).slice(0, 60))
    const [, message] = A.generateSyncMessage(doc, A.initSyncState())
    const theirs = A.decodeSyncMessage(message as A.SyncMessage)
    const ours = decodeSyncMessage(message as Uint8Array)
    assert.ok(ours !== null)
    assert.deepEqual([...ours.heads], theirs.heads)
    assert.deepEqual([...ours.need], theirs.need)
    assert.deepEqual(
      ours.have.map(({ lastSync, bloom }) => [[...lastSync], [...bloom.encode()]]),
      theirs.have.map(({ lastSync, bloom }) => [lastSync, [...bloom]])
    )
    const again = A.decodeSyncMessage(encodeSyncMessage(ours) as A.SyncMessage)
    assert.deepEqual(again.heads, theirs.heads)
  })

  it('never throws on mutated messages, and takes no change out of them that is not its envelope’s', () => {
    const one = new Side((chains[0] as Admitted[]).slice(0, 20))
    const other = new Side([])
    one.hear(other.say() as Uint8Array)
    const message = one.say() as Uint8Array
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), (place, flip) => {
        const mutated = Uint8Array.from(message)
        const at = place % mutated.length
        mutated[at] = (mutated[at] as number) ^ flip
        const { envelopes } = new Side([]).documents.hear(PLAN_THREAD, 'liar', mutated)
        const known = new Set((chains[0] as Admitted[]).map(({ id }) => id))
        for (const bytes of envelopes) {
          const parsed = parseEnvelope(bytes)
          assert.ok(parsed.ok && (known.has(parsed.value.id) || parsed.value.id === PLAN_THREAD))
        }
      }),
      { numRuns: 60 }
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), bytes => void decodeSyncMessage(bytes))
    )
  })
})
