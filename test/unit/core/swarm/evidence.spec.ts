/**
 * Goal: whoever signs what no honest key signs is convicted by every node that sees it, and nobody else ever is (R8-R10).
 * Method: honest worlds with one Byzantine key; honest worlds with faults, where no evidence may come about.
 */
import { strict as assert } from 'node:assert'
import { CID } from '../../../../src/core/codec/index.ts'
import type {
  Admitted,
  Certificate,
  Decision,
  Draft,
  EpochSeal
} from '../../../../src/core/envelope/index.ts'
import {
  checkEvidence,
  decisionDigest,
  decodeEvidence,
  drawOrder,
  groupIdOf,
  joinBytes,
  type Offence,
  rosterHash,
  sealBytes,
  voteBytes
} from '../../../../src/core/roster/index.ts'
import { script } from '../../../support/swarm-agents.ts'
import { give, secondGroup, stateNeed, until } from '../../../support/swarm-attacks.ts'
import {
  type ClusterNode,
  SwarmCluster,
  testDraft,
  testKeys,
  testVerify
} from '../../../support/swarm-cluster.ts'
import { twoEpochs } from '../../../support/two-epochs.ts'

const OTHER = new Uint8Array(32).fill(9)

function honest(seed = 21, loss = 0): SwarmCluster {
  const cluster = new SwarmCluster({ nodes: 6, seed, loss })
  for (const [index, node] of cluster.nodes.entries())
    script(cluster, node, { works: index === 1, verifies: index >= 2 })
  return cluster
}

/** A thread that is decided, its group, and a member of it that is not the requester. */
function decided(cluster: SwarmCluster): {
  thread: string
  form: NonNullable<ReturnType<ClusterNode['swarm']['envelope']>>
  roster: readonly string[]
  liar: ClusterNode
  witness: ClusterNode
} {
  const thread = stateNeed(cluster)
  const isDecided = (): boolean =>
    cluster.nodes.every(node => node.swarm.view(thread)?.decide?.certified === true)
  assert(cluster.runUntil(isDecided, 5_000))
  const any = cluster.nodes[0] as ClusterNode
  const view = cluster.view(any, thread)
  const id = view.envelopes.find(({ verb }) => verb === 'FORM')?.id ?? ''
  const form = any.swarm.envelope(thread, id)
  const roster = view.group?.roster ?? []
  const liar = cluster.nodes.find(
    node => node !== any && view.decide?.signers.includes(node.did) === true
  )
  const witness = cluster.nodes.find(
    node => node !== any && node !== liar && roster.includes(node.did)
  )
  assert(form !== undefined && liar !== undefined && witness !== undefined)
  return { thread, form, roster, liar, witness }
}

/** Evidence that a node holds: each piece convicts by its own bytes what the view says. */
function held(node: ClusterNode, thread: string): (readonly [Offence, readonly string[]])[] {
  for (const { id, bytes, conviction } of node.swarm.evidence()) {
    const decoded = decodeEvidence(bytes)
    assert(decoded.ok)
    assert.deepEqual(checkEvidence(decoded.value, testVerify), { ok: true, value: conviction })
    assert(node.swarm.view(conviction.thread)?.evidence.some(one => one.id === id))
  }
  return (node.swarm.view(thread)?.evidence ?? []).map(one => [one.offence, one.convicted])
}

function ids(node: ClusterNode): string[] {
  return node.swarm
    .evidence()
    .map(({ id }) => id)
    .sort()
}

function restart(cluster: SwarmCluster, node: ClusterNode): void {
  cluster.crash(node)
  cluster.restart(node)
}

function say(
  cluster: SwarmCluster,
  to: ClusterNode,
  from: ClusterNode,
  form: Uint8Array,
  digest: Uint8Array,
  stage: 'decide' | 'outcome' = 'decide'
): void {
  const group = groupIdOf(form)
  const subject = { group, slot: 'slot-1', epoch: 0, stage, digest }
  const sig = from.keys.sign(voteBytes(subject))
  cluster.input(to, {
    kind: 'message',
    nowMs: cluster.nowMs,
    from: from.did,
    message: { type: 'vote', group, stage, digest, sig }
  })
}

describe('core/swarm: evidence of dishonest requesters', function () {
  this.timeout(60_000)
  it('is kept by every node that sees two FORMs, once, also after a restart', () => {
    for (const phase of ['BIDDING', 'DECIDED', 'FINAL']) {
      const cluster = honest()
      const thread = stateNeed(cluster)
      until(cluster, thread, phase)
      const { form, decide } = secondGroup(cluster, thread)
      give(cluster, cluster.nodes, decide)
      give(cluster, cluster.nodes, form)
      until(cluster, thread, phase === 'FINAL' ? phase : 'DECIDED')
      const requester = cluster.nodes[0]?.did ?? ''
      for (const node of cluster.nodes) {
        assert.deepEqual(held(node, thread), [['two-forms', [requester]]], phase)
        const events = node.events.filter(({ type }) => type === 'evidence')
        assert.equal(events.length, 1)
        const before = ids(node)
        // Its own envelope is synced, and with it what stands before it.
        cluster.command(node, { type: 'announce', draft: cluster.manifest() })
        cluster.run(1)
        restart(cluster, node)
        assert.deepEqual(ids(node), before)
        node.disk = node.disk.filter(({ type }) => type !== 'evidence' || phase === 'FINAL')
        restart(cluster, node)
        assert.deepEqual(ids(node), before, 'the envelopes on disk prove it again')
      }
    }
  })

  it('convicts a member too, if it promised itself to both rosters', () => {
    const cluster = honest()
    const { thread, form, liar, witness } = decided(cluster)
    const sybils = [100, 101, 102].map(testKeys)
    const keys = [...sybils, liar.keys]
    const roster = drawOrder(
      thread,
      0,
      keys.map(({ did }) => did)
    )
    const key = { thread, slot: 'slot-1', epoch: 0 }
    const promised = joinBytes(key, rosterHash(key, roster))
    const { payload } = form.envelope as { payload: object }
    const draft = testDraft(cluster.nowMs, 'FORM', CID.parse(thread), {
      ...payload,
      candidates: roster.map(did => ({ did, manifest: CID.parse(thread) })),
      roster,
      joins: roster.map(member => ({
        member,
        sig: keys.find(({ did }) => did === member)?.sign(promised)
      }))
    } as never)
    const requester = cluster.nodes[0] as ClusterNode
    const second = cluster.seal(requester.keys, { ...draft, epoch: 0 } as Draft<'FORM'>, 7_000)
    give(cluster, [witness], second)
    assert.deepEqual(held(witness, thread), [
      ['two-forms', [requester.did]],
      ['two-joins', [liar.did]]
    ])
  })
})

describe('core/swarm: evidence of dishonest members', function () {
  this.timeout(60_000)
  it('is kept when a member votes for another digest than in the certificate, or than before', () => {
    for (const isFirst of [true, false]) {
      const cluster = honest()
      const { thread, form, liar, witness } = decided(cluster)
      // After a restart it knows no vote, but pulls the certificate.
      if (isFirst) restart(cluster, witness)
      cluster.run(200)
      say(cluster, witness, liar, form.bytes, OTHER)
      assert.deepEqual(held(witness, thread), [['two-votes', [liar.did]]])
      say(cluster, witness, liar, form.bytes, new Uint8Array(32).fill(3))
      assert.equal(held(witness, thread).length, 1, 'one proof of one offence is enough')
      until(cluster, thread, 'FINAL')
    }
  })

  it('is kept when the other vote came before the certificate that names its signer', () => {
    const cluster = honest()
    const thread = stateNeed(cluster)
    until(cluster, thread, 'BIDDING')
    cluster.run(60)
    const view = cluster.view(cluster.nodes[0] as ClusterNode, thread)
    const id = view.envelopes.find(({ verb }) => verb === 'FORM')?.id ?? ''
    const form = cluster.nodes[0]?.swarm.envelope(thread, id)?.bytes as Uint8Array
    const members = cluster.nodes.filter(({ did }) => view.group?.roster.includes(did))
    const observer = cluster.nodes.find(({ did }) => !view.group?.roster.includes(did))
    assert(observer !== undefined)
    for (const member of members) say(cluster, observer, member, form, OTHER)
    until(cluster, thread, 'FINAL')
    const { signers } = cluster.view(observer, thread).decide ?? { signers: [] }
    const convicted = held(observer, thread).map(([offence, dids]) => {
      assert.equal(offence, 'two-votes')
      return dids[0]
    })
    assert.deepEqual(new Set(convicted), new Set(signers))
  })

  it('is kept of all who signed two certificates, even when the thread is long over', () => {
    const cluster = honest()
    const { thread, form, roster, witness } = decided(cluster)
    until(cluster, thread, 'FINAL')
    cluster.run(2_000)
    const id = cluster.view(witness, thread).envelopes.find(({ verb }) => verb === 'DECIDE')?.id
    const decide = witness.swarm.envelope(thread, id ?? '')
    const payload = decide?.envelope.payload as { decision: Decision; certificate: Certificate }
    const decision = { ...payload.decision, index: payload.decision.index + 1 }
    const digest = decisionDigest(decision)
    const subject = { group: groupIdOf(form.bytes), slot: 'slot-1', epoch: 0, digest }
    const bytes = voteBytes({ ...subject, stage: 'decide' })
    const signers = payload.certificate.votes.map(({ member }) => member)
    const liars = signers.slice(0, 3)
    const votes = liars.map(member => ({
      member,
      sig: (cluster.nodes.find(({ did }) => did === member) as ClusterNode).keys.sign(bytes)
    }))
    const spared = roster.find(did => !liars.includes(did)) as string
    const junk = { member: spared, sig: new Uint8Array(64) }
    const certificate = { ...payload.certificate, digest, votes: [junk, ...votes] }
    const draft = testDraft(cluster.nowMs, 'DECIDE', CID.parse(thread), { decision, certificate })
    const forged = cluster.seal(testKeys(90), { ...draft, epoch: 0 } as Draft<'DECIDE'>, 1)
    give(cluster, [witness], forged)
    assert.deepEqual(held(witness, thread), [['two-certificates', liars]])
    const before = ids(witness)
    restart(cluster, witness)
    assert.deepEqual(ids(witness), before)
  })

  it('is kept by a requester of a member that joins another roster as well', () => {
    const cluster = honest()
    const requester = cluster.nodes[0] as ClusterNode
    const thread = stateNeed(cluster)
    const chosen = (): readonly string[] =>
      requester.disk.flatMap(record => (record.type === 'chosen' ? record.roster : []))
    assert(cluster.runUntil(() => chosen().length > 0, 2_000))
    const [liar, absent] = cluster.nodes.filter(
      node => node !== requester && chosen().includes(node.did)
    )
    assert(liar !== undefined && absent !== undefined)
    cluster.linked = from => from !== absent
    cluster.run(100)
    for (const sig of [
      new Uint8Array(64),
      liar.keys.sign(joinBytes({ thread, slot: 'slot-1', epoch: 0 }, OTHER))
    ]) {
      assert.deepEqual(held(requester, thread), [])
      const message = { type: 'join' as const, thread, epoch: 0, rosterHash: OTHER, sig }
      cluster.input(requester, {
        kind: 'message',
        nowMs: cluster.nowMs,
        from: liar.did,
        message
      })
    }
    assert.deepEqual(held(requester, thread), [['two-joins', [liar.did]]])
    cluster.linked = () => true
    until(cluster, thread, 'FINAL')
  })

  it('is not made of votes and certificates that do not hold', () => {
    const cluster = honest()
    const { thread, form, liar, witness } = decided(cluster)
    const group = groupIdOf(form.bytes)
    cluster.input(witness, {
      kind: 'message',
      nowMs: cluster.nowMs,
      from: liar.did,
      message: { type: 'vote', group, stage: 'decide', digest: OTHER, sig: new Uint8Array(64) }
    })
    const { decide } = secondGroup(cluster, thread)
    const { payload } = decide.envelope
    const certificate = { ...payload.certificate, form: form.bytes }
    const draft = testDraft(cluster.nowMs, 'DECIDE', CID.parse(thread), { ...payload, certificate })
    const forged = cluster.seal(testKeys(90), { ...draft, epoch: 0 } as Draft<'DECIDE'>, 1)
    give(cluster, cluster.nodes, forged)
    for (const node of cluster.nodes) assert.deepEqual(held(node, thread), [])
  })

  it('stays bounded, whatever an equivocating requester signs', () => {
    const cluster = honest()
    const thread = stateNeed(cluster)
    until(cluster, thread, 'BIDDING')
    for (let i = 0; i < 40; i++) give(cluster, cluster.nodes, secondGroup(cluster, thread).form)
    for (const node of cluster.nodes) assert.equal(held(node, thread).length, 1)
  })
})

describe('core/swarm: evidence about epochs', function () {
  this.timeout(60_000)
  type Seal = EpochSeal['seals'][0]

  /** A SEAL of the first epoch by the liar, showing this. */
  function sealOf(
    { thread, roster, liar }: ReturnType<typeof decided>,
    shown: Pick<Seal, 'digest' | 'proposal'>
  ): Seal {
    const key = { thread, slot: 'slot-1', epoch: 0 }
    const subject = { ...key, ...shown, proposal: shown.proposal?.toString() ?? null }
    const sig = liar.keys.sign(sealBytes({ ...subject, roster: rosterHash(key, roster) }))
    return { member: liar.did, ...shown, sig }
  }

  /** A FORM of the requester for the next epoch; it need not hold. */
  function nextForm(
    cluster: SwarmCluster,
    { form, roster }: ReturnType<typeof decided>,
    change: Partial<EpochSeal>
  ): Admitted {
    const seal = { epoch: 0, form: form.cid, roster: [...roster], seals: [], ...change }
    const payload = { ...(form.envelope.payload as object), epoch: 1, seal }
    const requester = cluster.nodes[0] as ClusterNode
    return cluster.seal(requester.keys, { ...form.envelope, epoch: 1, payload } as never, 8_000)
  }

  function decisionOf({ witness, thread }: ReturnType<typeof decided>): Decision {
    const id = witness.swarm.view(thread)?.envelopes.find(({ verb }) => verb === 'DECIDE')?.id
    const payload = witness.swarm.envelope(thread, id ?? '')?.envelope.payload
    return (payload as { decision: Decision }).decision
  }

  it('is kept of a member whose SEAL denies its vote, and of no other', () => {
    for (const shown of [null, OTHER]) {
      const cluster = honest()
      const world = decided(cluster)
      const proposal = shown && decisionOf(world).proposal
      const seals = [sealOf(world, { digest: shown, proposal })]
      give(cluster, [world.witness], nextForm(cluster, world, { seals }))
      assert.deepEqual(held(world.witness, world.thread), [['sealed-vote', [world.liar.did]]])
      until(cluster, world.thread, 'FINAL')
    }
  })

  it('is kept of a member whose SEAL names another proposal than the decision that it shows', () => {
    const cluster = honest()
    const world = decided(cluster)
    const digest = decisionDigest(decisionOf(world))
    const seals = [sealOf(world, { digest, proposal: CID.parse(world.thread) })]
    give(cluster, [world.witness], nextForm(cluster, world, { seals }))
    assert.deepEqual(held(world.witness, world.thread), [['false-seal', [world.liar.did]]])
  })

  it('is kept of a member that votes once more in an epoch that it left', () => {
    const { cluster, node, thread, forms } = twoEpochs()
    for (const each of cluster.nodes) assert.deepEqual(held(each, thread), [])
    const { seals } = forms[1].envelope.payload.seal as EpochSeal
    const liar = cluster.nodes.find(
      each => each !== node && seals.some(({ member }) => member === each.did)
    )
    assert(liar !== undefined && node.swarm.view(thread)?.phase === 'FINAL')
    const votes = { decide: OTHER, outcome: OTHER }
    for (const [stage, digest] of Object.entries(votes)) {
      say(cluster, node, liar, forms[0].bytes, digest, stage as 'decide' | 'outcome')
      const found = held(node, thread)
      assert(found.some(([offence]) => offence === 'sealed-vote'))
      for (const [, convicted] of found) assert.deepEqual(convicted, [liar.did])
    }
  })

  it('is kept by a requester of a member that leaves one epoch with two SEALs', () => {
    const cluster = honest()
    const world = decided(cluster)
    const { thread, liar, roster } = world
    const requester = cluster.nodes[0] as ClusterNode
    cluster.linked = () => false
    cluster.command(requester, { type: 'reform', thread })
    const key = { thread, slot: 'slot-1', epoch: 0 }
    const { proposal } = decisionOf(world)
    for (const digest of [decisionDigest(decisionOf(world)), null, OTHER]) {
      const { sig } = sealOf(world, { digest, proposal: digest && proposal })
      cluster.input(requester, {
        kind: 'message',
        nowMs: cluster.nowMs,
        from: liar.did,
        message: {
          type: 'sealed',
          thread,
          epoch: 0,
          roster: rosterHash(key, roster),
          digest,
          proposal: digest && proposal.toString(),
          sig
        }
      })
    }
    assert.deepEqual(held(requester, thread), [
      ['two-seals', [liar.did]],
      ['sealed-vote', [liar.did]]
    ])
  })

  it('is not made of a SEAL that shows what its member voted for', () => {
    const cluster = honest()
    const world = decided(cluster)
    const decision = decisionOf(world)
    const shown = { digest: decisionDigest(decision), proposal: decision.proposal }
    const form = nextForm(cluster, world, { seals: [sealOf(world, shown)] })
    give(cluster, cluster.nodes, form)
    for (const node of cluster.nodes) assert.deepEqual(held(node, world.thread), [])
  })

  it('is kept of a requester whose next epoch rests on another group than it had formed', () => {
    const cluster = honest()
    const world = decided(cluster)
    const sybils = [100, 101, 102, 103].map(index => testKeys(index).did)
    give(cluster, cluster.nodes, nextForm(cluster, world, { roster: sybils }))
    for (const node of cluster.nodes)
      assert.deepEqual(held(node, world.thread), [['broken-chain', [cluster.nodes[0]?.did]]])
    until(cluster, world.thread, 'FINAL')
  })
})

describe('core/swarm: evidence in honest worlds', () => {
  it('never comes about, with loss, crashes, restarts and new epochs', function () {
    this.timeout(120_000)
    const epochs = new Set<number | undefined>()
    for (let seed = 1; seed <= 8; seed++) {
      const cluster = honest(seed, 0.1)
      const thread = stateNeed(cluster, { expiresAt: cluster.nowMs + 30_000 })
      for (let round = 0; round < 12; round++) {
        cluster.run(150 + cluster.random.below(500))
        const node = cluster.nodes[cluster.random.below(6)] as ClusterNode
        if (!node.alive) cluster.restart(node)
        else if (cluster.random.chance(0.5)) cluster.crash(node)
        else restart(cluster, node)
        const requester = cluster.nodes[0] as ClusterNode
        if (cluster.random.chance(0.3)) cluster.command(requester, { type: 'reform', thread })
      }
      for (const node of cluster.nodes) if (!node.alive) cluster.restart(node)
      cluster.run(15_000)
      for (const node of cluster.nodes) {
        epochs.add(node.swarm.view(thread)?.epoch)
        assert.deepEqual(held(node, thread), [], `seed ${seed}`)
      }
    }
    assert(epochs.size > 1, 'there were worlds with several epochs')
  })

  it('names none but the requester, whatever it signs and to whom it tells it', function () {
    this.timeout(60_000)
    for (let seed = 1; seed <= 6; seed++) {
      const cluster = honest(seed)
      const thread = stateNeed(cluster)
      cluster.run(cluster.random.below(1_500))
      const { form, decide } = secondGroup(cluster, thread)
      for (const node of cluster.nodes)
        give(cluster, [node], cluster.random.chance(0.5) ? form : decide)
      cluster.run(8_000)
      const requester = cluster.nodes[0]?.did
      for (const node of cluster.nodes)
        for (const [, convicted] of held(node, thread))
          assert.deepEqual(convicted, [requester], `seed ${seed}`)
    }
  })
})
