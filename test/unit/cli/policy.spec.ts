// Goal: whoever writes or meets a policy can make, test, ask and explain it. Method: the program in this process, a fake compiler, a fake node.
import assert from 'node:assert/strict'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  basePath,
  type CapsuleDag,
  encodeCapsuleFile,
  shippedCapsule
} from '../../../src/policy/index.ts'
import type { CapsuleSummary } from '../../../src/rpc/index.ts'
import { CID_B, fakeThread } from '../../support/fake-handlers.ts'
import { fakeNode } from '../../support/fake-node.ts'
import { fakeOpa } from '../../support/fake-opa.ts'
import { lyingCapsule } from '../../support/sample-capsules.ts'

describe('cli/policy', () => {
  const node = fakeNode()
  let base: CapsuleDag
  before(async () => {
    base = await shippedCapsule()
  })
  const policy = (argv: readonly string[], init = {}) => node.run(['policy', ...argv], init)
  const file = (name: string, content: Uint8Array | string): string => {
    writeFileSync(join(node.home, name), content)
    return name
  }
  const question = (name: string): string => {
    const { input } = base.capsule.vectors.find(one => one.name === name) ?? assert.fail(name)
    return file('question.json', JSON.stringify(input))
  }
  const OVER = 'a budget of one too many, compared without rounding'

  it('builds a folder into a file that tests, shows and answers without a node', async () => {
    const env = fakeOpa(node.home, { wasm: base.capsule.wasm })
    cpSync(basePath(), join(node.home, 'mine'), { recursive: true })
    const built = await policy(['build', 'mine', '-o', 'mine.car'], { env })
    assert.deepEqual([built.code, built.stdout], [0, `${base.capsule.cid}\n`], built.stderr)
    const tested = await policy(['test', 'mine.car', '--json'])
    const report = JSON.parse(tested.stdout)
    assert.deepEqual([tested.code, report.ok, report.rego], [0, true, null])
    const folder = await policy(['test', 'mine'], { env })
    assert.match(folder.stdout, /^PASS: 3\/3\nok {2}a need within all bounds\n/u)
    const shown = await policy(['show', 'mine.car'])
    assert.match(shown.stdout, /^entrypoint +base\/decision\n/mu)
    assert.match(shown.stdout, /^base\/commit\.rego\npackage base\n/mu)
  })

  it('asks: status 0 for an allow, 4 for a deny', async () => {
    const allowed = await policy(['eval', 'base', '--input', question('a bid')])
    assert.equal(allowed.code, 0)
    assert.match(allowed.stdout, /^allowed\ngas +\d+\ncapsule +bafy.*\ndigest +[0-9a-f]{64}\n$/u)
    const denied = await policy(['eval', 'base', '--input', question(OVER), '--json'])
    assert.equal(denied.code, 4)
    const { decision } = JSON.parse(denied.stdout)
    assert.deepEqual(decision.reasons, ['need-budget: "1000000000000001"'])
    const other = await policy(['eval', 'base', '--input', question('a bid'), '--gate', 'commit'])
    assert.equal(other.code, 2)
    assert.match(other.stderr, /is of the gate "message": leave out --gate.*\[USAGE\]/u)
  })

  it('explains which rule denied, which value it saw, and where it stands', async () => {
    const { code, stdout } = await policy(['explain', 'base', '--input', question(OVER)])
    assert.equal(code, 0)
    assert.match(
      stdout,
      /^denied\n {2}need-budget saw "1000000000000001" {2}\(base\/message\.rego:\d+\)\n$/u
    )
    const stdin = '{"payload":{}}'
    const other = await policy(['explain', 'base', '--input', '-', '--gate', 'commit'], { stdin })
    assert.match(other.stdout, /^ {2}exit-status saw null/mu)
  })

  it('explains an envelope of a thread by the capsules that were asked', async () => {
    const { cid } = base.capsule
    const { input, decision } = base.capsule.vectors.find(one => one.name === OVER) ?? assert.fail()
    const seen = { verb: 'NEED', sender: '', lamport: 1, seenAt: 0 }
    await node.serve({
      'thread.get': async () => fakeThread({ envelopes: [{ id: CID_B, ...seen }] }),
      'policy.explain': async ({ envelope }) => ({
        asked: [
          { gate: 'message', capsule: cid, input, decision, digest: envelope, matches: false }
        ]
      }),
      'policy.get': async () => ({
        origin: 'shipped',
        base64: Buffer.from(encodeCapsuleFile(base)).toString('base64')
      })
    })
    const { code, stdout, stderr } = await policy(['explain', `${CID_B}/${CID_B.slice(-6)}`])
    assert.equal(code, 0, stderr)
    assert.match(stdout, /^message gate, capsule bafy/u)
    assert.match(stdout, /need-budget saw "1000000000000001"/u)
    assert.match(stdout, /its sender signed another evaluation/u)
  })

  it('lists and adds what a node keeps', async () => {
    const summary: CapsuleSummary = {
      cid: CID_B,
      name: 'strict',
      origin: 'added',
      ready: true,
      entrypoint: 'strict/decision',
      opa: 'v1.22.0',
      limits: { gas: 1000, stack: 10 },
      vectors: 2,
      sources: 1
    }
    await node.serve({
      'policy.list': async () => [summary],
      'policy.add': async ({ path }) => ({ ...summary, name: path })
    })
    assert.match(
      (await policy(['ls'])).stdout,
      /CID +NAME +ORIGIN.*\nbafy.* strict +added +strict\/decision +1000 +2\n/u
    )
    assert.equal((await policy(['ls', '-q'])).stdout, `${CID_B}\n`)
    const added = await policy(['add', file('s.car', 'x'), '--json'])
    assert.equal(JSON.parse(added.stdout).name, join(node.home, 's.car'))
    const cut = await policy(['show', CID_B.slice(0, -3)])
    assert.deepEqual([cut.code, cut.stderr.includes('is all of it there? [USAGE]')], [2, true])
  })

  it('runs the vectors of a compiled folder without opa, and says what it could not run', async () => {
    cpSync(basePath(), join(node.home, 'compiled'), { recursive: true })
    const env = { PATH: '/nonexistent' }
    const tested = await policy(['test', 'compiled'], { env })
    assert.equal(tested.code, 0, tested.stderr)
    assert.match(tested.stdout, /^ok {2}a need within all bounds\n/u)
    assert.match(tested.stderr, /unit tests were not run: opa is not on the PATH.*go install/u)
    const json = JSON.parse((await policy(['test', 'compiled', '--json'], { env })).stdout)
    assert.deepEqual([json.ok, json.rego], [true, null])
    assert.match(json.untested, /opa is not on the PATH/u)
    writeFileSync(join(node.home, 'compiled', 'commit.rego'), 'package base\n')
    const changed = await policy(['test', 'compiled'], { env })
    assert.match(
      changed.stderr,
      /its source base\/commit\.rego are not those.*\[CAPSULE_REFUSED\]/u
    )
  })

  it('reports each vector of a folder, and its unit tests, where one fails', async () => {
    const path = join(node.home, 'failing')
    cpSync(basePath(), path, { recursive: true })
    const [vector] = JSON.parse(readFileSync(join(path, 'vectors.json'), 'utf8'))
    const hope = { ...vector, name: 'a hope', decision: { allow: false, reasons: ['x: 1'] } }
    writeFileSync(join(path, 'vectors.json'), JSON.stringify([vector, hope]))
    const env = fakeOpa(node.home, { wasm: base.capsule.wasm })
    const { code, stdout, stderr } = await policy(['test', 'failing'], { env })
    assert.equal(code, 1, stderr)
    assert.match(stdout, /^PASS: 3\/3\nok {2}a need.*\nFAILED {2}a hope\n {4}expected .*x: 1/u)
    assert.match(stderr, /1 of 2 vectors pass/u)
    const built = await policy(['build', 'failing'], { env })
    assert.match(built.stderr, /\[VECTOR_FAILED\]/u)
  })

  it('lists what ships with the program where no node runs', async () => {
    const { code, stdout, stderr } = await policy(['ls', '-q'], {})
    assert.deepEqual([code, stdout], [0, `${base.capsule.cid}\n`], stderr)
  })

  it('says what is wrong with what it is given', async () => {
    const lying = file('lying.car', encodeCapsuleFile(await lyingCapsule()))
    const input = question('a bid')
    const wrong: [string[], number, string][] = [
      [['show', 'nothing'], 3, 'INPUT_NOT_FOUND'],
      [['build', 'nothing'], 3, 'INPUT_NOT_FOUND'],
      [['build', '.'], 2, 'POLICY_SOURCE'],
      [['show', file('x.car', 'x')], 1, 'CAPSULE_FILE'],
      [['eval', 'base'], 2, 'USAGE'],
      [['eval', 'base', '--input', file('x.json', '[1]')], 2, 'POLICY_INPUT'],
      [['eval', lying, '--input', input], 4, 'CAPSULE_REFUSED'],
      [['show', CID_B], 69, 'NODE_NOT_RUNNING']
    ]
    for (const [argv, code, name] of wrong) {
      const result = await policy(argv)
      assert.equal(result.code, code, `${argv.join(' ')}: ${result.stderr}`)
      assert.ok(result.stderr.includes(`[${name}]`), result.stderr)
    }
    const failed = await policy(['test', lying])
    assert.equal(failed.code, 1)
    assert.match(failed.stdout, /^FAILED {2}a lie\n {4}expected .*\n {4}decided .*"allow":true/u)
  })
})
