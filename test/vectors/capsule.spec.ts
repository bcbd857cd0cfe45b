// The committed capsule is built from the committed sources. Compiling needs opa (node policies/build.ts --check); that nothing
// was edited since needs hashes only.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { decode as decodeDagJson } from '@ipld/dag-json'
import { type CapsuleBlock, loadCapsule } from '../../src/adapters/opa/index.ts'
import { equals } from '../../src/core/base/index.ts'
import { cidOf } from '../../src/core/codec/index.ts'
import { meterModule } from '../../src/core/metering/index.ts'
import { readCapsuleFile } from '../../src/policy/index.ts'

const POLICIES = new URL('../../policies/', import.meta.url)
const read = (path: string): Buffer => readFileSync(new URL(path, POLICIES))
const block = decodeDagJson<CapsuleBlock>(read('base/capsule.json'))

describe('vectors/base capsule', () => {
  it('links to its sources as they are', () => {
    const files = readdirSync(new URL('base/', POLICIES)).filter(
      file => file.endsWith('.rego') && !file.endsWith('_test.rego')
    )
    assert.deepEqual(
      block.sources.map(({ path }) => path),
      files.sort().map(file => `base/${file}`)
    )
    for (const { path, source } of block.sources) {
      assert.equal(
        source.toString(),
        cidOf(read(path), 0x55).toString(),
        `${path} was edited: run node policies/build.ts`
      )
    }
  })

  it('links to the capabilities as they are', () => {
    assert.equal(block.capabilities.toString(), cidOf(read('capabilities.json'), 0x55).toString())
  })

  it('holds the vectors as they are written', () => {
    assert.deepEqual(block.vectors, JSON.parse(read('base/vectors.json').toString()))
  })

  it('ships the metered form that the rules give', () => {
    const metered = meterModule(read('base/capsule.wasm'))
    assert.ok(metered.ok)
    assert.ok(
      equals(metered.value, read('base/capsule.metered.wasm')),
      'run node policies/build.ts'
    )
  })

  it('has a sample whose file holds its sources and vectors as they are', async () => {
    const folder = new URL('samples/strict/', POLICIES)
    const { capsule, sources } = await readCapsuleFile(
      new URL('samples/strict.car', POLICIES).pathname
    )
    const rego = readdirSync(folder).filter(file => /(?<!_test)\.rego$/u.test(file))
    assert.deepEqual(
      sources.map(({ path, text }) => [path, text]),
      rego.sort().map(file => [`strict/${file}`, read(`samples/strict/${file}`).toString()])
    )
    assert.deepEqual(
      capsule.vectors.map(({ input, decision: { gas, ...decision }, name }) => {
        assert.ok(gas > 0)
        return { name, input, decision }
      }),
      JSON.parse(read('samples/strict/vectors.json').toString())
    )
  })

  it('has a wasm of at most 200 KB that matches its block', () => {
    assert.ok(loadCapsule(new URL('base', POLICIES).pathname).wasm.length <= 200_000)
  })
})
