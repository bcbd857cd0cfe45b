// The base capsule on what nodes really ask: inputs built by the core from lifelike envelopes.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { opaPolicyEngine } from '../../../../src/adapters/opa/index.ts'
import { VERBS, type Verb } from '../../../../src/core/envelope/index.ts'
import {
  type CommitSubject,
  commitInput,
  type Message,
  messageInput
} from '../../../../src/core/policy/index.ts'
import { SAMPLE_PAYLOADS, SIGNERS, sampleDraft } from '../../../support/sample-drafts.ts'

const silent = { error() {}, warn() {}, info() {}, debug() {} }
const room = new URL('../../../../src/adapters/opa/', import.meta.url)
const directory = new URL('../../../../policies/base', import.meta.url).pathname
const sender = SIGNERS[0]?.did ?? ''

const subject: CommitSubject = {
  thread: 'thread',
  sender,
  epoch: 0,
  fence: [0, 1, 2],
  need: SAMPLE_PAYLOADS.NEED,
  requester: SIGNERS[1]?.did ?? '',
  ballot: SAMPLE_PAYLOADS.PROPOSE.ballot,
  standing: SAMPLE_PAYLOADS.PROPOSE.standing,
  committee: [{ did: SIGNERS[2]?.did ?? '', standing: null }],
  usage: { messages: 5, updates: 0, claims: 1, yields: 0, logMs: 900 },
  commit: {
    ...SAMPLE_PAYLOADS.COMMIT,
    telemetry: { ...SAMPLE_PAYLOADS.COMMIT.telemetry, exitStatus: 0 }
  }
}

/** The sample manifest stakes the largest amount that the schema takes, which no policy should allow. */
function lifelike(verb: Verb): Message {
  const draft = sampleDraft(verb)
  const payload = draft.verb === 'MANIFEST' ? { ...draft.payload, stake: 1000n } : draft.payload
  return { ...draft, payload, sender, lamport: 7 } as Message
}

describe('adapters/opa/base capsule', () => {
  const engine = opaPolicyEngine({
    workerUrl: new URL('worker.ts', room),
    directories: [directory],
    timeoutMs: 5000,
    logger: silent
  })
  const ask = (input: Parameters<typeof engine.evaluate>[1]) =>
    engine.evaluate(engine.baseCapsule, input)

  before(() => engine.start())
  after(() => engine.stop())

  for (const verb of VERBS) {
    it(`allows a lifelike ${verb}`, async () => {
      const { gas, ...decision } = await ask(messageInput(lifelike(verb)))
      assert.deepEqual(decision, { allow: true, reasons: [] })
      assert.ok(gas > 10_000 && gas < 5_000_000, `${gas} gas`)
    })
  }

  it('allows a result within its ballot and names what is beyond', async () => {
    const { telemetry } = subject.commit
    assert.deepEqual((await ask(commitInput(subject))).reasons, [])
    const dear = {
      ...subject.commit,
      outputs: [],
      telemetry: { ...telemetry, cost: subject.ballot.cost + 1n, exitStatus: 1 }
    }
    assert.deepEqual((await ask(commitInput({ ...subject, commit: dear }))).reasons, [
      `cost-above-ballot: "${subject.ballot.cost + 1n}"`,
      'exit-status: 1',
      'outputs: 0 items'
    ])
  })

  it('does not hold the process alive when nothing is asked', () => {
    const source = `
      import { opaPolicyEngine } from ${JSON.stringify(new URL('index.ts', room).href)}
      const silent = { error() {}, warn() {}, info() {}, debug() {} }
      const engine = opaPolicyEngine({ workerUrl: new URL(${JSON.stringify(new URL('worker.ts', room).href)}),
        directories: [${JSON.stringify(directory)}], timeoutMs: 5000, logger: silent })
      await engine.start()
      const { allow } = await engine.evaluate(engine.baseCapsule, { gate: 'other' })
      process.stdout.write(String(allow))`
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', source], {
      timeout: 8000,
      encoding: 'utf8'
    })
    assert.deepEqual([child.status, child.stdout], [0, 'false'], child.stderr)
  })
})
