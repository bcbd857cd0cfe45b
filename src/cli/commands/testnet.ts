import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Session } from '../session.ts'
import { examples, type Shell } from '../shell.ts'

type TestnetOptions = { readonly nodes?: number; readonly input?: string; readonly dir?: string }

/** Nodes of a testnet, at most: each is a process of some 100 MB. */
const NODES_MAX = 32

export function addTestnetCommands(program: Command, shell: Shell): void {
  const testnet = program.command('testnet').description('A network of real nodes on this machine.')
  examples(testnet, ['testnet demo'])
  const nodes = (): Option => new Option('--nodes <N>', 'How many nodes.').argParser(parseNodes)
  const dir = (): Option => new Option('--dir <DIR>', 'Folder of the testnet.')
  examples(
    testnet
      .command('demo')
      .description(
        'Start nodes, state a NEED, show the verbs, replay the record. Exit status 0 only if all of it holds.'
      )
      .addOption(nodes())
      .addOption(dir())
      .option('--input <FILE>', 'One text per line, whose languages are to be identified.')
      .action(shell.action((session, options: TestnetOptions) => run(session, 'demo', options))),
    ['testnet demo', 'testnet demo --input my.txt --json']
  )
  examples(
    testnet
      .command('up')
      .description('Start a testnet that stays up, and print how one more node joins it.')
      .addOption(nodes())
      .addOption(dir())
      .action(shell.action((session, options: TestnetOptions) => run(session, 'up', options))),
    ['testnet up --nodes 5']
  )
  examples(
    testnet
      .command('status')
      .description('The nodes of the running testnet.')
      .addOption(dir())
      .action(shell.action((session, options: TestnetOptions) => run(session, 'status', options))),
    ['testnet status', 'testnet status --json']
  )
  examples(
    testnet
      .command('down')
      .description('Stop the running testnet.')
      .addOption(dir())
      .action(shell.action((session, options: TestnetOptions) => run(session, 'down', options))),
    ['testnet down']
  )
}

async function run(
  session: Session,
  what: 'demo' | 'up' | 'status' | 'down',
  options: TestnetOptions
): Promise<void> {
  void session
  void what
  void options
}

function parseNodes(text: string): number {
  const count = /^\d{1,3}$/u.test(text) ? Number(text) : 0
  if (count < 1 || count > NODES_MAX)
    throw new InvalidArgumentError(`Write a number from 1 to ${NODES_MAX}.`)
  return count
}
