/**
 * Goal: what a requester decides that signed two FORMs for an epoch is void for everybody who holds both, and nobody else can bring that about
 * (R8, EVIDENCE-15). Method: honest worlds in which the requester, or somebody else, shows what it signed.
 */
import { strict as assert } from 'node:assert'
import { CID } from '../../../../src/core/codec/index.ts'
import type { Admitted, Draft } from '../../../../src/core/envelope/index.ts'
import {
  EVIDENCE_FORMAT,
  encodeEvidence,
  evidenceId,
  isVoidedBy
} from '../../../../src/core/roster/index.ts'
import { EvidenceShelf } from '../../../../src/core/swarm/evidence-shelf.ts'
import { reviveThread } from '../../../../src/core/swarm/index.ts'
import { planPayload } from '../../../support/plan-payload.ts'
import { script } from '../../../support/swarm-agents.ts'
import { give, secondGroup, stateNeed, until } from '../../../support/swarm-attacks.ts'
import {
  type ClusterNode,
  SwarmCluster,
  testDraft,
  testKeys
} from '../../../support/swarm-cluster.ts'

function honest(settings = {}): SwarmCluster {
  const cluster = new SwarmCluster({ nodes: 6, seed: 31, settings })
  for (const [index, node] of cluster.nodes.entries())
    script(cluster, node, { works: index === 1, verifies: index >= 2 })
  return cluster
}

/** A world in which everybody has got the requester's second FORM while the thread was in a phase. */
function equivocated(phase: string, settings = {}): { cluster: SwarmCluster; thread: string } {
  const cluster = honest(settings)
  const thread = stateNeed(cluster, { expiresAt: cluster.nowMs + 30_000 })
  until(cluster, thread, phase)
  give(cluster, cluster.nodes, secondGroup(cluster, thread).decide)
  return { cluster, thread }
}

/** What a command is answered with. */
function answer(
  cluster: SwarmCluster,
  node: ClusterNode,
  command: Parameters<SwarmCluster['command']>[1]
): unknown {
  const id = cluster.command(node, command)
  cluster.run(1)
  const reply = node.replies.get(id) as { ok: boolean; refusal?: { code: string } }
  return reply.ok || reply.refusal?.code
}

function verbs(cluster: SwarmCluster, node: ClusterNode, thread: string): readonly string[] {
  return cluster.view(node, thread).envelopes.map(({ verb }) => verb)
}

describe('core/swarm: a thread whose requester signed two FORMs', function () {
  this.timeout(60_000)

  it('is void for every node that holds both, and after a restart', () => {
    for (const phase of ['BIDDING', 'VERIFIED', 'FINAL']) {
      const { cluster, thread } = equivocated(phase)
      for (const node of cluster.nodes) {
        const [evidence] = cluster.view(node, thread).evidence
        const { void: said } = cluster.view(node, thread)
        assert.deepEqual([said?.evidence, said?.epoch], [evidence?.id, 0], phase)
        assert.match(said?.reason ?? '', /two FORMs for epoch 0/u)
        cluster.crash(node)
        cluster.restart(node)
        assert.deepEqual(cluster.view(node, thread).void, said)
      }
    }
  })

  it('is not void before, and not for a node that knows one of them', () => {
    const cluster = honest()
    const thread = stateNeed(cluster)
    until(cluster, thread, 'BIDDING')
    const [told, ...others] = cluster.nodes as [ClusterNode, ...ClusterNode[]]
    cluster.linked = () => false
    give(cluster, [told], secondGroup(cluster, thread).form)
    assert.notEqual(cluster.view(told, thread).void, null)
    for (const node of others) assert.equal(cluster.view(node, thread).void, null)
  })

  it('is void for both sides of two certified decisions, also when one of them is final', () => {
    for (const phase of ['DECIDED', 'FINAL']) meet(phase)
  })

  function meet(phase: string): void {
    const cluster = honest()
    const last = cluster.nodes[5] as ClusterNode
    cluster.linked = (from, to) => from !== last && to !== last
    const thread = stateNeed(cluster)
    const need = cluster.nodes[0]?.swarm.envelope(thread, thread)
    assert(need !== undefined)
    give(cluster, [last], need)
    const { decide, form } = secondGroup(cluster, thread)
    give(cluster, [last], form)
    give(cluster, [last], decide)
    const others = cluster.nodes.slice(0, 5)
    const are = (): boolean => others.every(node => node.swarm.view(thread)?.phase === phase)
    assert(cluster.runUntil(are, 15_000))
    assert(cluster.runUntil(() => cluster.nodes.every(isCertified), 1_000))
    function isCertified(node: ClusterNode): boolean {
      return node.swarm.view(thread)?.decide?.certified === true
    }
    const workers = cluster.nodes.map(node => cluster.view(node, thread).decide?.worker)
    assert.equal(new Set(workers).size, 2)
    assert(cluster.nodes.every(node => cluster.view(node, thread).void === null))
    cluster.linked = () => true
    for (const node of cluster.nodes) {
      cluster.disconnect(last, node)
      cluster.disconnect(node, last)
    }
    for (const node of cluster.nodes)
      if (node !== last) {
        cluster.connect(last, node)
        cluster.connect(node, last)
      }
    const areVoid = (): boolean =>
      cluster.nodes.every(node => cluster.view(node, thread).void !== null)
    const seen = cluster.nodes.map(node => cluster.view(node, thread).void?.epoch)
    assert(cluster.runUntil(areVoid, 15_000), `${phase}: nodes that meet tell each other: ${seen}`)
  }

  it('gets no work, attestation, claim or new epoch from honest nodes, and expires', () => {
    const { cluster, thread } = equivocated('BIDDING')
    const before = cluster.nodes.map(node => cluster.view(node, thread).commit)
    const [requester, worker, verifier] = cluster.nodes as [ClusterNode, ClusterNode, ClusterNode]
    const said = [
      testDraft(cluster.nowMs, 'PROPOSE', CID.parse(thread), {
        need: CID.parse(thread),
        patch: [],
        ballot: { cost: 1n, etaMs: 1_000, bond: 0n },
        shardDependencies: [],
        standing: null
      }),
      testDraft(cluster.nowMs, 'ATTEST_PLAN', CID.parse(thread), {
        need: CID.parse(thread),
        proposal: CID.parse(thread),
        evaluation: new Uint8Array(32),
        standing: null
      })
    ] as Draft[]
    for (const draft of said)
      assert.equal(answer(cluster, verifier, { type: 'publish', draft }), 'THREAD_VOID')
    const commit = thread
    const verdict = { commit, pass: true, evaluation: new Uint8Array(32), reasons: [] }
    assert.equal(answer(cluster, verifier, { type: 'verdict', thread, ...verdict }), 'THREAD_VOID')
    assert.equal(answer(cluster, requester, { type: 'reform', thread }), 'THREAD_VOID')
    const { facts } = planPayload()
    assert.equal(
      answer(cluster, worker, { type: 'update-plan', thread, facts, refs: [] }),
      'THREAD_VOID'
    )
    until(cluster, thread, 'EXPIRED', 60_000)
    assert.deepEqual(before, Array(6).fill(null))
    for (const node of cluster.nodes) {
      assert(!verbs(cluster, node, thread).some(verb => verb === 'CLAIM' || verb === 'COMMIT'))
      assert.notEqual(cluster.view(node, thread).void, null)
    }
  })

  it('gets no further group of the requester, also where the epoch was being ended', () => {
    for (const isShown of [false, true]) {
      const cluster = honest()
      const thread = stateNeed(cluster)
      until(cluster, thread, 'BIDDING')
      const requester = cluster.nodes[0] as ClusterNode
      cluster.command(requester, { type: 'reform', thread })
      if (isShown) give(cluster, [requester], secondGroup(cluster, thread).form)
      cluster.run(6_000)
      const forms = verbs(cluster, requester, thread).filter(verb => verb === 'FORM')
      const { epoch, void: voided } = cluster.view(requester, thread)
      assert.deepEqual([epoch, voided?.epoch], isShown ? [0, 0] : [1, undefined])
      assert.equal(forms.length, 2, 'the second one of epoch 0, or that of epoch 1')
    }
  })

  it('keeps its record as it was: what is judged already ends, and void stands beside it', () => {
    const { cluster, thread } = equivocated('VERIFIED')
    const other = honest()
    const same = stateNeed(other, { expiresAt: other.nowMs + 30_000 })
    until(cluster, thread, 'FINAL')
    until(other, same, 'FINAL')
    const logOf = (world: SwarmCluster, id: string): unknown =>
      (world.nodes[1] as ClusterNode).swarm
        .record(id)
        ?.items.flatMap(item => (item.type === 'entry' ? [item.entry.index] : []))
    assert.deepEqual(logOf(cluster, thread), logOf(other, same))
    for (const node of cluster.nodes) {
      assert.equal(node.swarm.record(thread)?.complete, true)
      assert.notEqual(cluster.view(node, thread).void, null)
    }
  })

  it('is void in the archive, in its view and in its line', () => {
    const { cluster, thread } = equivocated('FINAL', { lingerMs: 500 })
    const isArchived = (): boolean => cluster.nodes.every(node => node.archive.has(thread))
    assert(cluster.runUntil(isArchived, 20_000))
    for (const node of cluster.nodes) {
      const archived = node.archive.get(thread)
      assert(archived !== undefined)
      assert.equal(archived.summary.void?.epoch, 0)
      const revived = reviveThread(archived, node.did).view(thread)
      assert.deepEqual(revived?.void, archived.summary.void)
    }
  })
})

describe('core/swarm: nobody else makes a thread void', () => {
  /** A stranger's two FORMs about the thread, in one envelope of its own. */
  function ofStranger(cluster: SwarmCluster, thread: string, index: number): Admitted<'DECIDE'> {
    const keys = testKeys(index)
    const { form, decide } = secondGroup(cluster, thread)
    const forms = [1, 2].map(precisionMs => {
      const draft = testDraft(cluster.nowMs, 'FORM', CID.parse(thread), {
        ...form.envelope.payload,
        precisionMs
      })
      return cluster.seal(keys, { ...draft, epoch: 0 } as Draft<'FORM'>, 8_000).bytes
    })
    const { payload } = decide.envelope
    const certificate = { ...payload.certificate, form: forms[0], previous: [forms[1]] }
    const draft = testDraft(cluster.nowMs, 'DECIDE', CID.parse(thread), {
      ...payload,
      certificate
    } as never)
    return cluster.seal(keys, { ...draft, epoch: 0 } as Draft<'DECIDE'>, 8_001)
  }

  it('by FORMs of its own, however many: they take no room of what convicts the requester', () => {
    const cluster = honest()
    const thread = stateNeed(cluster)
    until(cluster, thread, 'BIDDING')
    for (let i = 0; i < 20; i++) give(cluster, cluster.nodes, ofStranger(cluster, thread, 110 + i))
    for (const node of cluster.nodes) {
      assert.equal(cluster.view(node, thread).void, null)
      assert.deepEqual(cluster.view(node, thread).evidence, [])
    }
    give(cluster, cluster.nodes, secondGroup(cluster, thread).form)
    for (const node of cluster.nodes) assert.notEqual(cluster.view(node, thread).void, null)
  })

  it('by proof against others, or of another thread, or of an epoch that came later', () => {
    const subject = { thread: 'need', requester: 'requester', epoch: 1 }
    const proof = { offence: 'two-forms', slot: 's', ...subject, convicted: ['requester'] } as const
    assert(isVoidedBy(subject, proof))
    assert(isVoidedBy(subject, { ...proof, epoch: 0 }), 'the group rests on that of epoch 0')
    assert(!isVoidedBy(subject, { ...proof, epoch: 2 }))
    assert(!isVoidedBy(subject, { ...proof, thread: 'other' }))
    assert(!isVoidedBy(subject, { ...proof, convicted: ['member'] }))
    assert(!isVoidedBy(subject, { ...proof, offence: 'two-votes' }))
    assert(!isVoidedBy(subject, { ...proof, offence: 'two-certificates' }))
  })

  it('and members that fill the shelf with what they sign keep no FORM off it', () => {
    const shelf = new EvidenceShelf()
    const conviction = { offence: 'two-seals', thread: 't', slot: 's', epoch: 0 } as const
    for (let i = 0; i < 40; i++)
      shelf.put({
        id: `${i}`,
        bytes: new Uint8Array(1),
        conviction: { ...conviction, convicted: [`member ${i}`] }
      })
    const bytes = encodeEvidence({
      format: EVIDENCE_FORMAT,
      offence: 'two-forms',
      forms: [new Uint8Array(1), new Uint8Array(2)]
    })
    const proof = { ...conviction, offence: 'two-forms', convicted: ['requester'] } as const
    assert(shelf.put({ id: evidenceId(bytes), bytes, conviction: proof }))
    assert.equal(shelf.of('t').length, 17)
  })
})
