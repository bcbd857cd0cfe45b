// A folder becomes a capsule, the same one everywhere. The compiler is a fake; test/contract/opa-compiler asks the real one.
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  basePath,
  buildCapsule,
  type CapsuleDag,
  encodeCapsuleFile,
  openDag,
  shippedCapsule
} from '../../../src/policy/index.ts'
import { fakeOpa } from '../../support/fake-opa.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

describe('policy/build', () => {
  const folder = temporaryFolder()
  let base: CapsuleDag
  let env: { readonly PATH: string }
  before(async () => {
    base = await shippedCapsule()
  })
  beforeEach(() => {
    env = fakeOpa(folder.path, { wasm: base.capsule.wasm })
  })
  /** A copy of the base policy's folder. */
  const copy = (name = 'any'): string => {
    const path = join(folder.path, name)
    rmSync(path, { recursive: true, force: true })
    cpSync(basePath(), path, { recursive: true })
    return path
  }
  const vectors = (path: string, given: unknown): void =>
    writeFileSync(join(path, 'vectors.json'), JSON.stringify(given))

  it('gives the same capsule wherever the folder lies, and whenever', async () => {
    const { dag, tests } = await buildCapsule(copy('one'), { env })
    assert.equal(tests, null)
    assert.equal(dag.capsule.cid, base.capsule.cid)
    const again = await buildCapsule(copy('two'), { env, test: true })
    assert.deepEqual(encodeCapsuleFile(again.dag), encodeCapsuleFile(base))
    assert.deepEqual(again.tests, { ok: true, output: 'PASS: 3/3\n' })
  })

  it('says how to install a compiler when there is none, or another', async () => {
    const install = /go install github\.com\/open-policy-agent\/opa@v1\.22\.0/u
    const rejects = async (given: { PATH: string }): Promise<void> =>
      assert.rejects(buildCapsule(copy(), { env: given }), error => {
        assert.match(String(error), install)
        return (error as { code?: string }).code === 'COMPILER_UNAVAILABLE'
      })
    await rejects({ PATH: join(folder.path, 'empty') })
    await rejects(fakeOpa(folder.path, { wasm: new Uint8Array(), version: '1.21.0' }))
  })

  it('passes on what the compiler objects to, and takes no bundle without a policy', async () => {
    const failed = { code: 'COMPILER_FAILED' }
    const objects = fakeOpa(folder.path, { wasm: null })
    await assert.rejects(buildCapsule(copy(), { env: objects }), /x\.rego:1: rego_parse_error/u)
    for (const bundle of [new Uint8Array(), Uint8Array.of(1, 2, 3)]) {
      const odd = fakeOpa(folder.path, { wasm: base.capsule.wasm, bundle })
      await assert.rejects(buildCapsule(copy(), { env: odd }), failed)
    }
  })

  it('refuses what is compiled and is no policy', async () => {
    const odd = fakeOpa(folder.path, { wasm: Uint8Array.of(0, 97, 115, 109) })
    await assert.rejects(buildCapsule(copy(), { env: odd }), { code: 'CAPSULE_REFUSED' })
  })

  it('names the vectors that are decided another way or cost something else', async () => {
    const path = copy()
    const [first] = base.capsule.vectors
    const { input } = first ?? assert.fail()
    vectors(path, [{ name: 'a hope', input, decision: { allow: false, reasons: ['x'] } }])
    await assert.rejects(buildCapsule(path, { env }), error => {
      assert.match(String(error), /"a hope" is decided .*"allow":true/u)
      return (error as { code?: string }).code === 'VECTOR_FAILED'
    })
    vectors(path, [{ name: 'cheap', input, decision: { allow: true, reasons: [], gas: 1 } }])
    await assert.rejects(buildCapsule(path, { env }), /"cheap" costs \d+ gas, not 1/u)
    const kept = await buildCapsule(path, { env, keepFailing: true })
    assert.equal(kept.dag.capsule.vectors[0]?.decision.gas, 1)
    assert.throws(() => openDag(kept.dag), { code: 'CAPSULE_REFUSED' })
    const { dag } = await buildCapsule(path, { env, reweigh: true })
    assert.equal(dag.capsule.vectors[0]?.decision.gas, first?.decision.gas)
  })

  const flaws: Record<string, (path: string) => void> = {
    'has no manifest': path => rmSync(join(path, 'policy.json')),
    'has a manifest that is not JSON': path => writeFileSync(join(path, 'policy.json'), '{'),
    'has a manifest with an unknown field': path =>
      writeFileSync(join(path, 'policy.json'), '{"name":"base","colour":"red"}'),
    'wants more gas than there is': path =>
      writeFileSync(join(path, 'policy.json'), '{"name":"base","limits":{"gas":1e9,"stack":1}}'),
    'has a name that is a path': path =>
      writeFileSync(join(path, 'policy.json'), '{"name":"../base"}'),
    'has no vectors': path => rmSync(join(path, 'vectors.json')),
    'has an empty list of vectors': path => vectors(path, []),
    'has no Rego': path => {
      rmSync(path, { recursive: true })
      mkdirSync(path)
      cpSync(join(basePath(), 'policy.json'), join(path, 'policy.json'))
      cpSync(join(basePath(), 'vectors.json'), join(path, 'vectors.json'))
    },
    'links to Rego elsewhere': path => symlinkSync('/etc/hostname', join(path, 'x.rego')),
    'has more than 1 MiB of Rego': path =>
      writeFileSync(join(path, 'x.rego'), '#'.repeat(1024 * 1024))
  }
  for (const [what, harm] of Object.entries(flaws))
    it(`refuses a folder that ${what}`, async () => {
      const path = copy()
      harm(path)
      await assert.rejects(buildCapsule(path, { env }), { code: 'POLICY_SOURCE' })
    })

  it('refuses a vector with a question that no policy is asked', async () => {
    const path = copy()
    vectors(path, [{ name: 'x', input: { n: 0.5 }, decision: { allow: true, reasons: [] } }])
    await assert.rejects(buildCapsule(path, { env }), { code: 'POLICY_INPUT' })
  })
})
