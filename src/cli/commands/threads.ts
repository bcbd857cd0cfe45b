import { type Command, InvalidArgumentError, Option } from 'commander'
import { follow, verbLine } from '../follow.ts'
import { resolveThread } from '../ids.ts'
import { shortId } from '../output.ts'
import type { Session } from '../session.ts'
import { examples, type Shell } from '../shell.ts'
import { isGood, rowText, showOutcome, showThread } from '../thread-text.ts'
import { drawPlan, showReconciles } from './plan.ts'

export function addThreadCommands(program: Command, shell: Shell): void {
  examples(
    program
      .command('threads')
      .description('Threads that this node knows, newest first.')
      .addOption(new Option('--limit <N>', 'At most this many.').argParser(parseLimit))
      .option('--before <ID>', 'Those that stand after this thread in the list.')
      .action(shell.action(list)),
    ['threads', 'threads --limit 5 --json', 'threads --limit 50 --before soitae']
  )
  examples(
    program
      .command('thread')
      .description('One thread: where it stands, why, and who said what.')
      .argument('<id>', 'thread id, or a beginning or end of it')
      .option('--plan', 'Show the shared plan, and what came of branches that lost.')
      .option(
        '--follow',
        'Go on showing verbs until the thread ends; exit status 0 only when it is FINAL and not void.'
      )
      .action(shell.action(thread)),
    ['thread soitae', 'thread soitae --follow', 'thread soitae --plan --json']
  )
}

async function list(session: Session, options: { limit?: number; before?: string }): Promise<void> {
  const { limit } = options
  const before =
    options.before === undefined ? undefined : await resolveThread(session, options.before)
  const threads = await session.call('threads.list', {
    ...(limit === undefined ? {} : { limit }),
    ...(before === undefined ? {} : { before })
  })
  await session.out.document('threads', { threads }, async () => {
    if (session.out.options.quiet) return session.out.lines(threads.map(one => one.thread))
    if (threads.length === 0)
      return session.out.note('No threads. State a NEED with "can-swarm need".')
    const rows = threads.map(one => {
      const [phase, why] = rowText(session.out, one)
      return [shortId(one.thread), phase, one.task, shortId(one.requester), why]
    })
    await session.out.table(['thread', 'phase', 'task', 'requester', 'why'], rows)
  })
}

async function thread(
  session: Session,
  options: { plan?: boolean; follow?: boolean },
  id: string
): Promise<void> {
  const thread = await resolveThread(session, id)
  if (options.plan === true) return showThreadPlan(session, thread)
  if (options.follow === true) return followThread(session, thread)
  const view = await session.call('thread.get', { thread })
  await session.out.document('thread', view, () => {
    showThread(session.out, view)
    for (const one of view.envelopes)
      session.out.line(verbLine(session.out, { ...one, atMs: one.seenAt }))
  })
}

/** The plan, and what became of branches that lost. */
async function showThreadPlan(session: Session, thread: string): Promise<void> {
  const { out } = session
  const view = await session.call('thread.get', { thread })
  const plan = await session.call('plan.get', { thread })
  const { reconciles } = view
  await out.document('plan', { thread, ...plan, reconciles }, () => {
    drawPlan(session, plan)
    showReconciles(session, view)
  })
}

async function followThread(session: Session, thread: string): Promise<void> {
  const events = (await session.client()).events(session.signal)
  for await (const verb of follow(session, { thread, events })) {
    if (session.out.options.json) session.out.record('verb', { thread, ...verb })
    else session.out.line(verbLine(session.out, verb))
  }
  const view = await session.call('thread.get', { thread }, { long: true })
  session.exitCode = isGood(view) ? 0 : 1
  await session.out.document('thread', view, () => showOutcome(session.out, view))
}

function parseLimit(text: string): number {
  if (!/^[1-9]\d{0,3}$/u.test(text))
    throw new InvalidArgumentError('Write a number from 1 to 9999.')
  return Number(text)
}
