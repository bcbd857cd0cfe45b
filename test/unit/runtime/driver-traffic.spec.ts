// Goal: messages, drafts and envelopes take their one way, from the first start to the last stop. Method: a scripted machine, recorded effects.
import assert from 'node:assert/strict'
import { MemoryDisk } from '../../../src/adapters/memory/index.ts'
import { ok } from '../../../src/core/base/index.ts'
import { CID } from '../../../src/core/codec/index.ts'
import type { PeerMessage } from '../../../src/core/swarm/index.ts'
import { encodeMessage, unpackMessages } from '../../../src/runtime/index.ts'
import {
  COMMAND,
  codeOf,
  HELLO,
  heldJournal,
  hello,
  persist,
  send,
  world
} from '../../support/driver-world.ts'
import {
  CAPSULE,
  envelopeOf,
  manifestDraft,
  testSigner,
  until
} from '../../support/virtual-world.ts'

describe('runtime/driver: messages', () => {
  it('gives decoded messages to the machine, and drops and counts malformed ones', async () => {
    const w = world()
    await w.driver.start()
    w.network.message('a', Uint8Array.of(1, 2, 3))
    w.network.message('a', new Uint8Array(1024 * 1024 + 1))
    hello(w, 'b')
    await until(() => w.machine.inputs.length === 1)
    assert.deepEqual(w.machine.inputs[0], {
      kind: 'message',
      nowMs: w.clock.nowMs(),
      from: 'b',
      message: HELLO
    })
    assert.deepEqual(w.driver.stats().dropped, { MESSAGE_TOO_LARGE: 1, NOT_CANONICAL: 1 })
  })

  it('sends each item of an envelopes message through the door, and none to the machine as a message', async () => {
    const w = world()
    await w.driver.start()
    const good = envelopeOf(testSigner())
    const items = [good.bytes, Uint8Array.of(9), envelopeOf(testSigner()).bytes]
    for (const bytes of encodeMessage({ type: 'envelopes', items })) w.network.message('a', bytes)
    await until(() => w.machine.inputs.length === 2)
    assert.deepEqual(w.machine.kinds(), ['envelope', 'envelope'])
    const first = w.machine.inputs[0]
    assert.ok(first?.kind === 'envelope' && first.admitted.id === good.id && !first.local)
    await until(() => w.driver.stats().door['BAD_SHAPE'] === 1)
  })

  it('brings the envelopes of one message, or of gossip, to the door a few in a turn', async () => {
    const w = world()
    await w.driver.start()
    const all = Array.from({ length: 100 }, () => envelopeOf(testSigner()).bytes)
    const [items, gossiped] = [all.slice(0, 60), all.slice(60)]
    for (const bytes of encodeMessage({ type: 'envelopes', items })) w.network.message('a', bytes)
    const verdicts = gossiped.map(bytes => w.network.door(bytes, 'b'))
    assert.ok(w.verify.calls > 0 && w.verify.calls <= 32, `${w.verify.calls} at once`)
    assert.deepEqual(new Set(await Promise.all(verdicts)), new Set(['accept']))
    await until(() => w.machine.inputs.length === all.length)
  })

  it('sends envelopes of an admit effect through the door', async () => {
    const w = world()
    await w.driver.start()
    const { bytes } = envelopeOf(testSigner())
    w.machine.script = input =>
      input.kind === 'message' ? [{ kind: 'admit', bytes, from: 'leader', origin: 'log' }] : []
    hello(w, 'leader')
    await until(() => w.machine.inputs.length === 2)
    assert.deepEqual(w.machine.kinds(), ['message', 'envelope'])
  })

  it('judges the time of an admitted envelope unless a log has judged it', async () => {
    const w = world()
    await w.driver.start()
    const notAfter = w.clock.nowMs() - 60_000
    const { bytes } = envelopeOf(testSigner(), { draft: { notAfter } })
    const admit = (origin: 'peer' | 'log'): void => {
      w.machine.script = input =>
        input.kind === 'message' ? [{ kind: 'admit', bytes, from: 'a', origin }] : []
      hello(w, 'a')
    }
    admit('peer')
    await until(() => w.driver.stats().door['ENVELOPE_EXPIRED'] === 1)
    admit('log')
    await until(() => w.machine.kinds().includes('envelope'))
  })

  it('is the validator of gossip', async () => {
    const w = world()
    await w.driver.start()
    assert.equal(await w.network.door(envelopeOf(testSigner()).bytes, 'a'), 'accept')
    assert.equal(await w.network.door(Uint8Array.of(1, 2), 'a'), 'reject')
  })

  it('neither sends nor delivers consensus messages when consensus is unplugged', async () => {
    const raft: PeerMessage = {
      type: 'raft',
      group: 'g',
      message: { type: 'heartbeat', from: 'a', to: 'b', term: 1, commit: 0, quiesce: false }
    }
    for (const unplug of [new Set<'consensus'>(), new Set(['consensus' as const])]) {
      const w = world({ unplug })
      await w.driver.start()
      w.machine.script = input =>
        input.kind === 'peer' ? [{ kind: 'send', to: 'b', message: raft }, send('b')] : []
      w.network.message('a', encodeMessage(raft)[0] as Uint8Array)
      w.network.peer('b', true)
      await until(() => w.network.sent.length >= 1)
      assert.deepEqual(w.machine.kinds(), unplug.size === 1 ? ['peer'] : ['message', 'peer'])
      const sent = w.network.sent.flatMap(({ bytes }) => unpackMessages(bytes))
      assert.equal(sent.length, unplug.size === 1 ? 1 : 2)
    }
  })

  it('neither gossips nor admits gossip when gossip is unplugged', async () => {
    const w = world({ unplug: new Set(['gossip' as const]) })
    await w.driver.start()
    w.machine.script = () => [{ kind: 'gossip', bytes: new Uint8Array([1]) }, send('x')]
    assert.equal(await w.network.door(envelopeOf(testSigner()).bytes, 'a'), 'ignore')
    hello(w, 'a')
    await until(() => w.network.sent.length === 1)
    assert.deepEqual(w.network.gossiped, [])
  })

  it('splits what is too long for one message, and drops and counts what cannot be split', async () => {
    const w = world()
    await w.driver.start()
    const items = Array.from({ length: 40 }, (_, index) => new Uint8Array(60_000).fill(index))
    w.machine.script = () => [
      { kind: 'send', to: 'x', message: { type: 'envelopes', items } },
      { kind: 'send', to: 'x', message: { type: 'hello', threads: ['t'.repeat(2_000_000)] } }
    ]
    hello(w, 'a')
    await until(() => w.network.sent.length > 0)
    assert.ok(w.network.sent.every(({ bytes }) => bytes.length <= 1024 * 1024))
    const received = w.network.sent.flatMap(({ bytes }) => {
      const messages = unpackMessages(bytes).flatMap(result => (result.ok ? [result.value] : []))
      return messages.flatMap(({ message }) => (message.type === 'envelopes' ? message.items : []))
    })
    assert.deepEqual(received, items)
    assert.equal(w.driver.stats().dropped['message-too-large'], 1)
  })
})

describe('runtime/driver: drafts', () => {
  it('evaluates, signs and admits drafts in order; they come back as own envelopes', async () => {
    const w = world()
    await w.driver.start()
    w.machine.script = input =>
      input.kind === 'peer'
        ? [1, 2, 3].map(lamport => ({ kind: 'publish', draft: manifestDraft(), lamport }) as const)
        : []
    w.network.peer('did', true)
    await until(() => w.machine.inputs.length === 4)
    const own = w.machine.inputs.flatMap(input => (input.kind === 'envelope' ? [input] : []))
    assert.deepEqual(
      own.map(({ admitted }) => admitted.envelope.lamport),
      [1, 2, 3]
    )
    assert.ok(
      own.every(({ local, admitted }) => local && admitted.envelope.sender === w.signer.did)
    )
    assert.ok(
      own.every(({ admitted }) => admitted.envelope.policyCapsule.equals(CID.parse(CAPSULE)))
    )
    assert.equal(new Set(own.map(({ admitted }) => String(admitted.envelope.nonce))).size, 3)
    assert.equal(w.verify.calls, 3, 'own envelopes go through the door')
  })

  it('tells the machine which draft the policy denied, and goes on with the next', async () => {
    const w = world()
    await w.driver.start()
    w.policy.answer = input => ({
      allow: input['lamport'] !== 1,
      reasons: input['lamport'] === 1 ? ['rule: no'] : [],
      gas: 0
    })
    w.machine.script = input =>
      input.kind === 'peer'
        ? [1, 2].map(lamport => ({ kind: 'publish', draft: manifestDraft(), lamport }) as const)
        : []
    w.network.peer('did', true)
    await until(() => w.machine.inputs.length === 3)
    assert.deepEqual(w.machine.kinds(), ['peer', 'draft-refused', 'envelope'])
    const refused = w.machine.inputs[1]
    assert.ok(
      refused?.kind === 'draft-refused' &&
        refused.lamport === 1 &&
        refused.refusal.code === 'POLICY_DENIED'
    )
    assert.equal(w.verify.calls, 1, 'a denied draft is not signed')
  })

  it('refuses a malformed draft before anything is signed', async () => {
    const w = world()
    await w.driver.start()
    const draft = manifestDraft({ capability: 5 as unknown as string })
    w.machine.script = input =>
      input.kind === 'peer' ? [{ kind: 'publish', draft, lamport: 1 }] : []
    w.network.peer('did', true)
    await until(() => w.machine.inputs.length === 2)
    const refused = w.machine.inputs[1]
    assert.ok(refused?.kind === 'draft-refused' && refused.refusal.code === 'BAD_SHAPE')
    assert.equal(w.policy.evaluations, 0)
  })

  it("refuses a draft with the engine's own code when the policy gives no answer", async () => {
    const w = world()
    await w.driver.start()
    w.policy.answer = () => {
      throw Object.assign(new Error('lost'), { code: 'X' })
    }
    w.machine.script = input =>
      input.kind === 'peer' ? [{ kind: 'publish', draft: manifestDraft(), lamport: 1 }] : []
    w.network.peer('did', true)
    await until(() => w.machine.inputs.length === 2)
    const refused = w.machine.inputs[1]
    assert.ok(refused?.kind === 'draft-refused' && refused.refusal.code === 'POLICY_UNAVAILABLE')
  })

  it('refuses drafts beyond a bounded queue', async () => {
    const w = world()
    await w.driver.start()
    w.policy.gate = new Promise(() => {})
    w.machine.script = input =>
      input.kind === 'peer'
        ? Array.from(
            { length: 1100 },
            (_, lamport) => ({ kind: 'publish', draft: manifestDraft(), lamport }) as const
          )
        : []
    w.network.peer('did', true)
    await until(() => w.machine.inputs.length === 1 + 1100 - 1024)
    assert.ok(
      w.machine
        .kinds()
        .slice(1)
        .every(kind => kind === 'draft-refused')
    )
  })
})

describe('runtime/driver: life', () => {
  it('restores records in order after a restart and remembers what was accepted', async () => {
    const disk = new MemoryDisk()
    const first = world({ disk })
    await first.driver.start()
    const known = envelopeOf(testSigner())
    first.machine.script = input =>
      input.kind === 'envelope'
        ? [
            {
              kind: 'persist',
              sync: true,
              records: [{ type: 'envelope', bytes: input.admitted.bytes, atMs: input.nowMs }]
            },
            persist(false)
          ]
        : []
    assert.equal(await first.network.door(known.bytes, 'a'), 'accept')
    await until(() => disk.records.length === 2)
    await first.driver.stop()
    await first.journal.close()

    const second = world({ disk })
    await second.driver.start()
    assert.deepEqual(
      second.machine.restored.map(({ type }) => type),
      ['envelope', 'abandoned']
    )
    assert.equal(await second.network.door(known.bytes, 'b'), 'ignore')
    assert.equal(second.driver.stats().door['REPLAYED'], 1)
  })

  it('gives an envelope to the machine again until the machine has kept it', async () => {
    const w = world()
    await w.driver.start()
    const { bytes } = envelopeOf(testSigner())
    let isKept = false
    w.machine.script = input =>
      isKept && input.kind === 'envelope'
        ? [
            {
              kind: 'persist',
              sync: false,
              records: [{ type: 'envelope', bytes: input.admitted.bytes, atMs: 1 }]
            }
          ]
        : []
    for (let time = 1; time <= 4; time++) {
      isKept = time === 2
      await w.network.door(bytes, 'a')
      await until(
        () =>
          w.machine.inputs.length === Math.min(time, 2) &&
          w.disk.records.length === (time < 2 ? 0 : 1)
      )
    }
  })

  it('stops once, answers open commands, and hears nothing afterwards', async () => {
    const w = world()
    await w.driver.start()
    await w.driver.start()
    const open = w.driver.command(COMMAND)
    await until(() => w.machine.inputs.length === 1)
    await Promise.all([w.driver.stop(), w.driver.stop()])
    assert.equal(codeOf(await open), 'STOPPED')
    hello(w, 'a')
    w.network.peer('did', true)
    assert.equal(await w.network.door(envelopeOf(testSigner()).bytes, 'a'), 'ignore')
    assert.equal(w.machine.inputs.length, 1)
    assert.equal(w.clock.timers, 0)
    assert.deepEqual(w.fatal, [])
  })

  it('finishes what waits before it stops', async () => {
    const w = world()
    await w.driver.start()
    w.machine.script = input =>
      input.kind === 'command'
        ? [{ kind: 'reply', id: input.id, result: ok(input.id) }, persist(true)]
        : []
    const replies = Array.from({ length: 1000 }, () => w.driver.command(COMMAND))
    await w.driver.stop()
    assert.ok((await Promise.all(replies)).every(result => result.ok))
    assert.equal(w.disk.records.length, 1000)
  })

  it('finishes a draft that is being signed before it stops', async () => {
    const w = world()
    await w.driver.start()
    w.machine.script = input =>
      input.kind === 'peer'
        ? [{ kind: 'publish', draft: manifestDraft(), lamport: 1 }]
        : input.kind === 'envelope'
          ? [persist(true)]
          : []
    w.network.peer('did', true)
    await w.driver.stop()
    assert.deepEqual(w.machine.kinds(), ['peer', 'envelope'])
    assert.equal(w.disk.records.length, 1)
  })

  it('does not wait for ever when it stops', async () => {
    const journal = heldJournal()
    const w = world({ journal, stopMs: 100 })
    await w.driver.start()
    w.machine.script = () => [persist(true), send('x')]
    w.network.peer('did', true)
    await until(() => journal.appends.length === 1)
    const stopped = w.driver.stop()
    await until(() => w.clock.timers === 1)
    w.clock.advance(100)
    await stopped
    journal.appends[0]?.release()
    for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
    assert.deepEqual(w.network.sent, [], 'a stopped driver sends nothing')
  })

  it('refuses commands before it is started and can be stopped without being started', async () => {
    const w = world()
    assert.equal(codeOf(await w.driver.command(COMMAND)), 'STOPPED')
    await w.driver.stop()
    await w.driver.start()
    assert.equal(codeOf(await w.driver.command(COMMAND)), 'STOPPED')
  })
})
