// What a person reads at the end of a thread.
import assert from 'node:assert/strict'
import { Output } from '../../../src/cli/output.ts'
import { showOutcome, showThread } from '../../../src/cli/thread-text.ts'
import type { ThreadView } from '../../../src/core/swarm/index.ts'
import { CID_A, fakeThread } from '../../support/fake-handlers.ts'

const bid = { id: 'bid', worker: 'w', cost: '1', etaMs: 1, attestations: [], logged: true }
const ended = { thread: 'thread', phase: 'EXPIRED', reason: 'expired', decide: null } as const

function noteOf(view: Partial<ThreadView>, show: typeof showOutcome = showOutcome): string {
  return saidOf(view, show).stderr
}

function saidOf(
  view: Partial<ThreadView>,
  show: typeof showOutcome = showOutcome,
  quiet = false
): { readonly stdout: string; readonly stderr: string } {
  const said = { stdout: '', stderr: '' }
  const stream = (name: keyof typeof said) => ({
    write: (text: string) => {
      said[name] += text
      return true
    }
  })
  const io = { stdout: stream('stdout'), stderr: stream('stderr'), env: {} }
  const options = { json: false, quiet, color: false }
  show(new Output(io as never, options), { void: null, ...view } as ThreadView)
  return said
}

describe('cli/thread-text', () => {
  it('names the question to ask when nobody attested a bid', () => {
    assert.match(noteOf({ ...ended, proposals: [bid] }), /policy explain thread\/bid"/u)
  })

  it('names it while bids wait, in the view of a thread', () => {
    const view = { ...fakeThread(), phase: 'BIDDING', decide: null, proposals: [bid] } as const
    assert.match(noteOf(view, showThread), /policy explain .*\/bid"/u)
    assert.equal(noteOf({ ...view, phase: 'OPEN' }, showThread), '')
    assert.equal(noteOf({ ...view, proposals: [] }, showThread), '')
  })

  it('keeps silent when there was no bid, an attested one, or another end', () => {
    assert.equal(noteOf({ ...ended, proposals: [] }), '')
    assert.equal(noteOf({ ...ended, proposals: [{ ...bid, logged: false }] }), '')
    assert.equal(noteOf({ ...ended, proposals: [bid, { ...bid, attestations: ['v'] }] }), '')
    assert.equal(noteOf({ ...ended, phase: 'INVALID', proposals: [bid] }), '')
  })

  it('says that a thread is void, in its view and at its end, and gives no output then', () => {
    const voided = { evidence: CID_A, epoch: 0, reason: 'the requester signed two FORMs' }
    const commit = { id: 'c', worker: 'w', outputs: ['output'], telemetry: {} }
    const view = fakeThread({ phase: 'FINAL', commit, void: voided })
    assert.match(saidOf(view).stdout, /^VOID {2}the requester signed two FORMs; evidence …/mu)
    assert.match(saidOf(view, showThread).stdout, /^void +the requester signed two FORMs; evid/mu)
    assert.equal(saidOf(view, showOutcome, true).stdout, '')
    assert.equal(saidOf({ ...view, void: null }, showOutcome, true).stdout, 'output\n')
    assert.doesNotMatch(saidOf({ ...view, void: null }, showThread).stdout, /void/iu)
  })
})
