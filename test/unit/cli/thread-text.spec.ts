// What a person reads at the end of a thread.
import assert from 'node:assert/strict'
import { Output } from '../../../src/cli/output.ts'
import { showOutcome } from '../../../src/cli/thread-text.ts'
import type { ThreadView } from '../../../src/core/swarm/index.ts'

const bid = { id: 'bid', worker: 'w', cost: '1', etaMs: 1, attestations: [], logged: true }
const ended = { thread: 'thread', phase: 'EXPIRED', reason: 'expired', decide: null } as const

function noteOf(view: Partial<ThreadView>): string {
  const said = { stdout: '', stderr: '' }
  const stream = (name: keyof typeof said) => ({
    write: (text: string) => {
      said[name] += text
      return true
    }
  })
  const io = { stdout: stream('stdout'), stderr: stream('stderr'), env: {} }
  const options = { json: false, quiet: false, color: false }
  showOutcome(new Output(io as never, options), view as ThreadView)
  return said.stderr
}

describe('cli/thread-text', () => {
  it('names the question to ask when nobody attested a bid', () => {
    assert.match(noteOf({ ...ended, proposals: [bid] }), /policy explain thread\/bid"/u)
  })

  it('keeps silent when there was no bid, an attested one, or another end', () => {
    assert.equal(noteOf({ ...ended, proposals: [] }), '')
    assert.equal(noteOf({ ...ended, proposals: [{ ...bid, logged: false }] }), '')
    assert.equal(noteOf({ ...ended, proposals: [bid, { ...bid, attestations: ['v'] }] }), '')
    assert.equal(noteOf({ ...ended, phase: 'INVALID', proposals: [bid] }), '')
  })
})
