// Goal: persist before send, in order, in batches, within bounds. Method: a scripted machine, the memory journal, recorded effects.
import assert from 'node:assert/strict'
import { MemoryDisk, memoryJournal } from '../../../src/adapters/memory/index.ts'
import { ok, type Result } from '../../../src/core/base/index.ts'
import type { JournalRecord } from '../../../src/core/swarm/index.ts'
import {
  COMMANDS_QUEUED_MAX,
  ENVELOPES_QUEUED_MAX,
  MESSAGES_QUEUED_MAX,
  unpackMessages
} from '../../../src/runtime/index.ts'
import {
  append,
  COMMAND,
  codeOf,
  heldJournal,
  hello,
  persist,
  reasonOf,
  send,
  world
} from '../../support/driver-world.ts'
import { envelopeOf, testSigner, until } from '../../support/virtual-world.ts'

describe('runtime/driver: persist, then send', () => {
  it('runs as many effects of one step, and writes as many records, as there are', async () => {
    const w = world()
    await w.driver.start()
    const count = 250_000
    const all: JournalRecord[] = Array.from({ length: count }, () => ({
      type: 'clock',
      lamport: 1
    }))
    w.machine.script = input =>
      input.kind !== 'command'
        ? []
        : [
            ...all.map(() => persist(true)),
            { kind: 'persist', sync: true, records: all },
            { kind: 'reply', id: input.id, result: ok(null) }
          ]
    assert.deepEqual(await w.driver.command(COMMAND), ok(null))
    assert.deepEqual([w.fatal, w.disk.records.length], [[], 2 * count])
  })

  it('sends nothing of a batch before its append has resolved, then runs all effects in order', async () => {
    const journal = heldJournal()
    const w = world({ journal })
    await w.driver.start()
    const order: string[] = []
    w.network.onOut = () => order.push('out')
    w.driver.onEvent(() => order.push('event'))
    w.machine.script = input =>
      input.kind !== 'command'
        ? []
        : [
            send('before'),
            persist(true),
            { kind: 'gossip', bytes: new Uint8Array([1]) },
            { kind: 'observe', event: { type: 'warning', thread: null, message: '', atMs: 0 } },
            { kind: 'reply', id: input.id, result: ok('done') }
          ]
    const reply = w.driver.command(COMMAND).then(result => {
      order.push('reply')
      return result
    })
    await until(() => journal.appends.length === 1)
    assert.deepEqual(order, [])
    journal.appends[0]?.release()
    assert.deepEqual(await reply, ok('done'))
    assert.deepEqual(order, ['out', 'out', 'event', 'reply'])
  })

  it('writes the records of all inputs of a batch with one append and one fsync', async () => {
    const w = world()
    await w.driver.start()
    w.machine.script = input => [persist(input.kind === 'peer'), send('x')]
    for (let count = 0; count < 5; count++) hello(w, `from-${count}`)
    w.network.peer('did', true)
    for (let count = 5; count < 10; count++) hello(w, `from-${count}`)
    await until(() => w.network.sent.length === 1)
    assert.equal(unpackMessages(w.network.sent[0]?.bytes as Uint8Array).length, 11)
    assert.equal(w.disk.syncs, 1)
    assert.equal(w.disk.records.length, 11)
    assert.deepEqual([w.driver.stats().appends, w.driver.stats().syncs], [1, 1])
  })

  it('does not sync when no record asks for it, and does not write when there is none', async () => {
    const w = world()
    await w.driver.start()
    w.machine.script = input => (input.kind === 'peer' ? [persist(false)] : [send('x')])
    w.network.peer('did', true)
    await until(() => w.machine.inputs.length === 1 && w.disk.records.length === 1)
    hello(w, 'a')
    await until(() => w.network.sent.length === 1)
    assert.deepEqual([w.disk.syncs, w.driver.stats().appends], [0, 1])
  })

  it('lets the appends of a leader leave during the fsync, and its other messages after it', async () => {
    const journal = heldJournal()
    const w = world({ journal })
    await w.driver.start()
    w.machine.script = input =>
      input.kind === 'peer' ? [persist(true), send('others'), append('follower')] : []
    w.network.peer('did', true)
    await until(() => journal.appends.length === 1)
    assert.deepEqual(
      w.network.sent.map(({ to }) => to),
      ['follower']
    )
    journal.appends[0]?.release()
    await until(() => w.network.sent.length === 2)
    assert.equal(w.network.sent[1]?.to, 'others')
  })

  it('keeps later batches behind an fsync that is under way', async () => {
    const journal = heldJournal()
    const w = world({ journal })
    await w.driver.start()
    w.machine.script = input =>
      input.kind === 'peer' ? [persist(true), send('first')] : [send('second')]
    w.network.peer('did', true)
    await until(() => journal.appends.length === 1)
    hello(w, 'a')
    for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
    assert.deepEqual(w.network.sent, [])
    journal.appends[0]?.release()
    await until(() => w.network.sent.length === 2)
    assert.deepEqual(
      w.network.sent.map(({ to }) => to),
      ['first', 'second']
    )
  })

  it('leaves nothing sent that a crash between write and send could contradict', async () => {
    const disk = new MemoryDisk()
    const w = world({ disk })
    await w.driver.start()
    w.machine.script = () => [persist(true, 'promise'), send('x')]
    // The crash comes in the very moment of sending: what is sent must already be on the disk.
    let onDiskWhenSent: string[] = []
    w.network.onOut = () => {
      disk.crash()
      onDiskWhenSent = disk.records.map(reasonOf)
    }
    w.network.peer('did', true)
    await until(() => w.network.sent.length === 1)
    assert.deepEqual(onDiskWhenSent, ['promise'])
    const again = world({ disk })
    await again.driver.start()
    assert.deepEqual(again.machine.restored, [
      { type: 'abandoned', thread: 't', reason: 'promise', nowMs: 1 }
    ])
  })

  it('persists what the machine says at start before it sends it', async () => {
    const w = world()
    w.machine.startEffects = [send('x'), persist(true)]
    w.network.onOut = () => assert.equal(w.disk.records.length, 1)
    await w.driver.start()
    assert.equal(w.network.sent.length, 1)
    assert.deepEqual(w.fatal, [])
  })
})

describe('runtime/driver: failure', () => {
  it('ends with the journal: nothing of the batch leaves, open commands are answered, the owner is told once', async () => {
    const w = world()
    await w.driver.start()
    w.machine.script = () => [persist(true), send('x')]
    w.disk.fail('ENOSPC')
    const result = await w.driver.command(COMMAND)
    assert.equal(codeOf(result), 'STOPPED')
    assert.deepEqual(
      w.fatal.map(error => (error as Error & { code: string }).code),
      ['JOURNAL_FAILED']
    )
    hello(w, 'a')
    assert.equal(codeOf(await w.driver.command(COMMAND)), 'STOPPED')
    assert.deepEqual([w.network.sent.length, w.machine.inputs.length, w.fatal.length], [0, 1, 1])
    assert.equal(w.clock.timers, 0)
    await w.driver.stop()
  })

  it('ends when the machine throws: not even the other inputs of its batch take effect', async () => {
    const w = world()
    await w.driver.start()
    w.machine.script = input => {
      if (input.kind === 'peer') throw new TypeError('a bug')
      return [persist(true), send('x')]
    }
    hello(w, 'a')
    w.network.peer('did', true)
    await until(() => w.fatal.length === 1)
    assert.deepEqual([w.network.sent.length, w.disk.records.length], [0, 0])
  })

  it('does not start on a record that it cannot read', async () => {
    const disk = new MemoryDisk()
    await memoryJournal(disk).append([Uint8Array.of(0xf6)], { sync: true })
    const w = world({ disk })
    await assert.rejects(w.driver.start(), { code: 'JOURNAL_RECORD' })
    await w.driver.stop()
  })

  it('isolates a listener that throws, and counts gossip that fails', async () => {
    const w = world()
    await w.driver.start()
    const heard: string[] = []
    w.driver.onEvent(() => {
      throw new Error('listener')
    })
    const off = w.driver.onEvent(event => heard.push(event.type))
    w.network.isGossipFailing = true
    w.machine.script = () => [
      { kind: 'observe', event: { type: 'warning', thread: null, message: '', atMs: 0 } },
      { kind: 'gossip', bytes: new Uint8Array([1]) }
    ]
    hello(w, 'a')
    await until(() => w.driver.stats().dropped['gossip-failed'] === 1)
    off()
    hello(w, 'a')
    await until(() => w.driver.stats().dropped['gossip-failed'] === 2)
    assert.deepEqual(heard, ['warning'])
    assert.deepEqual(w.fatal, [])
  })
})

describe('runtime/driver: queue', () => {
  it('drops messages first, then ignores gossip, then refuses commands', async () => {
    const journal = heldJournal()
    const w = world({ journal, signer: testSigner() })
    await w.driver.start()
    w.machine.script = () => [persist(true)]
    w.network.peer('did', true)
    await until(() => journal.appends.length === 1)
    for (let count = 0; count < MESSAGES_QUEUED_MAX + 5; count++) hello(w, `peer-${count % 8}`)
    assert.equal(w.driver.stats().queued, MESSAGES_QUEUED_MAX)
    assert.equal(w.driver.stats().dropped['message-queue-full'], 5)

    for (let count = MESSAGES_QUEUED_MAX; count < ENVELOPES_QUEUED_MAX; count++)
      w.network.peer('did', true)
    assert.equal(await w.network.door(envelopeOf(testSigner()).bytes, 'a'), 'ignore')

    const commands: Promise<Result<unknown>>[] = []
    for (let count = ENVELOPES_QUEUED_MAX; count < COMMANDS_QUEUED_MAX; count++)
      commands.push(w.driver.command(COMMAND))
    assert.equal(codeOf(await w.driver.command(COMMAND)), 'BUSY')
    w.machine.script = input =>
      input.kind === 'command' ? [{ kind: 'reply', id: input.id, result: ok(1) }] : []
    journal.appends[0]?.release()
    assert.ok(
      (await Promise.all(commands)).every(result => result.ok),
      'a full queue loses no command that it took'
    )
  })

  it('gives one tick at a time: often while busy, rarely otherwise, and none while one waits', async () => {
    const w = world({ tickMs: 50, idleTickMs: 1000 })
    await w.driver.start()
    w.clock.advance(999)
    assert.deepEqual(w.machine.inputs, [])
    w.clock.advance(1)
    await until(() => w.machine.inputs.length === 1)
    w.machine.busy = true
    hello(w, 'a')
    await until(() => w.machine.inputs.length === 2)
    // The idle tick that was armed is brought forward.
    w.clock.advance(50)
    await until(() => w.machine.inputs.length === 3)
    assert.deepEqual(w.machine.kinds(), ['tick', 'message', 'tick'])
    await until(() => w.clock.timers === 1)
    w.clock.advance(500)
    w.clock.advance(500)
    await until(() => w.machine.inputs.length === 4)
    await until(() => w.clock.timers === 1)
    assert.equal(w.machine.inputs.length, 4)
  })

  it('never has two ticks in the queue, however long the machine is behind', async () => {
    const journal = heldJournal()
    const w = world({ journal })
    await w.driver.start()
    w.machine.script = () => [persist(true)]
    hello(w, 'a')
    await until(() => journal.appends.length === 1)
    for (let count = 0; count < 600; count++) hello(w, 'a')
    for (let passed = 0; passed < 3; passed++) w.clock.advance(1000)
    assert.equal(w.driver.stats().queued, 601)
    journal.appends[0]?.release()
    await until(() => journal.appends.length === 2)
    assert.equal(w.machine.kinds().filter(kind => kind === 'tick').length, 1)
  })

  it('stamps each input with the time at which it is stepped', async () => {
    const w = world()
    await w.driver.start()
    hello(w, 'a')
    w.clock.advance(7)
    await until(() => w.machine.inputs.length === 1)
    assert.equal(w.machine.inputs[0]?.nowMs, w.clock.nowMs())
  })
})
