import type { Command } from 'commander'
import type { AddProgress } from '../../ports/index.ts'
import type { Progress } from '../../rpc/index.ts'
import { formatBytes } from '../duration.ts'
import { checkInput } from '../input-file.ts'
import { progressBar } from '../progress-bar.ts'
import type { Session } from '../session.ts'
import { examples, type Shell } from '../shell.ts'

/** Bytes that `cat` asks for at a time: a slow reader of our stdout must not fill our memory. */
const CAT_WINDOW_BYTES: number = 8 * 1024 * 1024

const EXAMPLE_CID = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'

export function addArtifactCommands(program: Command, shell: Shell): void {
  examples(
    program
      .command('add')
      .description('Add a file or folder to the store and pin it.')
      .argument('<path>', 'file or folder of this machine')
      .option('--no-pin', 'Do not pin it: the next gc may remove it.')
      .action(shell.action(add)),
    ['add article.txt', 'add -q ./folder', 'add article.txt --json']
  )
  examples(
    program
      .command('cat')
      .description('Print a file of the store, fetched from peers where needed.')
      .argument('<cid>', 'artifact')
      .action(shell.action(cat)),
    [`cat ${EXAMPLE_CID}`, `cat ${EXAMPLE_CID} --timeout 10s`]
  )
  examples(
    program
      .command('get')
      .description('Write a file or folder of the store to this machine.')
      .argument('<cid>', 'artifact')
      .option('-o, --output <PATH>', 'Where to; must not exist. Default: the CID in this folder.')
      .action(shell.action(get)),
    [`get ${EXAMPLE_CID} -o article.txt`]
  )
  examples(
    program
      .command('gc')
      .description('Remove blocks that no pin and no use in flight holds.')
      .action(shell.action(gc)),
    ['gc']
  )
}

async function add(session: Session, options: { pin: boolean }, path: string): Promise<void> {
  const full = session.path(path)
  await checkInput(full)
  const bar = await progressBar(session, full)
  const onProgress = (data: Progress): void => bar.update((data as AddProgress).bytes)
  const result = await session
    .call('artifacts.add', { path: full, pin: options.pin }, { long: true, onProgress })
    .finally(bar.stop)
  await session.out.document('add', result, () => {
    session.out.line(session.out.options.quiet ? result.cid : `${result.cid}  ${path}`)
    session.out.note(`${result.files} file(s), ${formatBytes(result.bytes)}`)
  })
}

async function cat(session: Session, _options: object, cid: string): Promise<void> {
  const chunks: Uint8Array[] = []
  let total = 0
  for (;;) {
    const waiting: Uint8Array[] = []
    const onProgress = (data: Progress): void =>
      void waiting.push(Buffer.from((data as { base64: string }).base64, 'base64'))
    const range = { offset: total, length: CAT_WINDOW_BYTES }
    const { bytes } = await session.call(
      'artifacts.cat',
      { cid, ...wait(session), ...range },
      { long: true, onProgress }
    )
    if (session.out.options.json) chunks.push(...waiting)
    else for (const chunk of waiting) await session.out.bytes(chunk)
    total += bytes
    if (bytes < CAT_WINDOW_BYTES) break
  }
  if (session.out.options.json)
    session.out.record('cat', {
      cid,
      bytes: total,
      base64: Buffer.concat(chunks).toString('base64')
    })
}

async function get(session: Session, options: { output?: string }, cid: string): Promise<void> {
  const path = session.path(options.output ?? cid)
  const bar = await progressBar(session, null)
  const onProgress = (data: Progress): void => bar.update((data as AddProgress).bytes)
  const result = await session
    .call('artifacts.get', { cid, path, ...wait(session) }, { long: true, onProgress })
    .finally(bar.stop)
  await session.out.document('get', { path, ...result }, () => {
    session.out.line(path)
    session.out.note(`${result.files} file(s), ${formatBytes(result.bytes)}`)
  })
}

async function gc(session: Session): Promise<void> {
  const result = await session.call('gc.run', {}, { long: true })
  await session.out.document('gc', result, () =>
    session.out.line(
      `removed ${result.removed} blocks, ${formatBytes(result.bytes)}; kept ${result.kept}`
    )
  )
}

/** The node should give up a little before the user does, so that the error says what was missing. */
function wait(session: Session): { timeoutMs?: number } {
  return session.timeoutMs === null
    ? {}
    : { timeoutMs: Math.max(1, Math.floor(session.timeoutMs * 0.95)) }
}
