// Goal: help and documents are complete and say what the program does.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { processIo } from '../../../src/cli/io.ts'
import { buildProgram } from '../../../src/cli/program.ts'
import { leafCommands, reference } from '../../../src/cli/reference.ts'
import { examplesOf, Shell } from '../../../src/cli/shell.ts'
import { VERSION } from '../../../src/cli/version.ts'
import { runCommand } from '../../support/cli-runner.ts'

describe('cli/reference', () => {
  const commands = leafCommands(buildProgram(new Shell(processIo())))
  const words = (command: (typeof commands)[number]): string[] =>
    command.parent === null ? [] : [...words(command.parent), command.name()]

  it('knows all commands', () => {
    const known = new Set(commands.map(command => words(command).join(' ')))
    for (const name of [
      ...[
        'init',
        'start',
        'status',
        'id',
        'stop',
        'peers',
        'peers join',
        'peers ping',
        'need',
        'need reform',
        'threads',
        'thread',
        'plan'
      ],
      ...[
        'work',
        'verify',
        'add',
        'cat',
        'get',
        'pin add',
        'pin ls',
        'pin rm',
        'gc',
        'car export',
        'car import'
      ],
      ...[
        'audit export',
        'audit open',
        'audit verify',
        'audit replay',
        'audit diff',
        'certificate export',
        'certificate verify',
        'evidence ls',
        'evidence export',
        'evidence verify',
        'testnet up',
        'testnet demo',
        'testnet status',
        'testnet down'
      ],
      ...['doctor', 'repl', 'config show']
    ])
      assert.ok(known.has(name), name)
  })

  for (const command of commands) {
    const name = ['can-swarm', ...words(command)].join(' ')
    it(`shows help with an example: ${name}`, async () => {
      const result = await runCommand([...words(command), '--help'])
      assert.equal(result.code, 0)
      assert.match(result.stdout, new RegExp(`^Usage: ${name}`, 'u'))
      assert.match(result.stdout, /\nExamples:\n {2}\$ can-swarm /u)
      assert.match(result.stdout, /--json/u)
      const [, global = ''] = result.stdout.split(/\n(?:Global Options|Examples):\n/u)
      assert.doesNotMatch(global, /--budget/u, 'options of another command')
      assert.notEqual(command.description(), '')
    })

    it(`shows examples that parse: ${name}`, () => {
      for (const example of examplesOf(command)) {
        const [first = ''] = example.split(' ')
        assert.ok(
          commands.some(one => words(one)[0] === first),
          example
        )
      }
    })
  }

  it('is fresh in docs/', () => {
    for (const [name, text] of reference()) {
      const written = readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8')
      assert.ok(written === text, `docs/${name} is stale: run npm run docs`)
    }
  })

  it('hides what is for tests', () => {
    for (const [, text] of reference()) assert.doesNotMatch(text, /unplug/u)
  })

  it('has the version of the package', () => {
    const manifest = JSON.parse(
      readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')
    )
    assert.equal(VERSION, manifest.version)
  })
})
