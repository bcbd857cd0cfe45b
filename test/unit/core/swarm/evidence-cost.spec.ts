/**
 * Goal: to look for evidence costs little, whatever a stranger says: what nobody signed is compared with nothing (R4). Method: a thread with as many certified
 * envelopes as are kept; forged FORMs, votes and SEALs inside a well-signed envelope; signatures that are looked at are counted.
 */
import { strict as assert } from 'node:assert'
import { CID, encode } from '../../../../src/core/codec/index.ts'
import type { Admitted, EpochSeal, Payload } from '../../../../src/core/envelope/index.ts'
import { ed25519Signatures } from '../../../../src/simulator/index.ts'
import { script } from '../../../support/swarm-agents.ts'
import { give, stateNeed } from '../../../support/swarm-attacks.ts'
import {
  type ClusterNode,
  SwarmCluster,
  testDraft,
  testKeys
} from '../../../support/swarm-cluster.ts'

/** Signatures that a stranger's envelope makes a node look at: those of the statements in it, about once. */
const VERIFIED_MAX = 60

type Decide = Payload<'DECIDE'>

const signatures = ed25519Signatures()
let verified = 0
const cluster = new SwarmCluster({
  nodes: 6,
  seed: 3,
  signatures: {
    ...signatures,
    verify: (did, bytes, sig) => {
      verified += 1
      return signatures.verify(did, bytes, sig)
    }
  }
})
const node = cluster.nodes[0] as ClusterNode

/** A thread whose second epoch is decided, with a copy of its certificate by everybody of whom one is kept. */
function crowded(): string {
  for (const [index, each] of cluster.nodes.entries())
    script(cluster, each, { works: index === 1, verifies: index >= 2, commits: false })
  const thread = stateNeed(cluster, { expiresAt: cluster.nowMs + 600_000 })
  // Votes can make the certificate before the leader's DECIDE is here (decision 0016); this thread needs the envelope.
  const isDecided = (epoch: number): boolean =>
    decides(thread).some(({ envelope }) => envelope.payload.decision.epoch === epoch)
  assert(cluster.runUntil(() => isDecided(0), 10_000))
  cluster.command(node, { type: 'reform', thread })
  assert(cluster.runUntil(() => isDecided(1), 20_000))
  cluster.linked = () => false
  const { payload } = decideOf(thread, 1).envelope
  for (const { keys } of cluster.nodes)
    give(cluster, [node], wrapped(thread, payload, keys, 900_000))
  assert(decides(thread).length >= 4)
  return thread
}

function decides(thread: string): Admitted<'DECIDE'>[] {
  return cluster
    .view(node, thread)
    .envelopes.filter(({ verb }) => verb === 'DECIDE')
    .map(({ id }) => node.swarm.envelope(thread, id) as Admitted<'DECIDE'>)
}

function decideOf(thread: string, epoch: number): Admitted<'DECIDE'> {
  const found = decides(thread).find(({ envelope }) => envelope.payload.decision.epoch === epoch)
  assert(found !== undefined)
  return found
}

function wrapped(
  thread: string,
  payload: Decide,
  keys: ClusterNode['keys'],
  lamport = 1
): Admitted<'DECIDE'> {
  const draft = testDraft(cluster.nowMs, 'DECIDE', CID.parse(thread), payload)
  const { epoch } = payload.decision
  return cluster.seal(keys, { ...draft, epoch } as typeof draft, lamport)
}

/** FORMs of both epochs as nobody signed them, the later one with seals that nobody gave. */
function forged(thread: string): Uint8Array[] {
  const { certificate } = decideOf(thread, 1).envelope.payload
  const forms = cluster
    .view(node, thread)
    .envelopes.filter(({ verb }) => verb === 'FORM')
    .map(({ id }) => node.swarm.envelope(thread, id) as Admitted<'FORM'>)
  assert(forms.length === 2 && certificate.previous.length === 1)
  return forms.map(({ envelope }) => {
    const { seal } = envelope.payload
    const lies = seal?.seals.map(one => ({ ...one, digest: new Uint8Array(32) })) ?? []
    const payload = {
      ...envelope.payload,
      precisionMs: 1,
      seal: seal === null ? null : ({ ...seal, seals: lies } as EpochSeal)
    }
    return encode({ ...envelope, payload })
  })
}

describe('core/swarm: what evidence costs', () => {
  const thread = crowded()
  const { decision, certificate } = decideOf(thread, 1).envelope.payload
  const [first, second] = forged(thread) as [Uint8Array, Uint8Array]
  const other = { ...certificate, digest: new Uint8Array(32) }
  const member = certificate.votes[0]?.member as string
  const many = Array.from({ length: 16 }, (_, at) => ({
    member,
    sig: new Uint8Array(64).fill(at)
  }))
  const lies: readonly [string, Decide][] = [
    ['another digest', { decision, certificate: other }],
    ['many votes of one member', { decision, certificate: { ...other, votes: many } }],
    ['a FORM that nobody signed', { decision, certificate: { ...certificate, form: second } }],
    [
      'FORMs that nobody signed, and votes',
      { decision, certificate: { ...other, form: second, previous: [first, second, first] } }
    ]
  ]
  for (const [at, [name, payload]] of lies.entries()) {
    it(`a stranger's DECIDE with ${name} is held against nothing`, () => {
      const admitted = wrapped(thread, payload, testKeys(200 + at))
      verified = 0
      give(cluster, [node], admitted)
      assert(verified <= VERIFIED_MAX, `${verified} signatures`)
      assert.deepEqual(cluster.view(node, thread).evidence, [])
    })
  }
})
