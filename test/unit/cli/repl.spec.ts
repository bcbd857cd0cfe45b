// Goal: the console shows values instead of promises, completes, remembers, and survives errors. Method: node:repl over
// streams, against a fake node.
import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { openRepl, startRepl } from '../../../src/cli/repl/index.ts'
import { Session } from '../../../src/cli/session.ts'
import { RefusedError } from '../../../src/rpc/index.ts'
import { CID_A, CID_B, DID_A, fakeThread } from '../../support/fake-handlers.ts'
import { fakeNode } from '../../support/fake-node.ts'

type Completer = (
  line: string,
  done: (error: Error | null, result: [string[], string]) => void
) => void

describe('cli/repl', () => {
  const node = fakeNode()
  const handlers = {
    'node.id': async () => ({ did: DID_A, peerId: 'p', addresses: [] }),
    'peers.list': async () => [],
    'threads.list': async () => [{ ...fakeThread(), thread: CID_B }],
    'thread.get': async () => fakeThread(),
    'artifacts.cat': async (
      _params: object,
      context: { progress(data: { base64: string }): void }
    ) => {
      context.progress({ base64: Buffer.from('grüezi').toString('base64') })
      return { bytes: 7 }
    }
  }

  describe('--exec', () => {
    it('prints the value of an expression as JSON', async () => {
      await node.serve(handlers)
      const exec = async (expression: string) =>
        JSON.parse((await node.run(['repl', '--exec', expression])).stdout)
      assert.equal((await exec('node.id()')).did, DID_A)
      assert.deepEqual(await exec('(await node.threads()).map(thread => thread.phase)'), [
        'BIDDING'
      ])
      assert.equal((await exec("node.thread('soitae')")).thread, CID_B)
      assert.equal(await exec(`node.cat('${CID_A}')`), 'grüezi')
      assert.deepEqual(await exec("node.call('peers.list', {})"), [])
      assert.equal(await exec('undefined'), null)
      assert.equal(await exec('12n'), '12')
    })

    it('ends with the status of what went wrong', async () => {
      await node.serve(handlers)
      assert.equal((await node.run(['repl', '--exec', "node.thread('zzzz')"])).code, 3)
      assert.equal((await node.run(['repl', '--exec', 'node.'])).code, 2)
      assert.equal((await node.run(['repl', '--exec', 'nodes.peers()'])).code, 1)
    })

    it('refuses a pipe: its lines would run before earlier ones have ended', async () => {
      await node.serve(handlers)
      const result = await node.run(['repl'], { stdin: 'node.peers()\n' })
      assert.equal(result.code, 2)
      assert.match(result.stderr, /--exec/u)
    })
  })

  describe('console', () => {
    function sessionOn(stdin: PassThrough, stdout: PassThrough): Session {
      const io = {
        env: { CAN_SWARM_HOME: node.home },
        cwd: node.home,
        stdin,
        stdout,
        stderr: new PassThrough(),
        onInterrupt: () => () => {},
        exitNow: () => {}
      }
      return new Session(io, {})
    }

    /** Types lines, each after the prompt that follows the one before; returns all that was shown. */
    async function type(lines: readonly string[]): Promise<string> {
      const stdin = new PassThrough()
      const stdout = new PassThrough()
      let shown = ''
      let prompts = 0
      const waiting = [...lines]
      stdout.on('data', chunk => {
        shown += chunk
        const seen = shown.split('can-swarm> ').length - 1
        if (seen <= prompts) return
        prompts = seen
        const line = waiting.shift()
        if (line !== undefined) setImmediate(() => stdin.write(line))
      })
      const session = sessionOn(stdin, stdout)
      await startRepl(session, { terminal: false })
      session.end()
      return shown
    }

    it('greets, awaits results, keeps top-level await and its variables', async () => {
      await node.serve(handlers)
      const shown = await type([
        'node.threads()\n',
        'const [first] = await node.threads()\n',
        'first.phase\n',
        '.exit\n'
      ])
      assert.match(shown, /can-swarm \d.*did:key/u)
      assert.match(shown, /phase: 'BIDDING'/u)
      assert.match(shown, /> 'BIDDING'/u)
      assert.doesNotMatch(shown, /Promise/u)
    })

    it('shows a failure in one line and goes on', async () => {
      await node.serve(handlers)
      const shown = await type(["node.thread('zzzz')\n", '1 + 1\n', '.exit\n'])
      assert.match(shown, /\[ID_NOT_FOUND\]/u)
      assert.doesNotMatch(shown, /\.ts:\d/u)
      assert.match(shown, /> 2\n/u)
    })

    it('shows a refusal of the node in one line, awaited or not', async () => {
      const message = 'the budget is too low'
      const refuse = () => Promise.reject(new RefusedError({ code: 'POLICY_DENIED', message }))
      await node.serve({ ...handlers, 'node.status': refuse })
      const shown = await type(['node.status()\n', 'await node.status()\n', '1 + 1\n', '.exit\n'])
      const line = `Uncaught ${message} [POLICY_DENIED]\n`
      assert.equal(shown.split(line).length, 3, shown)
      assert.doesNotMatch(shown, /details|\n {4}at /u)
    })

    it('has .peers and .threads', async () => {
      await node.serve(handlers)
      const shown = await type(['.peers\n', '.threads\n', '.exit\n'])
      assert.match(shown, /none/u)
      assert.ok(shown.includes(`${CID_B}  BIDDING`))
    })

    it('completes the methods of node', async () => {
      await node.serve(handlers)
      const session = sessionOn(new PassThrough(), new PassThrough())
      const server = await openRepl(session, { terminal: false })
      const complete = (line: string): Promise<[string[], string]> =>
        new Promise((resolve, reject) =>
          (server.completer as unknown as Completer)(line, (error, result) =>
            error ? reject(error) : resolve(result)
          )
        )
      assert.deepEqual((await complete('node.thr'))[0].sort(), ['node.thread', 'node.threads'])
      assert.ok((await complete('await node.pe'))[0].includes('node.peers'))
      server.close()
      session.end()
    })

    it('remembers what was typed in the home, for its owner only', async () => {
      await node.serve(handlers)
      const stdin = new PassThrough()
      const session = sessionOn(stdin, new PassThrough())
      const server = await openRepl(session, { terminal: true })
      const exit = new Promise(resolve => server.once('exit', resolve))
      stdin.write('1 + 1\n.exit\n')
      await exit
      session.end()
      const file = join(node.home, 'repl-history')
      assert.match(readFileSync(file, 'utf8'), /1 \+ 1/u)
      assert.equal(statSync(file).mode & 0o077, 0)
    })
  })
})
