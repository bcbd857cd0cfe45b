import { encode } from '../core/codec/index.ts'
import {
  type Admitted,
  type Decision,
  type Draft,
  parseEnvelope,
  signingBytes
} from '../core/envelope/index.ts'
import { decisionDigest, groupIdOf, voteBytes } from '../core/roster/index.ts'
import type { PeerMessage } from '../core/swarm/index.ts'
import { draftOf, OUTPUT } from './drafts.ts'
import type { Malice, VirtualNode } from './virtual-node.ts'
import type { VirtualWorld } from './world.ts'

/** Messages that are kept to be said again, and how often something is forged, in ms. */
const KEPT_MAX = 64
const FORGE_MS = 400
const EVALUATION: Uint8Array = new Uint8Array(32)
/** When it says more than anybody may, in ms, and how much. */
const FLOOD_AT_MS = 1_500
const FLOOD = 700
/** Clock values of forged envelopes, above what the machine below reaches. */
const FORGED_LAMPORT = 700_000

type Act = (thread: string) => readonly Admitted[]

/**
 * A node that makes things up with its own key: certificates with too few, repeated or foreign votes, claims and results without a
 * lease, envelopes whose signature does not hold; and that says again whatever it has heard.
 */
export class Forger {
  readonly #world: VirtualWorld
  readonly #node: VirtualNode
  readonly #kept: { readonly to: VirtualNode; readonly message: PeerMessage }[] = []
  readonly #acts: readonly Act[]
  #lamport = FORGED_LAMPORT

  constructor(world: VirtualWorld, node: VirtualNode) {
    this.#world = world
    this.#node = node
    this.#acts = [
      thread => this.#certificates(thread),
      thread => this.#results(thread),
      thread => this.#damaged(thread)
    ]
    this.#forgeLater()
    if (world.seed % 2 === 0) world.after(FLOOD_AT_MS, () => this.#flood())
  }

  malice(): Malice {
    return {
      send: (to, message) => {
        this.#keep(to, message)
        return [message]
      },
      receive: (from, message) => this.#keep(from, message)
    }
  }

  #keep(to: VirtualNode, message: PeerMessage): void {
    if (this.#kept.length >= KEPT_MAX) this.#kept.splice(this.#world.random.below(KEPT_MAX), 1)
    this.#kept.push({ to, message })
  }

  /** It may be made to stop (`silence`). */
  #isLying(): boolean {
    return this.#node.alive && this.#node.malice?.receive !== undefined
  }

  #forgeLater(): void {
    this.#world.after(FORGE_MS, () => {
      if (this.#isLying()) this.#forge()
      this.#forgeLater()
    })
  }

  /** More envelopes at once than a door lets through, each of them in order. */
  #flood(): void {
    const [thread] = this.#node.swarm.threadIds()
    const need = thread === undefined ? undefined : this.#node.swarm.envelope(thread, thread)
    const victim = this.#world.nodes.find(node => node !== this.#node)
    if (need === undefined || victim === undefined || !this.#isLying()) return
    for (let said = 0; said < FLOOD; said++) {
      const { nowMs } = this.#world
      const payload = { need: need.cid, proposal: need.cid, evaluation: EVALUATION, standing: null }
      const attested = this.#seal(draftOf(nowMs, 'ATTEST_PLAN', need.cid, payload))
      this.#world.admit(victim, attested.bytes, false)
    }
  }

  #forge(): void {
    const { random, nodes } = this.#world
    if (this.#kept.length > 0) {
      const { to, message } = random.pick(this.#kept)
      this.#world.transmit(this.#node, random.chance(0.5) ? to : random.pick(nodes), message)
    }
    const threads = this.#node.swarm.threadIds()
    if (threads.length === 0 || random.chance(0.5)) return
    const act = random.pick(this.#acts)
    const victim = random.pick(nodes)
    for (const { bytes } of act(random.pick(threads))) this.#world.admit(victim, bytes, false)
  }

  /** DECIDEs of the right decision, or none, with votes that do not suffice. */
  #certificates(thread: string): Admitted[] {
    const view = this.#node.swarm.view(thread)
    const group = view?.group
    const form = view?.envelopes.find(({ verb }) => verb === 'FORM')
    const admitted = form === undefined ? undefined : this.#node.swarm.envelope(thread, form.id)
    if (group == null || admitted === undefined) return []
    const { slot, epoch, roster, need } = (admitted as Admitted<'FORM'>).envelope.payload
    const { decision, digest } = this.#decision(thread, need, { slot, epoch })
    const vote = voteBytes({
      group: groupIdOf(admitted.bytes),
      slot,
      epoch,
      stage: 'decide',
      digest
    })
    const own = { member: this.#node.did, sig: this.#node.keys.sign(vote) }
    const strangers = [90, 91, 92].map(index => {
      const keys = this.#world.signatures.keys(index)
      return { member: keys.did, sig: keys.sign(vote) }
    })
    const unsigned = roster.map(member => ({ member, sig: own.sig }))
    return [[own, own, own, own], [own, ...strangers], unsigned].map(votes =>
      this.#seal({
        ...draftOf(this.#world.nowMs, 'DECIDE', need, {
          decision,
          certificate: { form: admitted.bytes, previous: [], stage: 'decide', digest, votes }
        }),
        epoch
      })
    )
  }

  #decision(
    thread: string,
    need: Admitted['cid'],
    at: { readonly slot: string; readonly epoch: number }
  ): { decision: Decision; digest: Uint8Array } {
    const proposals = this.#node.swarm.view(thread)?.proposals ?? []
    const proposal = proposals.at(-1)?.id
    const bid = proposal === undefined ? undefined : this.#node.swarm.envelope(thread, proposal)
    const decision = {
      need,
      ...at,
      proposal: bid?.cid ?? need,
      worker: this.#node.did,
      term: 1,
      index: 2,
      attestations: [],
      logHash: new Uint8Array(32),
      planHeads: { listed: [], digest: new Uint8Array(32) },
      planDigest: new Uint8Array(32)
    }
    return { decision, digest: decisionDigest(decision) }
  }

  /** CLAIM, HEARTBEAT and COMMIT of somebody who may not work, or under a token that is not current. */
  #results(thread: string): Admitted[] {
    const view = this.#node.swarm.view(thread)
    const task = view?.decide?.proposal
    const need = this.#node.swarm.envelope(thread, thread)
    const bid = task === undefined ? undefined : this.#node.swarm.envelope(thread, task)
    if (need === undefined || bid === undefined) return []
    const { nowMs } = this.#world
    const fence = view?.lease?.fence ?? [need.envelope.epoch ?? 0, 1, 1]
    const telemetry = {
      tokens: 0,
      cost: 1n,
      wallMs: 1,
      exitStatus: 0,
      tool: '',
      model: '',
      zone: ''
    }
    const claim = draftOf(nowMs, 'CLAIM', need.cid, {
      task: bid.cid,
      leaseTtlMs: 60_000,
      cost: 1n,
      etaMs: 1
    })
    const heartbeat = draftOf(nowMs, 'HEARTBEAT', need.cid, { task: bid.cid, progress: 1 })
    const commit = draftOf(nowMs, 'COMMIT', need.cid, {
      task: bid.cid,
      outputs: [OUTPUT],
      verifyBounty: 1n,
      telemetry
    })
    const [epoch, term, index] = fence as readonly [number, number, number]
    return [
      this.#seal({ ...claim, epoch }),
      this.#seal({ ...heartbeat, epoch, fence: [epoch, term, index] }),
      this.#seal({ ...commit, epoch, fence: [epoch, term, index + 1] }),
      this.#seal({ ...commit, epoch, fence: [epoch, term, index] })
    ]
  }

  /** Somebody's envelope with another signature: other bytes, and so another envelope, which nobody signed. */
  #damaged(thread: string): Admitted[] {
    const envelopes = this.#node.swarm.view(thread)?.envelopes ?? []
    if (envelopes.length === 0) return []
    const { id } = this.#world.random.pick(envelopes)
    const admitted = this.#node.swarm.envelope(thread, id)
    if (admitted === undefined) return []
    const sig = this.#node.keys.sign(signingBytes(admitted.envelope))
    const parsed = parseEnvelope(encode({ ...admitted.envelope, sig }))
    return parsed.ok ? [parsed.value] : []
  }

  #seal(draft: Draft): Admitted {
    this.#lamport += 1
    return this.#world.seal(this.#node.keys, draft, this.#lamport)
  }
}
