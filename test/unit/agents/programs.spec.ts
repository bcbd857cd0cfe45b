// Goal: commands and the builtin program give their bytes or say why not. Method: real child processes, tiny ones.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  builtinProgram,
  commandProgram,
  languageProgram,
  type ProgramContext,
  parseIdentified
} from '../../../src/agents/index.ts'
import { BUILTIN_CAPABILITIES } from '../../../src/config/index.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { until } from '../../support/until.ts'

function context(signal: AbortSignal = new AbortController().signal): ProgramContext {
  return { signal, progress: () => undefined, inputs: [] }
}
const node = (script: string): string[] => [process.execPath, '-e', script]

describe('agents/programs/command', () => {
  const folder = temporaryFolder()

  it('gives the input to stdin and takes stdout', async () => {
    const result = await commandProgram(['tr', 'a-z', 'A-Z']).run(Buffer.from('hello'), context())
    assert.equal(Buffer.from(result.output).toString(), 'HELLO')
    assert.deepEqual(result.telemetry, { tool: 'tr', exitStatus: 0 })
  })

  it('fails with the end of stderr when the status is not 0', async () => {
    const program = commandProgram(node('console.error("bad\\nno such model"); process.exit(3)'))
    await assert.rejects(program.run(Buffer.from('x'), context()), (error: Error) => {
      assert.match(error.message, /exit status 3: no such model/u)
      return (error as { code?: string }).code === 'PROGRAM_FAILED'
    })
  })

  it('fails when nothing is printed, when it is killed, and when there is no such command', async () => {
    const failed = { code: 'PROGRAM_FAILED' }
    await assert.rejects(commandProgram(['true']).run(Buffer.from('x'), context()), failed)
    const killed = commandProgram(['sh', '-c', 'kill -9 $$'])
    await assert.rejects(killed.run(Buffer.from('x'), context()), failed)
    const missing = commandProgram(['can-swarm-no-such-command'])
    await assert.rejects(missing.run(Buffer.from('x'), context()), failed)
    assert.throws(() => commandProgram([]), failed)
  })

  it('takes a command that does not read a large input', async () => {
    const result = await commandProgram(['echo', 'done']).run(Buffer.alloc(4_000_000), context())
    assert.equal(Buffer.from(result.output).toString(), 'done\n')
  })

  it('stops a hanging command and everything that it started', async () => {
    const pids = join(folder.path, 'pids')
    const program = commandProgram(
      ['sh', '-c', `sleep 60 & echo $! > ${pids}; echo $$ >> ${pids}; wait`],
      { timeoutMs: 1000 }
    )
    await assert.rejects(program.run(Buffer.from('x'), context()), { code: 'PROGRAM_TIMEOUT' })
    assert.ok(existsSync(pids))
    for (const pid of readFileSync(pids, 'utf8').trim().split('\n')) {
      await until(`process ${pid} is gone`, () => isGone(Number(pid)))
    }
  })

  it('stops when its signal aborts', async () => {
    const stop = new AbortController()
    const running = commandProgram(['sleep', '60']).run(Buffer.from('x'), context(stop.signal))
    stop.abort(new Error('enough'))
    await assert.rejects(running, /enough/u)
  })
})

describe('agents/programs/language', () => {
  it('tells the ten languages of the shipped input apart, the same way each time', async () => {
    const input = readFileSync('testnet/inputs/udhr-10.txt')
    const first = await languageProgram().run(input, context())
    const second = await languageProgram().run(input, context())
    assert.deepEqual(first.output, second.output)
    const texts = parseIdentified(first.output)
    assert.deepEqual(
      texts.map(text => text.language),
      ['eng', 'spa', 'fra', 'deu', 'rus', 'arb', 'hin', 'cmn', 'swh', 'tur']
    )
    assert.equal(texts[3]?.name, 'German')
    assert.equal(texts[9]?.line, 10)
  })

  it('counts blank lines, shortens by characters, and does not guess at too little', async () => {
    const input = Buffer.from(`\r\n${'😀'.repeat(100)}\nok\n`)
    const texts = parseIdentified((await languageProgram().run(input, context())).output)
    assert.deepEqual(
      texts.map(({ line, language }) => [line, language]),
      [
        [2, 'und'],
        [3, 'und']
      ]
    )
    assert.equal(texts[0]?.text, `${'😀'.repeat(60)}...`)
  })

  it('refuses what is not text', async () => {
    const failed = { code: 'PROGRAM_FAILED' }
    const program = languageProgram()
    await assert.rejects(program.run(Buffer.from([0xff, 0xfe]), context()), failed)
    await assert.rejects(program.run(Buffer.from(' \n\n'), context()), failed)
  })

  it('is the builtin program of its capability, and every builtin capability has one', () => {
    for (const capability of BUILTIN_CAPABILITIES) assert.ok(builtinProgram(capability))
    assert.equal(builtinProgram('text/upper'), null)
  })
})

/** A signal takes effect when its process is next scheduled; the killed one stays in the table until its parent has looked. */
function isGone(pid: number): boolean {
  assert.ok(pid > 0)
  try {
    process.kill(pid, 0)
    return /\) Z /u.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return true
  }
}
