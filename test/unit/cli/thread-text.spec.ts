// What a person reads at the end of a thread.
import assert from 'node:assert/strict'
import { Output } from '../../../src/cli/output.ts'
import { showOutcome, showThread } from '../../../src/cli/thread-text.ts'
import type { ThreadView } from '../../../src/core/swarm/index.ts'
import { fakeThread } from '../../support/fake-handlers.ts'

const bid = { id: 'bid', worker: 'w', cost: '1', etaMs: 1, attestations: [], logged: true }
const ended = { thread: 'thread', phase: 'EXPIRED', reason: 'expired', decide: null } as const

function noteOf(view: Partial<ThreadView>, show: typeof showOutcome = showOutcome): string {
  const said = { stdout: '', stderr: '' }
  const stream = (name: keyof typeof said) => ({
    write: (text: string) => {
      said[name] += text
      return true
    }
  })
  const io = { stdout: stream('stdout'), stderr: stream('stderr'), env: {} }
  const options = { json: false, quiet: false, color: false }
  show(new Output(io as never, options), view as ThreadView)
  return said.stderr
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
})
