import { resolve } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { TestnetIo, UpInit } from '../../testnet/index.ts'
import { orInterrupted } from '../interrupt.ts'
import type { Session } from '../session.ts'
import { examples, type Shell } from '../shell.ts'

type TestnetOptions = {
  readonly nodes?: number
  readonly bad?: number
  readonly input?: string
  readonly plan?: string | true
  readonly dir?: string
  readonly lan?: boolean
}

/** After Ctrl-C in a demo. */
const DEMO_ENDED = 'Its nodes have ended: run it again.'
/** Nodes of a testnet, at most: each is a process of some 100 MB. */
const NODES_MAX = 32

export function addTestnetCommands(program: Command, shell: Shell): void {
  const testnet = program.command('testnet').description('A network of real nodes on this machine.')
  examples(testnet, ['testnet demo'])
  const demo = testnet
    .command('demo')
    .description(
      'Start nodes, state a NEED, show the verbs, replay the record. Exit status 0 only if all of it holds.'
    )
    .addOption(
      new Option(
        '--input <FILE>',
        'One text per line, whose languages are to be identified.'
      ).argParser(parsePath)
    )
    .addOption(
      new Option(
        '--plan [FILE]',
        'Have a plan done instead: the words of a text are counted in parts, by several nodes.'
      ).conflicts(['input', 'bad'])
    )
    .action(shell.action(runDemo))
  examples(addCommon(demo), [
    'testnet demo',
    'testnet demo --input my.txt --json',
    'testnet demo --plan book.txt'
  ])
  const up = testnet
    .command('up')
    .description('Start a testnet that stays up, and print how one more node joins it.')
    .option('--lan', 'Listen on all interfaces, so that machines of the LAN can join.')
    .action(shell.action(runUp))
  examples(addCommon(up), ['testnet up --nodes 5', 'testnet up --lan'])
  examples(
    testnet
      .command('status')
      .description('The nodes of the running testnet.')
      .action(shell.action(runStatus)),
    ['testnet status', 'testnet status --json']
  )
  examples(
    testnet.command('down').description('Stop the running testnet.').action(shell.action(runDown)),
    ['testnet down']
  )
}

function addCommon(command: Command): Command {
  return command
    .addOption(new Option('--nodes <N>', 'How many nodes.').argParser(parseNodes(1)))
    .addOption(
      new Option('--bad <N>', 'How many of them lie about results.').argParser(parseNodes(0))
    )
    .addOption(
      new Option('--dir <DIR>', 'Folder of the testnet; by default a new temporary one.').argParser(
        parsePath
      )
    )
}

async function runDemo(session: Session, options: TestnetOptions): Promise<void> {
  const { runDemo, runPlanDemo } = await import('../../testnet/index.ts')
  if (options.plan !== undefined) {
    const text = options.plan === true ? {} : { input: pathOf(session, options.plan) }
    const init = { ...ioOf(session), ...common(session, options), ...text }
    session.exitCode = await orInterrupted(runPlanDemo(init), DEMO_ENDED)
    return
  }
  const input = options.input === undefined ? {} : { input: pathOf(session, options.input) }
  const init = { ...ioOf(session), ...common(session, options), ...input }
  session.exitCode = await orInterrupted(runDemo(init), DEMO_ENDED)
}

async function runUp(session: Session, options: TestnetOptions): Promise<void> {
  const { up } = await import('../../testnet/index.ts')
  session.exitCode = await up({
    ...ioOf(session),
    ...common(session, options),
    lan: options.lan === true
  })
}

async function runStatus(session: Session): Promise<void> {
  const { status } = await import('../../testnet/index.ts')
  session.exitCode = await status(ioOf(session))
}

async function runDown(session: Session): Promise<void> {
  const { down } = await import('../../testnet/index.ts')
  session.exitCode = await down(ioOf(session))
}

function ioOf(session: Session): TestnetIo & { json: boolean } {
  const { stdout, stderr, env } = session.io
  return { stdout, stderr, env, signal: session.signal, json: session.out.options.json }
}

function common(session: Session, options: TestnetOptions): Pick<UpInit, 'nodes' | 'bad' | 'dir'> {
  return {
    ...(options.nodes === undefined ? {} : { nodes: options.nodes }),
    ...(options.bad === undefined ? {} : { bad: options.bad }),
    ...(options.dir === undefined ? {} : { dir: pathOf(session, options.dir) })
  }
}

/** `npm start` moves to the folder of the package; the user means the one that npm was called in. */
function pathOf(session: Session, path: string): string {
  const { INIT_CWD: calledIn, npm_lifecycle_event: script, npm_package_name: name } = session.io.env
  const isMoved = script !== undefined && name === 'can-swarm' && calledIn !== undefined
  return isMoved ? resolve(calledIn, path) : session.path(path)
}

function parsePath(text: string): string {
  if (text === '') throw new InvalidArgumentError('Write a path.')
  return text
}

function parseNodes(min: number): (text: string) => number {
  return text => {
    const count = /^\d{1,3}$/u.test(text) ? Number(text) : -1
    if (count < min || count > NODES_MAX)
      throw new InvalidArgumentError(`Write a number from ${min} to ${NODES_MAX}.`)
    return count
  }
}
