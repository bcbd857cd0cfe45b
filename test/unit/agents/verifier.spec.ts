// Goal: a verifier judges what it may judge and stays silent about the rest. Method: views for the step, a scripted node for the loop.
import assert from 'node:assert/strict'
import { type Program, runVerifier, type VerifierInit } from '../../../src/agents/index.ts'
import { verifierStep } from '../../../src/agents/verifier-step.ts'
import type { ThreadView } from '../../../src/core/swarm/index.ts'
import {
  CAPABILITY,
  committedBy,
  EventLog,
  hangingProgram,
  ME,
  OTHER,
  openThread,
  THIRD,
  upperProgram
} from '../../support/agent-harness.ts'
import { FakeSwarm } from '../../support/fake-swarm.ts'

const proposal = { id: 'p', worker: OTHER, cost: '5', etaMs: 1, attestations: [], logged: true }
const mine = { verifier: ME, sealed: true, pass: null, reasons: [], dispute: false }
const challenge = { id: 'c', challenger: OTHER, type: 'output_mismatch', note: '' }
const kind = (view: ThreadView): string => verifierStep(view, ME).kind

describe('agents/verifier-step', () => {
  it('attests proposals that are in the log, sound, and not its own', () => {
    const plans = (given: object): string =>
      kind(openThread({ proposals: [{ ...proposal, ...given }], requester: THIRD }))
    assert.equal(plans({}), 'attest-plans')
    assert.equal(plans({ logged: false }), 'wait')
    assert.equal(plans({ worker: ME }), 'wait')
    assert.equal(plans({ attestations: [ME] }), 'wait')
    assert.equal(plans({ cost: '101' }), 'wait')
    assert.equal(kind(openThread({ proposals: [proposal], requester: ME })), 'wait')
    const alone = { ...proposal, worker: ME }
    assert.equal(
      kind(openThread({ proposals: [alone], requester: ME, solo: true })),
      'attest-plans'
    )
  })

  it('neither attests nor judges in a void thread', () => {
    const voided = { void: { evidence: 'e', epoch: 0, reason: 'two FORMs' }, requester: THIRD }
    assert.equal(kind(openThread({ proposals: [proposal], ...voided })), 'wait')
    assert.equal(kind(committedBy(OTHER, ['o'], voided)), 'wait')
  })

  it('judges the COMMIT of another, once', () => {
    assert.equal(kind(committedBy(OTHER, ['o'], { requester: THIRD })), 'judge')
    assert.equal(kind(committedBy(ME, ['o'])), 'wait')
    assert.equal(kind(committedBy(ME, ['o'], { requester: ME, solo: true })), 'judge')
    assert.equal(kind(committedBy(OTHER, ['o'], { requester: ME })), 'wait')
    assert.equal(kind(committedBy(OTHER, ['o'], { verdicts: [mine] })), 'wait')
  })

  it('settles a dispute only when it was not in the first round and did not start it', () => {
    const disputed = (given: Partial<ThreadView>): string =>
      kind(
        committedBy(OTHER, ['o'], {
          requester: THIRD,
          phase: 'VERIFIED',
          challenges: [{ ...challenge, status: 'open' }],
          ...given
        })
      )
    assert.equal(disputed({}), 'judge')
    assert.equal(disputed({ verdicts: [mine] }), 'wait')
    assert.equal(disputed({ verdicts: [{ ...mine, dispute: true }] }), 'wait')
    assert.equal(
      disputed({ challenges: [{ ...challenge, challenger: ME, status: 'open' }] }),
      'wait'
    )
    assert.equal(disputed({ challenges: [{ ...challenge, status: 'dismissed' }] }), 'wait')
    assert.equal(disputed({ challenges: [] }), 'wait')
  })
})

describe('agents/verifier', () => {
  let node: FakeSwarm
  let log: EventLog
  let stop: AbortController
  let running: Promise<void>

  const start = (program: Program, init: Partial<VerifierInit> = {}): void => {
    running = runVerifier(node, {
      capability: CAPABILITY,
      program,
      signal: stop.signal,
      onEvent: log.add,
      ...init
    })
    running.catch(() => undefined)
  }
  const committed = (output: string, given: Partial<ThreadView> = {}): ThreadView =>
    committedBy(OTHER, [node.put(Buffer.from(output))], {
      requester: THIRD,
      inputs: [node.put(Buffer.from('hello'))],
      ...given
    })

  beforeEach(() => {
    node = new FakeSwarm()
    log = new EventLog()
    stop = new AbortController()
  })
  afterEach(async () => {
    stop.abort()
    await running.catch(() => undefined)
  })

  it('attests plans and passes an equal result', async () => {
    start(upperProgram())
    await node.called('agent.announce')
    node.show(openThread({ proposals: [proposal], requester: THIRD }))
    await node.called('agent.attestPlan')
    node.show(committed('HELLO'))
    await node.called('agent.verdict')
    assert.equal(node.paramsOf('agent.verdict').pass, true)
    assert.equal(node.paramsOf('agent.verdict').commit, 'bafycommit')
  })

  it('fails another result and says where it differs', async () => {
    start(upperProgram())
    node.show(committed('HELLo'))
    await node.called('agent.verdict')
    const { pass, reasons } = node.paramsOf('agent.verdict')
    assert.equal(pass, false)
    assert.match(reasons[0] ?? '', /output_mismatch.*byte 4/u)
  })

  it('fails a result that nobody delivers', async () => {
    start(upperProgram())
    node.show({
      ...committed('HELLO'),
      commit: { ...committed('').commit, outputs: ['bafkreino'] } as never
    })
    await node.called('agent.verdict')
    assert.equal(node.paramsOf('agent.verdict').pass, false)
    assert.match(node.paramsOf('agent.verdict').reasons[0] ?? '', /missing artifact/u)
  })

  it('abstains when the input is missing, which is not the fault of the worker', async () => {
    start(upperProgram())
    node.show(committed('HELLO', { inputs: ['bafkreino'] }))
    assert.match((await log.next('abstained')).reason, /missing artifact/u)
    assert.equal(node.count('agent.verdict'), 0)
  })

  it('abstains when its own program fails or hangs', async () => {
    start({ name: 'bad', run: () => Promise.reject(new Error('no such model')) })
    node.show(committed('HELLO', { thread: 'one' }))
    assert.match((await log.next('abstained')).reason, /no such model/u)
    stop.abort()
    await running
    stop = new AbortController()
    start(hangingProgram({ deaf: true }), { timeoutMs: 30 })
    assert.match((await log.next('abstained', 2)).reason, /within 30 ms/u)
    assert.equal(node.count('agent.verdict'), 0)
  })

  it('judges an open task only with a compare function of its own', async () => {
    start(upperProgram())
    node.show(committed('other words', { taskClass: 'open' }))
    await log.next('abstained')
    stop.abort()
    await running
    stop = new AbortController()
    start(upperProgram(), { compare: () => ({ pass: true, reasons: ['close enough'] }) })
    await node.called('agent.verdict')
    assert.deepEqual(node.paramsOf('agent.verdict').reasons, ['close enough'])
  })

  it('judges anew after a restart, and says a refused verdict again', async () => {
    node.refuse('agent.verdict', 'RATE_LIMITED')
    node.show(committed('HELLO'))
    start(upperProgram())
    await log.next('judged')
    assert.equal(node.count('agent.verdict'), 2)
  })

  it('judges once per COMMIT however often the thread changes', async () => {
    const program = upperProgram()
    start(program)
    node.show(committed('HELLO'))
    await log.next('judged')
    const looks = node.count('thread.get')
    node.show(committed('HELLO'))
    await node.called('thread.get', looks + 1)
    assert.equal(program.runs, 1)
  })
})
