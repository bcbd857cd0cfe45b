/**
 * Goal: certificates that come before their log cost as much as they are many, however often they are said, and each that the log contradicts is found. Method:
 * the record of a sound thread, with its decision said again by others before the entries that lead to it.
 */
import { strict as assert } from 'node:assert'
import { useNodeSha256 } from '../../../src/adapters/sha256/index.ts'
import { type Admitted, type Draft, readEnvelope } from '../../../src/core/envelope/index.ts'
import { decodeEntry } from '../../../src/core/need/index.ts'
import { decisionDigest, groupIdOf, voteBytes } from '../../../src/core/roster/index.ts'
import type { RecordItem } from '../../../src/core/swarm/index.ts'
import { Replayer } from '../../../src/replay/replayer.ts'
import { finishedThread } from '../../support/finished-thread.ts'
import { testVerify } from '../../support/swarm-cluster.ts'

const TIMES = 200
/** Looks at one certificate when it is taken, compared, and told of. */
const LOOKS_MAX = 20

describe('replay: the replayer', () => {
  before(() => useNodeSha256())
  const { cluster, node, thread } = finishedThread()
  const { items = [] } = node.swarm.record(thread) ?? {}
  const isVerb = (item: RecordItem, verb: string): boolean => {
    const read = item.type === 'envelope' ? readEnvelope(item.bytes) : null
    return read?.ok === true && read.value.envelope.verb === verb
  }
  const first = items.findIndex(item => item.type === 'entry')
  const said = (verb: string): Admitted => {
    const item = items.find(one => isVerb(one, verb))
    assert(item?.type === 'envelope')
    const read = readEnvelope(item.bytes)
    assert(read.ok)
    return read.value
  }
  const envelopeItem = (bytes: Uint8Array): RecordItem => {
    const like = items.find(item => item.type === 'envelope')
    assert(like?.type === 'envelope')
    return { ...like, bytes }
  }

  /** The same certificate from as many senders' mouths as there are values. */
  const again = (verb: string): RecordItem[] =>
    Array.from({ length: TIMES }, (_, at) => {
      const draft = said(verb).envelope as unknown as Draft
      return envelopeItem(cluster.seal(node.keys, draft, 10_000 + at).bytes)
    })

  it('looks at each certificate that waits for its log a few times, not at all with each', () => {
    let looks = 0
    const replayer = new Replayer({
      thread,
      verify: testVerify,
      admit: bytes => {
        const read = readEnvelope(bytes)
        assert(read.ok)
        const { envelope } = read.value
        if (envelope.verb !== 'DECIDE' && envelope.verb !== 'FINALIZE') return read
        const counted = {
          ...read.value,
          get envelope() {
            looks += 1
            return envelope
          }
        }
        return { ok: true, value: counted }
      }
    })
    const early = [...again('DECIDE'), ...again('FINALIZE')]
    for (const item of items.toSpliced(first, 0, ...early)) assert(replayer.take(item).ok)
    assert(replayer.end().ok && replayer.findings.finalizeBytesEqual)
    assert(looks < early.length * LOOKS_MAX, `${looks} looks`)
  })

  /** A decision to which the log does not lead, under the votes of all who signed the right one. */
  function conspired(): RecordItem {
    const { envelope } = said('DECIDE') as Admitted<'DECIDE'>
    const { certificate } = envelope.payload
    const decision = { ...envelope.payload.decision, term: envelope.payload.decision.term + 1 }
    const digest = decisionDigest(decision)
    const { slot, epoch } = decision
    const group = groupIdOf(certificate.form)
    const bytes = voteBytes({ group, slot, epoch, stage: 'decide', digest })
    const votes = certificate.votes.map(({ member }) => {
      const keys = cluster.nodes.find(({ did }) => did === member)?.keys
      assert(keys !== undefined)
      return { member, sig: keys.sign(bytes) }
    })
    const payload = { decision, certificate: { ...certificate, digest, votes } }
    const draft = { ...envelope, payload } as unknown as Draft
    return envelopeItem(cluster.seal(node.keys, draft, 20_000).bytes)
  }

  it('finds the decision to which the log does not lead behind many to which it does', () => {
    const replayer = new Replayer({ thread, verify: testVerify })
    const flaws = items
      .toSpliced(first, 0, ...again('DECIDE'), conspired(), ...again('DECIDE'))
      .map(item => replayer.take(item))
      .flatMap(taken => (taken.ok ? [] : [taken.flaw]))
    assert.deepEqual([flaws[0]?.code, flaws[0]?.field], ['REPLAY_DECIDE', 'decision.term'])
  })

  it('does not begin a log anew that has led to its certified end, nor another group', () => {
    const replayer = new Replayer({ thread, verify: testVerify })
    for (const item of items) assert(replayer.take(item).ok)
    assert.equal(replayer.state()?.phase, 'FINAL')
    const { envelope } = said('FORM') as Admitted<'FORM'>
    const payload = { ...envelope.payload, epoch: 1 }
    const later = cluster.seal(node.keys, { ...envelope, payload } as unknown as Draft, 30_000)
    const { aside } = replayer.findings
    assert(replayer.take(envelopeItem(later.bytes)).ok)
    assert.equal(replayer.findings.aside, aside + 1)
    const again = replayer.take(items[first] as RecordItem)
    assert(!again.ok && again.flaw.code === 'REPLAY_ORDER')
    assert.equal(replayer.state()?.phase, 'FINAL')
  })

  it('begins a log anew that has not come to its end', () => {
    const replayer = new Replayer({ thread, verify: testVerify })
    const entries = items.slice(first, first + 3)
    for (const item of items.toSpliced(first, 0, ...entries)) assert(replayer.take(item).ok)
    assert(replayer.end().ok && replayer.findings.finalizeBytesEqual)
  })

  it('tells what the work took by the COMMIT that the log took, whoever else says one', () => {
    const entry = items.find(item => {
      const bytes = item.type === 'entry' ? decodeEntry(item.entry.data)?.envelope : null
      const read = bytes == null ? null : readEnvelope(bytes)
      return read?.ok === true && read.value.envelope.verb === 'COMMIT'
    })
    assert(entry?.type === 'entry')
    const read = readEnvelope(decodeEntry(entry.entry.data)?.envelope ?? new Uint8Array())
    assert(read.ok)
    const { value: taken } = read
    const stranger = cluster.nodes.find(({ did }) => did !== taken.envelope.sender)
    assert(stranger !== undefined)
    const others = Array.from({ length: TIMES }, (_, at) =>
      envelopeItem(
        cluster.seal(stranger.keys, taken.envelope as unknown as Draft, 40_000 + at).bytes
      )
    )
    const replayer = new Replayer({ thread, verify: testVerify })
    for (const item of items.toSpliced(first, 0, ...others)) assert(replayer.take(item).ok)
    assert.deepEqual(
      replayer.findings.commits.map(({ commit, worker }) => [commit, worker]),
      [[taken.id, taken.envelope.sender]]
    )
  })
})
