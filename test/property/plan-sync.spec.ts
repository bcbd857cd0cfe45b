/**
 * Goal: any set of hostile changes leaves honest replicas equal. Method: replicas that each have a part of some honest chains talk to each
 * other while a liar sends any of them what liars may send, at any moment: changes that are not those of their envelopes, broken bytes, envelopes that nobody
 * signed, orphans, honest changes again, and well signed chains of its own, which it may fork. Of a message with a lie nothing counts, as in
 * runtime/plan-sync; who hears one side of a fork that it knows shows both, as there, and nobody is told otherwise. Signatures are real, and so is Automerge.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { chainActor, genesisChange, readChange } from '../../src/adapters/automerge/change-chunk.ts'
import { Documents } from '../../src/adapters/automerge/documents.ts'
import { nodeVerifier } from '../../src/adapters/ed25519/index.ts'
import { useNodeSha256 } from '../../src/adapters/sha256/index.ts'
import { toHex } from '../../src/core/base/index.ts'
import {
  type Admitted,
  parseEnvelope,
  sealEnvelope,
  signedBytes
} from '../../src/core/envelope/index.ts'
import { planChangeOf } from '../../src/core/need/index.ts'
import { PlanState, viewDigest } from '../../src/core/plan/index.ts'
import { bombChunk, changeOf, frameOf, longActorChunk } from '../support/plan-attacks.ts'
import { entryOf, PLAN_NEED, PLAN_THREAD, planChain } from '../support/plan-chains.ts'
import { SIGNERS } from '../support/sample-drafts.ts'

type Update = Admitted<'UPDATE_PLAN'>

useNodeSha256()
const REPLICAS = 3
const LENGTH = 6
const [first, second, liar] = SIGNERS
const HONEST = [first, second].flatMap(signer => [
  planChain({ ...(signer && { signer }), count: LENGTH }),
  planChain({ ...(signer && { signer }), session: 1, count: 3 })
])
const OWN = planChain({ ...(liar && { signer: liar }), count: LENGTH })
const FORK = planChain({ ...(liar && { signer: liar }), count: LENGTH, salt: 'another' })
const verify = nodeVerifier()

/** A node: its documents, the plan, and a door that looks at signatures. */
class Replica {
  readonly documents = new Documents(4)
  readonly plan = new PlanState()
  readonly #held = new Map<string, Admitted>()
  readonly #index: number

  constructor(index: number) {
    this.#index = index
    this.take([PLAN_NEED])
  }

  /** What the other is shown in return: both sides of forks of which it has one. */
  hear(from: string, message: Uint8Array): readonly Admitted[] {
    const { lie, envelopes, forks } = this.documents.hear(PLAN_THREAD, from, message)
    if (lie !== null) {
      assert.deepEqual([envelopes, forks], [[], []])
      return []
    }
    const parsed = envelopes.map(bytes => parseEnvelope(bytes))
    this.take(parsed.flatMap(one => (one.ok && isSigned(one.value) ? [one.value] : [])))
    this.documents.judged(PLAN_THREAD, from)
    const rivals = forks.flatMap(({ sender, session }) => this.plan.rivals(sender, session))
    return rivals.map(id => this.#held.get(id) as Admitted)
  }

  take(envelopes: readonly Admitted[]): void {
    const fresh = envelopes.filter(({ id }) => !this.#held.has(id))
    for (const admitted of fresh) {
      this.#held.set(admitted.id, admitted)
      const change = planChangeOf(admitted, PLAN_NEED)
      if (change !== null) this.plan.apply(change)
    }
    this.documents.apply(PLAN_THREAD, fresh.map(entryOf))
  }

  sayTo(other: Replica): boolean {
    const { message } = this.documents.say(PLAN_THREAD, `replica ${other.#index}`)
    if (message !== null) this.take(other.hear(`replica ${this.#index}`, message))
    return message !== null
  }

  heads(): string {
    return this.documents.view(PLAN_THREAD).heads.join()
  }
}

const update = fc.constantFrom(...OWN, ...FORK, ...HONEST.flat())
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex)
const dep = fc.oneof(hash, fc.constant(genesisChange(PLAN_THREAD).hash))
const actor = fc
  .tuple(fc.constantFrom(...SIGNERS), fc.nat(2))
  .map(([{ did }, session]) => chainActor(PLAN_THREAD, did, session))

/** Bytes of one change that a liar may send. */
const hostile: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.tuple(update, actor).map(([one, other]) => changeOf(PLAN_THREAD, one, { actor: other })),
  fc.tuple(update, fc.nat(9)).map(([one, seq]) => changeOf(PLAN_THREAD, one, { seq })),
  fc.tuple(update, dep).map(([one, other]) => changeOf(PLAN_THREAD, one, { dep: other })),
  update.map(one => changeOf(PLAN_THREAD, unsigned(one))),
  fc.tuple(update, fc.nat()).map(([one, place]) => flipped(changeOf(PLAN_THREAD, one), place)),
  fc.constantFrom(bombChunk(), longActorChunk()),
  fc.uint8Array({ maxLength: 300 })
)
/** Changes of a chain as an honest node makes them, from the first on: so a liar's own comes in, and its fork. */
const chain = fc
  .tuple(fc.constantFrom(OWN, FORK, ...HONEST), fc.integer({ min: 1, max: LENGTH }))
  .map(([updates, count]) => changesOf(updates.slice(0, count)))

/** What happens: a message of the liar to a replica, or two replicas say something to each other. */
const step = fc.record({
  at: fc.nat(REPLICAS - 1),
  other: fc.nat(REPLICAS - 1),
  message: fc.option(fc.oneof(chain, fc.array(hostile, { minLength: 1, maxLength: 3 })))
})

describe('property/plan-sync', function () {
  this.timeout(60_000)

  it('leaves honest replicas equal, whatever a liar sends to whom', () => {
    const lengths = fc.array(fc.nat(LENGTH), { minLength: 12, maxLength: 12 })
    let forked = 0
    fc.assert(
      fc.property(lengths, fc.array(step, { maxLength: 25 }), (parts, steps) => {
        const replicas = startReplicas(parts)
        for (const { at, other, message } of steps) {
          const [one, two] = [replicas[at] as Replica, replicas[other] as Replica]
          if (message !== null) one.hear('liar', frameOf(PLAN_THREAD, message).subarray(32))
          else if (one !== two) one.sayTo(two)
        }
        converse(replicas)
        const [one, ...others] = replicas as [Replica, ...Replica[]]
        for (const other of others) {
          assert.equal(other.heads(), one.heads())
          assert.deepEqual(viewDigest(other.plan.view()), viewDigest(one.plan.view()))
        }
        const counted = new Set(one.plan.counted())
        // The liar can bring honest updates as well, and more of them.
        for (const [at, updates] of HONEST.entries())
          for (const { id } of updates.slice(0, mostOf(parts, at))) assert.ok(counted.has(id))
        if (one.plan.view().forks.length > 0) forked++
      }),
      { numRuns: 60 }
    )
    assert.ok(forked > 0, 'some liar has forked its chain')
  })
})

/** Each has so much of each chain. */
function startReplicas(parts: readonly number[]): Replica[] {
  const replicas: Replica[] = []
  for (let index = 0; index < REPLICAS; index++) replicas.push(new Replica(index))
  for (const [index, one] of replicas.entries())
    one.take(HONEST.flatMap((updates, at) => updates.slice(0, parts[index * HONEST.length + at])))
  return replicas
}

/** The most that any replica had of a chain. */
function mostOf(parts: readonly number[], chainAt: number): number {
  const given = parts.filter((_, at) => at % HONEST.length === chainAt)
  return Math.min(Math.max(...given), HONEST[chainAt]?.length ?? 0)
}

function converse(replicas: readonly Replica[]): void {
  for (let round = 0; round < 60; round++) {
    let isSilent = true
    for (const one of replicas)
      for (const other of replicas) if (one !== other && one.sayTo(other)) isSilent = false
    if (isSilent) return
  }
  assert.fail('they talk for ever')
}

/** The changes of a chain, from its first on. */
function changesOf(updates: readonly Update[]): Uint8Array[] {
  let ground = genesisChange(PLAN_THREAD).hash
  return updates.map(one => {
    const change = changeOf(PLAN_THREAD, one, { dep: ground })
    ground = readChange(change)?.hash ?? ''
    return change
  })
}

function isSigned(admitted: Admitted): boolean {
  return verify(admitted.envelope.sender, signedBytes(admitted), admitted.envelope.sig)
}

/** The same envelope with a signature of zeros. */
function unsigned({ envelope }: Update): Update {
  const { sig: _, ...rest } = envelope
  return sealEnvelope(rest as never, new Uint8Array(64)) as never
}

function flipped(bytes: Uint8Array, place: number): Uint8Array {
  const at = place % bytes.length
  return bytes.with(at, (bytes[at] as number) ^ 1)
}
