/**
 * A process that attacks a swarm: `node hostile-process.ts ATTACK NETWORK ADDRESS...`. It prints a line of JSON when the attack is made, or
 * ready for a victim, and ends with its standard input.
 */
import { idOf } from '../../src/core/codec/index.ts'
import { type Admitted, type Payload, parseEnvelope } from '../../src/core/envelope/index.ts'
import {
  drawOrder,
  type EpochKey,
  groupIdOf,
  joinBytes,
  rosterHash,
  voteBytes
} from '../../src/core/roster/index.ts'
import type { PeerMessage } from '../../src/core/swarm/index.ts'
import type { Signer } from '../../src/ports/index.ts'
import { HostilePeer, hostileKey, idleNeed } from './hostile-peer.ts'

const SLOT = 'two-faced'
const ASK_AGAIN_MS = 250

type Attack = (peer: HostilePeer, addresses: readonly string[]) => Promise<unknown>

const ATTACKS: Readonly<Record<string, Attack>> = { 'two-forms': twoForms, 'two-votes': twoVotes }

/** A requester signs a FORM for each of the nodes, each with other members, all of them made up, and goes. */
async function twoForms(peer: HostilePeer, addresses: readonly string[]): Promise<unknown> {
  await peer.join(addresses)
  const need = await peer.seal('NEED', idleNeed(peer, { slot: SLOT }))
  const nodes = peer.peers()
  const believed: Promise<void>[] = []
  for (const [face, to] of nodes.entries()) {
    const form = await formOf(peer, need, face)
    peer.show(to, need, form)
    believed.push(believes(peer, to, form))
  }
  await Promise.all(believed)
  await peer.stop()
  return { did: peer.signer.did, thread: need.id }
}

/** Resolves when a node has taken its FORM: it shows it to whoever asks. */
async function believes(peer: HostilePeer, to: string, form: Admitted<'FORM'>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  peer.onMessage((from, message) => {
    if (from !== to || message.type !== 'envelopes') return
    if (message.items.some(item => idOf(item) === form.id)) resolve()
  })
  const thread = String(form.envelope.thread)
  const ask: PeerMessage = { type: 'pull', thread, have: [thread], group: null, entries: 0 }
  const timer = setInterval(() => peer.send(to, ask), ASK_AGAIN_MS)
  await promise
  clearInterval(timer)
}

function formOf(
  peer: HostilePeer,
  need: Admitted<'NEED'>,
  face: number
): Promise<Admitted<'FORM'>> {
  const members = [0, 1, 2, 3].map(n => hostileKey(`member ${n} of face ${face}`).signer)
  const dids = members.map(({ did }) => did)
  const roster = drawOrder(need.id, 0, dids)
  const key = { thread: need.id, slot: SLOT, epoch: 0 }
  const joins = members.map(member => ({ member: member.did, sig: joinOf(member, key, roster) }))
  const payload: Payload<'FORM'> = {
    need: need.cid,
    slot: SLOT,
    epoch: 0,
    seal: null,
    earlierSeals: [],
    checkpoint: null,
    tier: 'discovery',
    candidates: dids.map(did => ({ did, manifest: need.cid })),
    roster,
    joins,
    kPlan: 1,
    kResult: 1,
    quorum: 'more-than-two-thirds',
    precisionMs: 2000
  }
  return peer.seal('FORM', payload, { thread: need.cid, epoch: 0, refs: [need.cid] })
}

function joinOf(member: Signer, key: EpochKey, roster: readonly string[]): Uint8Array {
  return member.sign(joinBytes(key, rosterHash(key, roster)))
}

/** A voter that joins whoever asks, and gives each other member two votes on the decision. */
async function twoVotes(peer: HostilePeer, addresses: readonly string[]): Promise<unknown> {
  const slots = new Map<string, string>()
  peer.onMessage((from, message) => {
    if (message.type === 'invite') slots.set(idOf(message.need), slotOf(message.need))
    answer(peer, from, message, slots)
  })
  peer.onEnvelope(({ envelope, bytes }) => {
    if (envelope.verb === 'FORM') voteTwice(peer, bytes, envelope.payload as Payload<'FORM'>)
  })
  await peer.join(addresses)
  const manifest = await peer.seal('MANIFEST', {
    capabilities: [],
    roles: ['voter'],
    tags: [],
    zone: '',
    org: '',
    price: 1n,
    stake: 0n,
    agent: 'hostile'
  })
  for (const to of peer.peers()) peer.show(to, manifest)
  return { did: peer.signer.did }
}

function slotOf(bytes: Uint8Array): string {
  const parsed = parseEnvelope(bytes)
  if (!parsed.ok || parsed.value.envelope.verb !== 'NEED') return ''
  return (parsed.value.envelope.payload as Payload<'NEED'>).slot
}

function answer(
  peer: HostilePeer,
  to: string,
  message: PeerMessage,
  slots: ReadonlyMap<string, string>
): void {
  if (message.type === 'invite') {
    const { epoch, need } = message
    return peer.send(to, { type: 'available', thread: idOf(need), epoch })
  }
  if (message.type !== 'bind') return
  const { thread, epoch, roster } = message
  const key = { thread, slot: slots.get(thread) ?? '', epoch }
  const sig = joinOf(peer.signer, key, roster)
  peer.send(to, { type: 'join', thread, epoch, rosterHash: rosterHash(key, roster), sig })
}

function voteTwice(peer: HostilePeer, form: Uint8Array, payload: Payload<'FORM'>): void {
  const { slot, epoch, roster } = payload
  const group = groupIdOf(form)
  const stage = 'decide'
  for (const byte of [1, 2]) {
    const digest = new Uint8Array(32).fill(byte)
    const sig = peer.signer.sign(voteBytes({ group, slot, epoch, stage, digest }))
    for (const to of roster)
      if (to !== peer.signer.did) peer.send(to, { type: 'vote', group, stage, digest, sig })
  }
}

const [name = '', network = '', ...addresses] = process.argv.slice(2)
const attack = ATTACKS[name]
if (attack === undefined) throw new TypeError(`no attack is called ${name}`)
process.stdin.on('end', () => process.exit()).resume()
const made = await attack(await HostilePeer.start({ network, name }), addresses)
process.stdout.write(`${JSON.stringify(made)}\n`)
