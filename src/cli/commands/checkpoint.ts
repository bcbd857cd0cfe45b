import type { Command } from 'commander'
import type { CheckpointSummary, SyncedLog } from '../../rpc/index.ts'
import { IdNotFoundError } from '../errors.ts'
import { resolvePeer } from '../ids.ts'
import { aborted, onlyReads } from '../interrupt.ts'
import { shortId } from '../output.ts'
import { countBar } from '../progress-bar.ts'
import { proofSource } from '../proof-files.ts'
import type { Session } from '../session.ts'
import { examples, type Shell } from '../shell.ts'

export function addCheckpointCommands(program: Command, shell: Shell): void {
  const checkpoint = program
    .command('checkpoint')
    .description('Signed and witnessed states of the logs of ended threads.')
  examples(checkpoint, ['checkpoint ls', 'checkpoint show > checkpoint.txt'])
  examples(
    checkpoint
      .command('ls')
      .description('The newest checkpoint of this node, and of each log that it witnesses.')
      .action(shell.action(list)),
    ['checkpoint ls', 'checkpoint ls --json']
  )
  examples(
    checkpoint
      .command('show')
      .description("Print a checkpoint as the signed note that it is: this node's, or another's.")
      .argument('[did]', 'node whose log it is, or a beginning or end of its DID')
      .action(shell.action((session, _options: object, did?: string) => show(session, did))),
    ['checkpoint show', 'checkpoint show z6MkhaX']
  )
  examples(
    checkpoint
      .command('make')
      .description('Sign what is new in the log now, and ask connected nodes to witness it.')
      .action(shell.action(make)),
    ['checkpoint make']
  )
  examples(
    checkpoint
      .command('verify')
      .description('Check a checkpoint and count its witnesses. Needs no node, home or network.')
      .argument('<file>', 'signed note; - reads standard input')
      .action(shell.action((session, _options: object, file: string) => verify(session, file))),
    ['checkpoint verify checkpoint.txt']
  )
  examples(
    program
      .command('sync')
      .description('Load how threads ended that other nodes have checkpointed.')
      .option(
        '--from <DID>',
        'Only the log of this node: its DID, or for a connected one a beginning or end of it.'
      )
      .option('--full', 'Check the certificate of every thread, whatever witnesses say.')
      .option('--all', 'Load also what ended so long ago that it binds nobody any more.')
      .option(
        '--anew',
        'With --from: forget how far that log was loaded before, and load it again.'
      )
      .action(shell.action(sync)),
    ['sync', 'sync --full --json']
  )
}

async function list(session: Session): Promise<void> {
  const checkpoints = await session.call('checkpoint.list', {})
  await session.out.document('checkpoints', { checkpoints }, async () => {
    const rows = checkpoints.map(one => [
      one.own ? 'this node' : shortId(didOf(one)),
      String(one.size),
      one.root === null ? '-' : one.root.slice(0, 16),
      String(one.witnesses.length),
      stateOf(one)
    ])
    await session.out.table(['log', 'threads', 'root', 'witnesses', 'state'], rows)
  })
}

function stateOf({ stopped, stable, size, announced }: CheckpointSummary): string {
  if (stopped !== null) return stopped
  if (announced) return stable ? 'announced, stable' : 'announced'
  return stable ? 'stable' : size === 0 ? 'none yet' : 'waits for witnesses'
}

async function show(session: Session, did?: string): Promise<void> {
  const checkpoints = await session.call('checkpoint.list', {})
  const found = checkpoints.find(one => (did === undefined ? one.own : didOf(one).includes(did)))
  if (found?.base64 == null)
    throw new IdNotFoundError(
      did === undefined
        ? 'this node has signed no checkpoint yet: "can-swarm checkpoint make" signs one when a thread has ended'
        : `this node holds no checkpoint of ${did}: "can-swarm checkpoint ls" lists those it does`
    )
  const note = Buffer.from(found.base64, 'base64')
  await session.out.document('checkpoint', { ...found, note: note.toString() }, () =>
    session.out.bytes(note)
  )
}

async function make(session: Session): Promise<void> {
  const made = await session.call('checkpoint.make', {})
  await session.out.document('checkpoint', { ...made }, () =>
    session.out.line(
      `${made.size} of ${made.leaves} threads, ${made.witnesses.length} witnesses${made.stable ? ', stable' : ''}${made.stopped === null ? '' : `: ${made.stopped}`}`
    )
  )
}

async function verify(session: Session, file: string): Promise<void> {
  const source = await proofSource(session, file)
  const { verifyCheckpoint } = await import('../../replay/index.ts')
  const report = await onlyReads(Promise.race([verifyCheckpoint(source), aborted(session.signal)]))
  const { out } = session
  session.exitCode = report.ok ? 0 : 1
  await out.document('checkpoint-verify', report, () => {
    if (!report.ok)
      return out.line(
        `${out.style('red', 'FAILED')}  ${report.problem.message} [${report.problem.code}]`
      )
    const { origin, size, root, standing, witnesses } = report.claim
    out.line(`${out.style('green', 'ok')}  ${origin} had ${size} ended threads`)
    if (out.options.quiet) return
    out.line(`root       ${root}`)
    if (standing !== null)
      out.line(`standing   at ${standing.at} the first ${standing.from} bound nobody any more`)
    for (const { did, at } of witnesses) out.line(`witness    ${did} at ${at}`)
  })
}

type SyncOptions = {
  readonly from?: string
  readonly full?: boolean
  readonly all?: boolean
  readonly anew?: boolean
}

async function sync(session: Session, { from, full, all, anew }: SyncOptions): Promise<void> {
  const bar = await countBar(session, 0)
  const origin = from === undefined ? {} : { from: await resolvePeer(session, from) }
  const params = { ...origin, ...(full && { full }), ...(all && { all }), ...(anew && { anew }) }
  const onProgress = (data: unknown): void => {
    const { done, size } = data as { done: number; size: number }
    bar.update(done, 'threads', size)
  }
  const result = await session.call('history.sync', params, { onProgress }).finally(bar.stop)
  await session.out.document('sync', { ...result }, () => {
    for (const log of result.logs) tellLog(session, log)
    for (const { origin, reason: why } of result.failed)
      session.out.note(`not loaded: ${origin}: ${why}`)
  })
}

function tellLog(
  { out }: Session,
  { origin, size, from, loaded, trust, witnesses }: SyncedLog
): void {
  const word =
    trust === 'full'
      ? 'every certificate was checked here'
      : `on the word of ${witnesses.length} witnesses`
  out.line(`${size} ended threads of ${origin}, ${loaded} new, ${word}`)
  if (from > 0)
    out.note(`the first ${from} bind nobody any more and were not loaded: --all loads them`)
}

function didOf({ origin }: CheckpointSummary): string {
  return origin.slice(origin.lastIndexOf('/') + 1)
}
