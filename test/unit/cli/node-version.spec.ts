// Goal: an old Node is told what is missing; what looks at records and proofs runs on an older one than a node. Method: the executable beside a
// version that is made up, up to where it would load the program.
import { strict as assert } from 'node:assert'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const BIN = fileURLToPath(new URL('../../../bin/can-swarm.js', import.meta.url))

function run(version: string, ...argv: string[]): { status: number | null; stderr: string } {
  const versions = `Object.defineProperty(process, 'versions', { value: { node: '${version}' } })`
  // The program itself is left out: whether it was built is not asked here.
  const hooks = `import { registerHooks } from 'node:module'
    registerHooks({ load: (url, context, next) => url.endsWith('/dist/cli/main.js')
      ? { format: 'module', source: 'process.exit(42)', shortCircuit: true } : next(url, context),
      resolve: (name, context, next) => name.endsWith('/dist/cli/main.js')
      ? { url: new URL(name, context.parentURL).href, shortCircuit: true } : next(name, context) })`
  const imported = [versions, hooks].flatMap(source => [
    '--import',
    `data:text/javascript,${encodeURIComponent(source)}`
  ])
  return spawnSync(process.execPath, [...imported, BIN, ...argv], { encoding: 'utf8' })
}

describe('bin/can-swarm', () => {
  it('runs on Node 24, and what needs no node on Node 22', () => {
    assert.equal(run('24.0.0', 'start').status, 42)
    assert.equal(run('22.0.0', 'audit', 'replay', 'record.jsonl').status, 42)
    assert.equal(run('22.0.0', 'certificate', 'verify', 'a').status, 42)
  })

  it('says on an older one which it needs', () => {
    const node = run('22.0.0', 'start')
    assert.deepEqual([node.status, /needs Node\.js 24/u.test(node.stderr)], [78, true], node.stderr)
    const audit = run('20.0.0', 'audit', 'replay', 'record.jsonl')
    assert.deepEqual([audit.status, /needs Node\.js 22/u.test(audit.stderr)], [78, true])
  })
})
