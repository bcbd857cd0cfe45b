// Goal: an announcement is repeated until a peer took it, and never hurts anybody. Method: a DHT that answers as told.
import assert from 'node:assert/strict'
import type { Helia } from '@helia/interface'
import type { Libp2p } from '@libp2p/interface'
import { PROVIDE_QUEUE_MAX } from '../../../../src/adapters/helia/limits.ts'
import { ProvideQueue } from '../../../../src/adapters/helia/provide-queue.ts'
import { type CID, cidOf } from '../../../../src/core/codec/index.ts'
import { text } from '../../../contract/artifacts.ts'
import { silent } from '../../../support/helia-world.ts'

type Options = { signal: AbortSignal; onProgress: (event: CustomEvent) => void }
type Provide = (cid: CID, options: Options) => Promise<void>

function queue(provide: Provide, logger = silent): { provides: ProvideQueue; libp2p: EventTarget } {
  const libp2p = Object.assign(new EventTarget(), { getPeers: () => ['peer'] })
  const helia = { routing: { provide } } as unknown as Helia
  return { provides: new ProvideQueue(helia, libp2p as unknown as Libp2p, logger), libp2p }
}

function response(messageType: string): CustomEvent {
  return new CustomEvent('kad-dht:query:peer-response', { detail: { messageType } })
}

describe('adapters/helia/provide-queue', () => {
  const cid = cidOf(text('root'))

  it('announces again until a peer took the record, also after a failure', async () => {
    const answers = ['FIND_NODE', 'failure', 'ADD_PROVIDER']
    const taken = Promise.withResolvers<void>()
    const calls: string[] = []
    const { provides, libp2p } = queue(async (root, { onProgress }) => {
      const answer = answers[calls.length] ?? 'ADD_PROVIDER'
      calls.push(root.toString())
      // A peer that becomes known ends the pause that has grown meanwhile.
      if (answer === 'failure') {
        setImmediate(() => libp2p.dispatchEvent(new Event('peer:identify')))
        throw new TypeError('no route')
      }
      onProgress(response(answer))
      if (answer === 'ADD_PROVIDER') taken.resolve()
    })
    provides.add(cid)
    await taken.promise
    await provides.stop()
    assert.deepEqual(calls, Array(3).fill(cid.toString()))
  })

  it('drops the oldest root of a full queue, and ends what runs at stop', async () => {
    const dropped: unknown[] = []
    const started: string[] = []
    const hang: Provide = (root, { signal }) => {
      started.push(root.toString())
      return new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason))
      )
    }
    const { provides } = queue(hang, {
      ...silent,
      warn: (_, details) => dropped.push(...Object.values(details ?? {}))
    })
    const roots = Array.from({ length: PROVIDE_QUEUE_MAX + 3 }, (_, index) =>
      cidOf(text(`${index}`))
    )
    for (const root of roots) provides.add(root)
    assert.deepEqual(started, [`${roots[0]}`, `${roots[1]}`])
    assert.deepEqual(dropped, [`${roots[2]}`])
    await provides.stop()
    assert.equal(started.length, 2)
  })
})
