// Goal: what peers say in plan sync takes a bounded part of memory, at the cost of those who say most. Method: the heaviest messages about many threads.
import assert from 'node:assert/strict'
import { Documents } from '../../../../src/adapters/automerge/documents.ts'
import { SESSIONS_BYTES_MAX } from '../../../../src/adapters/automerge/limits.ts'
import { SyncSessions } from '../../../../src/adapters/automerge/sync-sessions.ts'
import { useNodeSha256 } from '../../../../src/adapters/sha256/index.ts'
import { heaviestFrame } from '../../../support/plan-attacks.ts'
import { entryOf, PLAN_NEED, PLAN_THREAD, planChain } from '../../../support/plan-chains.ts'

useNodeSha256()
const THREADS = 20

describe('adapters/automerge/sync-sessions', function () {
  this.timeout(20_000)

  it('stay within their bytes under the heaviest messages of one peer, and other peers go on where they were', () => {
    const documents = new Documents(THREADS + 1)
    documents.apply(PLAN_THREAD, [PLAN_NEED, ...planChain({ count: 5 })].map(entryOf))
    const hello = new Documents(1)
    hello.apply(PLAN_THREAD, [])
    const { message } = hello.say(PLAN_THREAD, 'node')
    documents.hear(PLAN_THREAD, 'honest', message as Uint8Array)
    assert.ok(documents.say(PLAN_THREAD, 'honest').message !== null)
    const heavy = heaviestFrame(PLAN_THREAD).subarray(32)
    let most = 0
    for (let at = 0; at < THREADS; at++) {
      documents.apply(`thread ${at}`, [])
      assert.equal(documents.hear(`thread ${at}`, 'liar', heavy).lie, null)
      documents.say(`thread ${at}`, 'liar')
      most = Math.max(most, documents.sessionBytes())
    }
    assert.ok(most > SESSIONS_BYTES_MAX / 2, 'the attack is heavy')
    assert.ok(most <= SESSIONS_BYTES_MAX, `${most} bytes`)
    assert.equal(documents.say(PLAN_THREAD, 'honest').message, null)
    documents.forget('liar')
    assert.ok(documents.sessionBytes() < 10_000)
  })

  it('stay within their number at the cost of the peer with the most, the least recently used first', () => {
    const sessions = new SyncSessions({ max: 4 })
    const other = sessions.use('a', 'other')
    const own = ['a', 'b', 'c'].map(thread => sessions.use(thread, 'one'))
    sessions.use('a', 'one')
    sessions.use('d', 'one')
    sessions.makeRoom()
    assert.equal(sessions.use('a', 'other'), other)
    assert.equal(sessions.use('a', 'one'), own[0])
    assert.equal(sessions.use('c', 'one'), own[2])
    assert.notEqual(sessions.use('b', 'one'), own[1])
  })
})
