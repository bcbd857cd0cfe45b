// Goal: the examples of docs/sdk.md work when pasted. Method: run them as they stand, against a testnet.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type NodeProcess, packageRoot, type Testnet } from '../../src/testnet/index.ts'
import { startTestnet, stateNeed, stopTestnet, viewWhen } from '../support/testnet.ts'

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

  it('runs the plan of the documentation as far as its first task, and shows it with a note', async () => {
    const [, , , coordinator, note] = examples()
    const [first, second, third] = testnet.nodes
    assert.ok(coordinator && note && first && second && third)
    const verifier = `
      import { commandProgram, connect, runVerifier } from 'can-swarm'
      await runVerifier(await connect(), {
        capability: 'text/count-two',
        program: commandProgram(['wc', '-w']),
        onEvent: event => console.log(event)
      })`
    const worker = run(coordinator, second)
    await Promise.all([printed(worker, 'announced'), printed(run(verifier, third), 'announced')])
    const thread = await stateNeed(first, { capability: 'text/count-two', ttlMs: 60_000 })
    await printed(worker, 'task-stated')
    await viewWhen(first, thread, ({ decide }) => decide?.certified === true, 30_000)
    const around = [
      "import { connect } from 'can-swarm'",
      `const [node, thread] = [await connect(), '${thread}']`,
      note,
      'console.log(JSON.stringify({ view, graph }), "end")',
      'node.close()'
    ]
    const shown = await printed(run(around.join('\n'), first), ' end')
    const { view, graph } = JSON.parse(shown.slice(0, shown.lastIndexOf(' end')))
    const sum = view.tasks.find(({ task }: { task: string }) => task === 'sum')
    const said = sum.annotations.find(({ key }: { key: string }) => key === 'note')
    assert.equal(said?.value, 'for Monday')
    const order: string[] = graph.order.filter((task: string) => task !== 'text/count-two')
    assert.deepEqual(order, ['split', 'left', 'right', 'sum'])
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
