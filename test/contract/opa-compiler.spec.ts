// The real compiler, where it is installed: the committed capsule is what its sources compile to, and only builtins of the wasm are taken.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  basePath,
  buildCapsule,
  type CapsuleDag,
  CompilerUnavailableError,
  explainDecision,
  openDag,
  shippedCapsule
} from '../../src/policy/index.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const STRICT = `package strict

decision := {"allow": count(deny) == 0, "reasons": sort(deny)}

deny contains concat(": ", ["tool", json.marshal(tool)]) if {
	tool := object.get(input, ["commit", "telemetry", "tool"], null)
	tool != "tr"
}
`
const question = (tool: string) => ({ gate: 'commit' as const, commit: { telemetry: { tool } } })

describe('contract/opa compiler', () => {
  const folder = temporaryFolder()
  const { env } = process

  before(async function () {
    try {
      await buildCapsule(basePath(), { env })
    } catch (error) {
      if (!(error instanceof CompilerUnavailableError)) throw error
      process.stdout.write(`    skipped: ${error.message}\n`)
      this.skip()
    }
  })

  function folderOf(name: string, rego: string): string {
    const path = join(folder.path, name)
    mkdirSync(path)
    writeFileSync(join(path, 'policy.json'), '{"name":"strict"}')
    writeFileSync(join(path, 'decision.rego'), rego)
    const vector = (tool: string, reasons: string[]) => ({
      name: tool,
      input: question(tool),
      decision: { allow: reasons.length === 0, reasons }
    })
    const vectors = [vector('tr', []), vector('cat', ['tool: "cat"'])]
    writeFileSync(join(path, 'vectors.json'), JSON.stringify(vectors))
    return path
  }
  const build = async (name: string, rego: string): Promise<CapsuleDag> =>
    (await buildCapsule(folderOf(name, rego), { env })).dag

  it('compiles the base policy to the capsule that is committed, and its Rego tests pass', async () => {
    const { dag, tests } = await buildCapsule(basePath(), { env, test: true })
    assert.equal(tests?.ok, true, tests?.output)
    assert.match(tests?.output ?? '', /PASS/u)
    assert.equal(dag.capsule.cid, (await shippedCapsule()).capsule.cid)
    assert.deepEqual(Buffer.from(dag.capsule.wasm), readFileSync(join(basePath(), 'capsule.wasm')))
  }).timeout(60_000)

  it('compiles equal sources in other folders to equal capsules, other sources to others', async () => {
    const [one, two, other] = [
      await build('one', STRICT),
      await build('two', STRICT),
      await build('other', `${STRICT}\n# changed\n`)
    ]
    assert.equal(one.capsule.cid, two.capsule.cid)
    assert.notEqual(one.capsule.cid, other.capsule.cid)
    const { decision } = openDag(one)(question('cat'))
    assert.deepEqual(explainDecision(decision, one, 'commit'), [
      { rule: 'tool', saw: '"cat"', where: 'strict/decision.rego:5' }
    ])
  }).timeout(60_000)

  for (const call of ['http.send({})', 'time.now_ns()', 'sprintf("%v", [1])'])
    it(`refuses the host's ${call}`, async () => {
      const rego = `package strict\ndecision := {"allow": true, "reasons": []} if ${call}\n`
      const name = call.replaceAll(/\W/gu, '')
      await assert.rejects(build(name, rego), error => {
        assert.match(String(error), /undefined function/u)
        return (error as { code?: string }).code === 'COMPILER_FAILED'
      })
    }).timeout(60_000)

  it('denies by an answer that is no boolean', async () => {
    const rego = 'package strict\ndecision := {"allow": upper(input.gate), "reasons": []}\n'
    await assert.rejects(build('text', rego), error => {
      assert.match(String(error), /"allow":false,"reasons":\["engine: the answer is malformed"\]/u)
      return (error as { code?: string }).code === 'VECTOR_FAILED'
    })
  }).timeout(60_000)
})
