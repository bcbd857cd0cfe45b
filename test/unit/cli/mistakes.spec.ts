// Goal: a plain mistake of the user gives one line, no stack, and the right status. Method: the program in this process.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { processIo } from '../../../src/cli/io.ts'
import { askPassphrase } from '../../../src/cli/prompt.ts'
import { RefusedError } from '../../../src/rpc/index.ts'
import type { CliResult } from '../../support/cli-runner.ts'
import { CID_A, CID_B } from '../../support/fake-handlers.ts'
import { fakeNode } from '../../support/fake-node.ts'

/** An export without capsules and artifacts. */
const NO_EXTRAS = { capsules: 0, car: null, artifacts: [], hybrid: null }

const RECORDS = fileURLToPath(new URL('../../../protocols/record/vectors/', import.meta.url))
const LOOPBACK = ['--listen', '/ip4/127.0.0.1/tcp/0', '--no-mdns', '--network', 'mistakes']

describe('cli/mistakes', function () {
  // What comes first loads the whole program: seconds of CPU time, and more of the clock's where others want the machine.
  this.timeout(120_000)
  const node = fakeNode()

  describe('a home that cannot be one', () => {
    for (const command of ['init', 'start'])
      for (const [what, path] of [
        ['a file', 'file'],
        ['below a file', 'file/x'],
        ['where the system makes no folders', '/proc/can-swarm-home/x']
      ] as const)
        it(`${command} refuses ${what}`, async () => {
          writeFileSync(join(node.home, 'file'), 'mine')
          const home = path.startsWith('/') ? path : join(node.home, path)
          refused(await node.run([command, '--home', home, ...LOOPBACK]), 78, 'HOME_UNWRITABLE')
          assert.equal(readFileSync(join(node.home, 'file'), 'utf8'), 'mine')
        })
  })

  it('audit refuses a folder as a record', async () => {
    refused(await node.run(['audit', 'verify', '.']), 3, 'RECORD_MISSING')
  })

  it('audit tells each problem in one line, and lines from 1', async () => {
    writeFileSync(join(node.home, 'bad.jsonl'), 'not a record\n')
    const { stdout, code } = await node.run(['audit', 'replay', 'bad.jsonl'])
    assert.equal(code, 1)
    assert.match(stdout, /^FAILED {2}0 events\nline 1: (?!line).* \[RECORD_LINE\]\n$/u)
  })

  it('audit export gives the node a path of this folder', async () => {
    const paths: (string | undefined)[] = []
    await node.serve({
      'thread.record': async ({ path }) => {
        paths.push(path)
        return { path: path ?? '', lines: 1, complete: true, ...NO_EXTRAS }
      }
    })
    await node.run(['audit', 'export', CID_B, '-o', '../r.jsonl'])
    assert.deepEqual(paths, [join(node.home, '..', 'r.jsonl')])
  })

  it('repl --exec tells what an expression threw', async () => {
    await node.serve({})
    for (const expression of ['foo.bar', 'node.nothing()', 'Promise.reject("no")'])
      refused(await node.run(['repl', '--exec', expression]), 1, 'EXPRESSION_FAILED')
  })

  it('init stores the passphrase file by its whole path', async () => {
    writeFileSync(join(node.home, 'secret'), 'open sesame\n')
    const home = join(node.home, 'home')
    const argv = ['init', '--home', home, ...LOOPBACK, '--passphrase-file', 'secret']
    const result = await node.run(argv)
    assert.equal(result.code, 0, result.stderr)
    const settings = JSON.parse(readFileSync(join(home, 'config.json'), 'utf8'))
    assert.equal(settings.keystore.passphraseFile, join(node.home, 'secret'))
  })

  it('init ends with 130 when interrupted', async () => {
    const home = join(node.home, 'home')
    const result = await node.run(['init', '--home', home, ...LOOPBACK], { interrupted: true })
    refused(result, 130, 'INTERRUPTED')
    assert.equal(existsSync(join(home, 'key.json')), false)
  })

  it('a check that is interrupted says that it may be run again, and nothing of NEEDs', async () => {
    const record = join(RECORDS, readdirSync(RECORDS).find(name => name.endsWith('.jsonl')) ?? '')
    const check = (...more: string[]) =>
      node.run(['audit', 'verify', record, '--json', ...more], { interrupted: true })
    for (const [result, hint] of [
      [await check(), /^Nothing was changed: run it again; with --resume FILE/u],
      [await check('--resume', 'progress'), /^Run it again: it goes on from where it was/u]
    ] as const) {
      assert.equal(result.code, 130)
      const { error } = JSON.parse(result.stdout)
      assert.deepEqual([error.code, error.message], ['INTERRUPTED', 'interrupted'])
      assert.match(error.hint, hint)
    }
  })

  it('a demo that is interrupted says that its nodes have ended, and nothing of NEEDs', async () => {
    const book = join(node.home, 'book.txt')
    writeFileSync(book, 'one two\n')
    for (const more of [[], ['--plan', book]]) {
      const result = await node.run(['testnet', 'demo', ...more, '--json'], { interrupted: true })
      const { error } = JSON.parse(result.stdout.trim().split('\n').at(-1) ?? '')
      assert.deepEqual([result.code, error.hint], [130, 'Its nodes have ended: run it again.'])
    }
  })

  it('start says that a passphrase for an open key does nothing', async () => {
    const home = join(node.home, 'home')
    await node.run(['init', '--home', home, ...LOOPBACK])
    writeFileSync(join(node.home, 'secret'), 'open sesame\n')
    const argv = ['start', '--home', home, ...LOOPBACK, '--passphrase-file']
    const result = await node.run([...argv, join(node.home, 'secret')], { interrupted: true })
    assert.match(result.stderr, /^can-swarm: [^\n]*not encrypted[^\n]*\n/u)
  })

  it('Ctrl-C at the question for a passphrase is an interrupt', async () => {
    const stdin = Object.assign(new PassThrough(), { isTTY: true })
    const io = { ...processIo(), stdin, stderr: new PassThrough() }
    const asked = askPassphrase(io, { twice: false })
    stdin.write('\u0003')
    await assert.rejects(asked, { code: 'INTERRUPTED' })
  })

  it('gives the advice once when the message has it', async () => {
    const message =
      'nobody delivered it. Check that a node that has it is connected, or wait longer'
    const refuse = () => Promise.reject(new RefusedError({ code: 'ARTIFACT_NOT_FOUND', message }))
    await node.serve({ 'artifacts.cat': refuse })
    const { stderr } = await node.run(['cat', CID_A])
    assert.equal(stderr, `can-swarm: ${message} [ARTIFACT_NOT_FOUND]\n`)
  })

  for (const wrong of [
    ['--join', 'foo'],
    ['--work', 'foo/bar'],
    ['--listen', 'tcp:1']
  ])
    it(`start ${wrong.join(' ')} is a mistake of usage`, async () => {
      refused(await node.run(['start', ...wrong]), 2, 'USAGE')
    })

  describe('an address that is not of this machine', () => {
    const foreign = '/ip4/192.0.2.77/tcp/4001'

    it('is a mistake of usage on the command line, with an example that fits', async () => {
      const argv = ['start', '--no-mdns', '--network', 'mistakes', '--listen', foreign]
      const result = await node.run(argv)
      refused(result, 2, 'BAD_ADDRESS')
      assert.match(result.stderr, /like \/ip4\/0\.0\.0\.0\/tcp\/4001 \[/u)
    })

    it('is a mistake of the settings elsewhere', async () => {
      const env = { CAN_SWARM_NETWORK_LISTEN: foreign }
      const argv = ['start', '--no-mdns', '--network', 'mistakes']
      refused(await node.run(argv, { env }), 78, 'CONFIG_INVALID')
      const wrong = { CAN_SWARM_NETWORK_JOIN: 'foo' }
      refused(await node.run(['start'], { env: wrong }), 78, 'CONFIG_INVALID')
    })
  })
})

function refused(result: CliResult, status: number, code: string): void {
  assert.equal(result.code, status, result.stderr)
  assert.match(result.stderr, new RegExp(`^can-swarm: [^\\n]+ \\[${code}\\]\\n$`, 'u'))
  assert.equal(result.stdout, '')
}
