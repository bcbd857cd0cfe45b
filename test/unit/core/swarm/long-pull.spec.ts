/** Goal: a newcomer gets all of a thread by pulls alone, however much that is (SYNC-3). Method: a thread with more envelopes than a pull names and several answers bring. */
import { strict as assert } from 'node:assert'
import { CID } from '../../../../src/core/codec/index.ts'
import { parseEnvelope } from '../../../../src/core/envelope/index.ts'
import type { Context } from '../../../../src/core/swarm/context.ts'
import { answerPull, pull } from '../../../../src/core/swarm/sync.ts'
import { Thread } from '../../../../src/core/swarm/thread.ts'
import type { PeerMessage } from '../../../../src/core/swarm/types.ts'
import { seededRandom, signaturesOf } from '../../../../src/simulator/index.ts'
import { planPayload } from '../../../support/plan-payload.ts'
import { type ClusterNode, SwarmCluster, testDraft } from '../../../support/swarm-cluster.ts'

const UPDATES = 10_000
const PULLS_MAX = 100

/** A context in which messages go to `sent` and nothing else happens. */
function contextOf(sent: PeerMessage[]): Context {
  const random = seededRandom(1)
  return {
    nowMs: 0,
    connected: new Set<string>(),
    random: (below: number) => random.below(below),
    send: (_: string, message: PeerMessage) => sent.push(message)
  } as unknown as Context
}

/** One pull of a node, and all that the other's answer brings. */
function comparePlans(here: Thread, there: Thread): void {
  const asked: PeerMessage[] = []
  pull(contextOf(asked), here.id, here, 'other')
  const answered: PeerMessage[] = []
  for (const message of asked)
    if (message.type === 'pull') answerPull(contextOf(answered), there, 'node', message)
  for (const message of answered)
    for (const bytes of message.type === 'envelopes' ? message.items : []) {
      const parsed = parseEnvelope(bytes)
      assert.ok(parsed.ok)
      if (!here.envelopes.has(parsed.value.id)) here.file(parsed.value, 0)
    }
}

describe('core/swarm: a newcomer to a long thread', function () {
  this.timeout(60_000)

  it('comes to all of it by pulls', () => {
    const cluster = new SwarmCluster({ nodes: 1, signatures: signaturesOf('fast') })
    const { keys } = cluster.nodes[0] as ClusterNode
    const need = cluster.seal(keys, cluster.need(), 1)
    const [here, there] = [new Thread(need), new Thread(need)]
    there.file(need, 0)
    for (let at = 0; at < UPDATES; at++) {
      const payload = planPayload()
      const draft = testDraft(cluster.nowMs, 'UPDATE_PLAN', CID.parse(need.id), payload)
      there.file(cluster.seal(keys, draft, at + 2), 0)
    }
    const isBehind = (): boolean => here.envelopes.size < there.envelopes.size
    for (let pulls = 0; isBehind() && pulls < PULLS_MAX; pulls++) comparePlans(here, there)
    assert.equal(here.envelopes.size, UPDATES + 1)
  })
})
