// Goal: the examples of docs/sdk.md work when pasted. Method: run them as they stand, against a testnet.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type NodeProcess, packageRoot, type Testnet } from '../../src/testnet/index.ts'
import { startTestnet, stopTestnet } from '../support/testnet.ts'

describe('e2e/sdk', () => {
  const running: ChildProcess[] = []
  let testnet: Testnet
  before(async () => {
    testnet = await startTestnet({ nodes: 4 })
  })
  after(async () => {
    for (const child of running) child.kill()
    await stopTestnet(testnet)
  })

  it('runs the worker, the verifier and the requester of the documentation', async () => {
    const [worker, verifier, requester] = examples()
    const [first, second, third] = testnet.nodes
    assert.ok(worker && verifier && requester && first && second && third)
    await Promise.all([
      printed(run(worker, second), 'announced'),
      printed(run(verifier, third), 'announced')
    ])
    const output = await printed(run(requester, first), 'HELLO SWARM')
    assert.match(output, /^FINAL /u)
  })

  function run(code: string, node: NodeProcess): ChildProcess {
    // From the package's folder its own name resolves to itself, as it does for those who installed it.
    const child = spawn(process.execPath, ['--input-type=module', '--eval', code], {
      cwd: packageRoot(),
      env: { ...process.env, CAN_SWARM_HOME: node.home },
      stdio: ['ignore', 'pipe', 'pipe']
    })
    running.push(child)
    return child
  }
})

function examples(): string[] {
  const text = readFileSync(join(packageRoot(), 'docs', 'sdk.md'), 'utf8')
  return [...text.matchAll(/```js\n(.*?)```/gsu)].map(match => match[1] ?? '')
}

/** Everything that was printed up to the text; rejects when the process ends without it. */
function printed(child: ChildProcess, text: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', chunk => {
    stdout += chunk
    if (stdout.includes(text)) resolve(stdout)
  })
  child.stderr?.on('data', chunk => {
    stderr += chunk
  })
  child.once('close', () => reject(new Error(`ended without printing ${text}: ${stdout}${stderr}`)))
  return promise
}
