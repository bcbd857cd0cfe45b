// Goal: a worker does what the thread asks for, once, whatever the node and the program do. Method: a scripted node.
import assert from 'node:assert/strict'
import { type Program, runWorker, type WorkerInit } from '../../../src/agents/index.ts'
import type { SwarmClient } from '../../../src/rpc/index.ts'
import {
  CAPABILITY,
  decidedFor,
  EventLog,
  hangingProgram,
  leasedTo,
  ME,
  openThread,
  upperProgram
} from '../../support/agent-harness.ts'
import { FakeSwarm } from '../../support/fake-swarm.ts'

describe('agents/worker', () => {
  let node: FakeSwarm
  let log: EventLog
  let stop: AbortController
  let running: Promise<void>

  const start = (program: Program, init: Partial<WorkerInit> = {}): void => {
    running = runWorker(node as SwarmClient, {
      capability: CAPABILITY,
      program,
      signal: stop.signal,
      onEvent: log.add,
      ...init
    })
    running.catch(() => undefined)
  }
  const input = (): string => node.put(Buffer.from('hello'))

  beforeEach(() => {
    node = new FakeSwarm()
    log = new EventLog()
    stop = new AbortController()
  })
  afterEach(async () => {
    stop.abort()
    await running.catch(() => undefined)
  })

  it('announces itself and goes through the life of a task', async () => {
    const inputs = [input()]
    const program = upperProgram()
    start(program, { price: '7' })
    await node.called('agent.announce')
    assert.deepEqual(node.paramsOf('agent.announce'), {
      capabilities: [CAPABILITY],
      roles: ['worker']
    })
    node.show(openThread({ inputs }))
    await node.called('agent.propose')
    assert.equal(node.paramsOf('agent.propose').cost, '7')
    node.show(decidedFor(ME, { inputs }))
    await node.called('agent.claim')
    node.show(leasedTo(ME, { inputs }))
    await node.called('agent.commit')
    const { outputs, telemetry } = node.paramsOf('agent.commit')
    assert.deepEqual(node.artifacts.get(outputs[0] ?? ''), Buffer.from('HELLO'))
    assert.equal(telemetry.tool, 'upper')
    assert.equal(telemetry.cost, '7')
    assert.equal(telemetry.exitStatus, 0)
    node.show(decidedFor(ME, { phase: 'COMMITTED' }))
    node.show(decidedFor(ME, { phase: 'FINAL' }))
    await log.next('ended')
    assert.equal(program.runs, 1)
  })

  it('tells the end of a thread once, however many events tell of it', async () => {
    const final = decidedFor(ME, { phase: 'FINAL' })
    node.show(openThread())
    start(upperProgram())
    await log.next('proposed')
    node.show(final)
    await log.next('ended')
    const looks = node.count('thread.get')
    node.emit({ type: 'ended', thread: final.thread, phase: 'FINAL', atMs: 0 })
    await node.called('thread.get', looks + 1)
    node.show(final)
    await node.called('thread.get', looks + 2)
    node.show(openThread({ thread: 'second' }))
    await log.next('proposed', 2)
    assert.equal(log.of('ended').length, 1)
  })

  it('ignores threads that want something else', async () => {
    node.show(openThread({ requires: ['text/lower'] }))
    start(upperProgram())
    await node.called('thread.get')
    node.show(openThread({ thread: 'second' }))
    await node.called('agent.propose')
    assert.equal(node.paramsOf('agent.propose').thread, 'second')
    assert.equal(node.count('agent.propose'), 1)
  })

  it('takes up a thread in any phase after a restart', async () => {
    const inputs = [input()]
    node.show(openThread({ thread: 'bidding', inputs }))
    node.show(decidedFor(ME, { thread: 'decided', inputs }))
    node.show(leasedTo(ME, { thread: 'leased', inputs }))
    node.show(decidedFor(ME, { thread: 'done', phase: 'FINAL' }))
    start(upperProgram())
    await Promise.all([
      node.called('agent.propose'),
      node.called('agent.claim'),
      node.called('agent.commit')
    ])
    assert.equal(node.paramsOf('agent.propose').thread, 'bidding')
    assert.equal(node.paramsOf('agent.claim').thread, 'decided')
    assert.equal(node.paramsOf('agent.commit').thread, 'leased')
  })

  it('runs once for a lease however often the thread changes, and again for the next lease', async () => {
    const program = upperProgram()
    const inputs = [input()]
    start(program)
    node.show(leasedTo(ME, { inputs }))
    await node.called('agent.commit')
    const looks = node.count('thread.get')
    node.show(leasedTo(ME, { inputs }))
    await node.called('thread.get', looks + 1)
    assert.equal(program.runs, 1)
    node.show(leasedTo(ME, { inputs, index: 9 }))
    await node.called('agent.commit', 2)
    assert.equal(program.runs, 2)
  })

  it('keeps its lease alive with the progress of the program', async () => {
    const program: Program = {
      name: 'slow',
      run: (_, { progress, signal }) => {
        progress(42)
        return new Promise((_resolve, reject) => signal.addEventListener('abort', reject))
      }
    }
    start(program)
    const view = leasedTo(ME, { inputs: [input()] })
    node.show({ ...view, windows: { ...view.windows, leaseTtlMs: 60 } })
    await node.called('agent.heartbeat', 2)
    assert.equal(node.paramsOf('agent.heartbeat').progress, 42)
  })

  it('stops the program when the lease is gone', async () => {
    const program = hangingProgram()
    start(program)
    const view = leasedTo(ME, { inputs: [input()] })
    node.on('agent.heartbeat', () => {
      node.refuse('agent.heartbeat', 'NO_LEASE')
      return {}
    })
    node.show({ ...view, windows: { ...view.windows, leaseTtlMs: 30 } })
    await program.aborted
    await log.next('lease-lost')
    assert.equal(node.count('agent.yield'), 0)
  })

  it('stops the program when the thread moves on without it', async () => {
    const program = hangingProgram()
    start(program)
    node.show(leasedTo(ME, { inputs: [input()] }))
    await program.started
    node.show(decidedFor(ME, { phase: 'EXPIRED' }))
    await program.aborted
    assert.equal(node.count('agent.commit'), 0)
  })

  it('gives the task back when the program fails, and says why', async () => {
    const program: Program = { name: 'bad', run: () => Promise.reject(new Error('no such model')) }
    start(program)
    node.show(leasedTo(ME, { inputs: [input()] }))
    await log.next('yielded')
    assert.match(node.paramsOf('agent.yield').reason, /no such model/u)
    assert.equal(log.of('failed')[0]?.error.name, 'ProgramFailedError')
    assert.equal(node.count('agent.commit'), 0)
  })

  it('gives the task back when the program prints nothing', async () => {
    const program: Program = {
      name: 'mute',
      run: () => Promise.resolve({ output: new Uint8Array() })
    }
    start(program)
    node.show(leasedTo(ME, { inputs: [input()] }))
    await log.next('yielded')
    assert.match(node.paramsOf('agent.yield').reason, /printed nothing/u)
  })

  it('gives the task back when the program hangs, even one that does not listen', async () => {
    const program = hangingProgram({ deaf: true })
    start(program, { timeoutMs: 30 })
    node.show(leasedTo(ME, { inputs: [input()] }))
    await log.next('yielded')
    assert.match(node.paramsOf('agent.yield').reason, /within 30 ms/u)
  })

  it('gives the task back when nobody has the input', async () => {
    start(upperProgram())
    node.show(leasedTo(ME, { inputs: ['bafkreimissing'] }))
    await log.next('yielded')
    assert.match(node.paramsOf('agent.yield').reason, /missing artifact/u)
  })

  it('tries a refused call again', async () => {
    node.refuse('agent.propose', 'RATE_LIMITED')
    start(upperProgram())
    node.show(openThread())
    await node.called('agent.propose', 2)
    assert.equal(log.of('refused')[0]?.code, 'RATE_LIMITED')
  })

  it('commits again when the node refuses, without running again', async () => {
    const program = upperProgram()
    node.refuse('agent.commit', 'RATE_LIMITED')
    start(program)
    node.show(leasedTo(ME, { inputs: [input()] }))
    await log.next('committed')
    assert.equal(node.count('agent.commit'), 2)
    assert.equal(program.runs, 1)
  })

  it('works on no more tasks at once than it is told to', async () => {
    const program = hangingProgram()
    const inputs = [input()]
    start(program, { concurrency: 1 })
    node.show(leasedTo(ME, { thread: 'first', inputs }))
    await program.started
    const looks = node.count('thread.get')
    node.show(decidedFor(ME, { thread: 'second', inputs }))
    await node.called('thread.get', looks + 1)
    assert.equal(node.count('agent.claim'), 0)
    node.show(decidedFor(ME, { thread: 'first', phase: 'EXPIRED' }))
    await node.called('agent.claim')
    assert.equal(node.paramsOf('agent.claim').thread, 'second')
  })

  it('ends with an error when the node goes away, and quietly when it is stopped', async () => {
    start(upperProgram())
    await node.called('agent.announce')
    node.lose()
    await assert.rejects(running, { code: 'CONNECTION_LOST' })
    node = new FakeSwarm()
    start(upperProgram())
    await node.called('agent.announce')
    stop.abort()
    await running
  })
})
