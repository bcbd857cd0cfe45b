import { archiveDueAt, archiveIfDue } from './ending.ts'
import { driveFinality, finalityDueAt } from './finality.ts'
import { driveFormation, formationDueAt } from './formation.ts'
import { driveForwarding, forwardingDueAt } from './forwarding.ts'
import { driveOmissions, omissionsDueAt } from './omission.ts'
import { reconcileDueAt, reconcileIfDue } from './reconciling.ts'
import { driveReform, reformDueAt } from './reform.ts'
import { restDueAt, restIfDue } from './resting.ts'
import { pullDueAt, pullIfDue } from './sync.ts'
import type { Thread } from './thread.ts'
import { driveVerdicts, verdictsDueAt } from './verdicts.ts'
import { viewOf } from './view.ts'
import type { World } from './world.ts'

/**
 * Something that a thread does by itself when time has passed. `run` before its time changes nothing. `dueAt` is the time (ms) from which
 * `run` has something to do; in the past: at every tick; NEVER: not before something else happens to the thread.
 */
export type Duty = {
  readonly run: (world: World, thread: Thread) => void
  readonly dueAt: (world: World, thread: Thread) => number
}

/** See `Duty`. */
export const NEVER: number = Number.POSITIVE_INFINITY

/** Duties of every thread, in the order in which a tick does them. */
const ALWAYS: readonly Duty[] = [
  {
    run: ({ context }, thread) => pullIfDue(context, thread),
    dueAt: ({ context }, thread) => pullDueAt(context, thread)
  },
  { run: archiveIfDue, dueAt: archiveDueAt },
  { run: restIfDue, dueAt: restDueAt }
]

/** Duties of a thread that has not ended. */
const WHILE_OPEN: readonly Duty[] = [
  {
    run: ({ context }, thread) => driveFormation(context, thread),
    dueAt: ({ context }, thread) => formationDueAt(context, thread)
  },
  {
    run: ({ context }, thread) => driveReform(context, thread),
    dueAt: ({ context }, thread) => reformDueAt(context, thread)
  },
  {
    run: (_, thread) => thread.member?.tick(),
    dueAt: (_, thread) => thread.member?.dueAt() ?? NEVER
  },
  {
    run: ({ context }, thread) => driveForwarding(context, thread),
    dueAt: ({ context }, thread) => forwardingDueAt(context, thread)
  },
  {
    run: ({ context }, thread) => driveOmissions(context, thread),
    dueAt: ({ context }, thread) => omissionsDueAt(context, thread)
  },
  {
    run: ({ context }, thread) => driveFinality(context, thread),
    dueAt: ({ context }, thread) => finalityDueAt(context, thread)
  },
  {
    run: ({ context }, thread) => driveVerdicts(context, thread),
    dueAt: ({ context }, thread) => verdictsDueAt(context, thread)
  },
  {
    run: ({ context }, thread) => reconcileIfDue(context, thread),
    dueAt: ({ context }, thread) => reconcileDueAt(context, thread)
  },
  { run: giveUpIfDue, dueAt: giveUpAt }
]

/** A tick of one thread. */
export function runDuties(world: World, thread: Thread): void {
  for (const duty of ALWAYS) duty.run(world, thread)
  for (const duty of WHILE_OPEN) {
    if (thread.isEnded()) return
    duty.run(world, thread)
  }
}

/** What is asked of an open thread, that first which mostly wants every tick. */
const OF_OPEN: readonly Duty[] = [...WHILE_OPEN, ...ALWAYS]

/** When a thread needs its next tick; now or before, as soon as one duty says so: the others make no difference then. */
export function dutiesDueAt(world: World, thread: Thread): number {
  const { nowMs } = world.context
  let at = NEVER
  for (const duty of thread.isEnded() ? ALWAYS : OF_OPEN) {
    at = Math.min(at, duty.dueAt(world, thread))
    if (at <= nowMs) break
  }
  return at
}

function giveUpAt({ context }: World, thread: Thread): number {
  return thread.lastDeadline() + context.settings.graceMs
}

/** No certificate in time: the thread ends here with the reason, so that nothing ever hangs (P6). */
function giveUpIfDue(world: World, thread: Thread): void {
  const { context } = world
  if (context.nowMs < giveUpAt(world, thread)) return
  const reason = `expired without a certificate: ${viewOf(context, thread).reason}`
  thread.abandoned = reason
  thread.changed(context.nowMs)
  thread.member = null
  thread.formation = null
  thread.sealing = null
  context.persist(
    { type: 'abandoned', thread: thread.id, reason, nowMs: context.nowMs },
    { sync: false }
  )
  world.observeThread(thread)
  world.observeEnd(thread)
}
