import type { Command } from 'commander'
import { formatBytes } from '../duration.ts'
import { checkInput } from '../input-file.ts'
import type { Session } from '../session.ts'
import { examples, type Shell } from '../shell.ts'

export function addCarCommands(program: Command, shell: Shell): void {
  const car = program.command('car').description('Carry artifacts as CAR files.')
  examples(car, ['car import articles.car'])
  examples(
    car
      .command('export')
      .description('Write an artifact and all below it to a CAR file.')
      .argument('<cid>', 'artifact')
      .requiredOption('-o, --output <FILE>', 'File to write; must not exist.')
      .action(shell.action(exportCar)),
    ['car export bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku -o article.car']
  )
  examples(
    car
      .command('import')
      .description('Read a CAR file into the store and pin its roots.')
      .argument('<file>', 'CAR file')
      .action(shell.action(importCar)),
    ['car import article.car']
  )
}

async function exportCar(
  session: Session,
  options: { output: string },
  cid: string
): Promise<void> {
  const path = session.path(options.output)
  const result = await session.call('artifacts.exportCar', { cid, path }, { long: true })
  await session.out.document('car-export', { path, ...result }, () => {
    session.out.line(path)
    session.out.note(`${result.blocks} block(s), ${formatBytes(result.bytes)}`)
  })
}

async function importCar(session: Session, _options: object, file: string): Promise<void> {
  const path = session.path(file)
  await checkInput(path)
  const result = await session.call('artifacts.importCar', { path }, { long: true })
  await session.out.document('car-import', result, () => {
    for (const root of result.roots) session.out.line(root)
    session.out.note(`${result.blocks} block(s)`)
  })
}
