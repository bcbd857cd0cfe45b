import type { Command } from 'commander'
import type { Session } from '../session.ts'
import { examples, type Shell } from '../shell.ts'

const EXAMPLE_CID = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'

export function addPinCommands(program: Command, shell: Shell): void {
  const pin = program.command('pin').description('Keep artifacts on this node.')
  examples(pin, ['pin ls'])
  examples(
    pin
      .command('add')
      .description('Fetch an artifact and all below it, and keep it.')
      .argument('<cid>', 'artifact')
      .option('--name <TEXT>', 'Name to remember it by.', '')
      .action(shell.action(addPin)),
    [`pin add ${EXAMPLE_CID} --name articles`]
  )
  examples(pin.command('ls').description('Pinned artifacts.').action(shell.action(list)), [
    'pin ls',
    'pin ls -q'
  ])
  examples(
    pin
      .command('rm')
      .description('Let an artifact go at the next gc.')
      .argument('<cid>', 'artifact')
      .action(shell.action(remove)),
    [`pin rm ${EXAMPLE_CID}`]
  )
}

async function addPin(session: Session, options: { name: string }, cid: string): Promise<void> {
  const timeout = session.timeoutMs === null ? {} : { timeoutMs: session.timeoutMs }
  const pin = await session.call(
    'pins.add',
    { cid, name: options.name, ...timeout },
    { long: true }
  )
  await session.out.document('pin', pin, () => session.out.line(pin.cid))
}

async function list(session: Session): Promise<void> {
  const pins = await session.call('pins.ls', {})
  await session.out.document('pins', { pins }, async () => {
    if (session.out.options.quiet) return session.out.lines(pins.map(pin => pin.cid))
    if (pins.length === 0) return session.out.note('No pins. Add a file with "can-swarm add FILE".')
    await session.out.table(
      ['cid', 'since', 'name'],
      pins.map(pin => [pin.cid, new Date(pin.createdAt).toISOString(), pin.name])
    )
  })
}

async function remove(session: Session, _options: object, cid: string): Promise<void> {
  const result = await session.call('pins.rm', { cid })
  await session.out.document('pin-rm', result, () => session.out.line(result.removed))
}
