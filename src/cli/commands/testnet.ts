import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Session } from '../session.ts'
import { examples, type Shell } from '../shell.ts'

type TestnetOptions = {
  readonly nodes?: number
  readonly bad?: number
  readonly input?: string
  readonly dir?: string
  readonly lan?: boolean
}

/** Nodes of a testnet, at most: each is a process of some 100 MB. */
const NODES_MAX = 32

export function addTestnetCommands(program: Command, shell: Shell): void {
  const testnet = program.command('testnet').description('A network of real nodes on this machine.')
  examples(testnet, ['testnet demo'])
  addDemo(testnet, shell)
  addUp(testnet, shell)
  const status = testnet
    .command('status')
    .description('The nodes of the testnet that is up.')
    .action(shell.action(session => run(session, 'status', {})))
  examples(status, ['testnet status', 'testnet status --json'])
  const down = testnet
    .command('down')
    .description('Stop the testnet that is up.')
    .action(shell.action(session => run(session, 'down', {})))
  examples(down, ['testnet down'])
}

function addDemo(testnet: Command, shell: Shell): void {
  const demo = testnet
    .command('demo')
    .description(
      'Start nodes, state a NEED, show the verbs, replay the record. Exit status 0 only if all of it holds.'
    )
    .option('--input <FILE>', 'One text per line, whose languages are to be identified.')
    .action(shell.action((session, options: TestnetOptions) => run(session, 'demo', options)))
  addSize(demo)
  examples(demo, ['testnet demo', 'testnet demo --input my.txt --json'])
}

function addUp(testnet: Command, shell: Shell): void {
  const up = testnet
    .command('up')
    .description('Start a testnet that stays up, and print how one more node joins it.')
    .option('--lan', 'Listen on all interfaces, so that machines of the LAN can join.')
    .action(shell.action((session, options: TestnetOptions) => run(session, 'up', options)))
  addSize(up)
  examples(up, ['testnet up --nodes 5', 'testnet up --nodes 7 --bad 1 --lan'])
}

function addSize(command: Command): void {
  command
    .addOption(new Option('--nodes <N>', 'How many nodes; 5 by default.').argParser(parseNodes))
    .addOption(new Option('--bad <N>', 'How many of them lie.').argParser(parseBad))
    .option('--dir <DIR>', 'Folder for the homes of the nodes; it is kept.')
}

async function run(
  session: Session,
  what: 'demo' | 'up' | 'status' | 'down',
  options: TestnetOptions
): Promise<void> {
  const testnet = await import('../../testnet/index.ts')
  const { stdout, stderr, env } = session.io
  const io = { stdout, stderr, env, signal: session.signal, json: session.out.options.json }
  const { input, dir, ...size } = options
  const paths = {
    ...(input === undefined ? {} : { input: session.path(input) }),
    ...(dir === undefined ? {} : { dir: session.path(dir) })
  }
  switch (what) {
    case 'demo':
      session.exitCode = await testnet.runDemo({ ...io, ...size, ...paths })
      break
    case 'up':
      session.exitCode = await testnet.up({ ...io, ...size, ...paths })
      break
    case 'status':
      session.exitCode = await testnet.status(io)
      break
    case 'down':
      session.exitCode = await testnet.down(io)
  }
}

function parseNodes(text: string): number {
  const count = /^\d{1,3}$/u.test(text) ? Number(text) : 0
  if (count < 1 || count > NODES_MAX)
    throw new InvalidArgumentError(`Write a number from 1 to ${NODES_MAX}.`)
  return count
}

function parseBad(text: string): number {
  if (!/^\d{1,2}$/u.test(text)) throw new InvalidArgumentError('Write a whole number.')
  return Number(text)
}
