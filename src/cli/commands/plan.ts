import { type Command, Option } from 'commander'
import { printable } from '../../core/base/index.ts'
import type { PlanChange } from '../../core/plan/index.ts'
import type { ThreadView } from '../../core/swarm/index.ts'
import { type CallPlanChanges, type MethodResult, planChanges } from '../../rpc/index.ts'
import { UsageError } from '../errors.ts'
import { FACT_FORMS, parseFact } from '../fact-words.ts'
import { resolveThread } from '../ids.ts'
import { shortId } from '../output.ts'
import { planDot } from '../plan-dot.ts'
import { planTree } from '../plan-tree.ts'
import type { Session } from '../session.ts'
import { examples, type Shell } from '../shell.ts'

type PlanOptions = { readonly dot?: boolean; readonly facts?: boolean; readonly task?: string }

export function addPlanCommand(program: Command, shell: Shell): void {
  const command = program
    .command('plan')
    .description(
      'The shared plan of a thread, as a tree: each task, and below it what it waits for.'
    )
    .argument('<id>', 'thread id, or a beginning or end of it')
    .addOption(new Option('--dot', 'Print it for Graphviz.').conflicts('facts'))
    .option('--facts', 'Print the facts that it is made of, each with who said it.')
    .addOption(
      new Option(
        '--task <name>',
        'Print one task, all tasks that it waits for, and all that wait for it.'
      ).conflicts(['dot', 'facts'])
    )
    .action(shell.action(plan))
  examples(
    command
      .command('add')
      .description('State facts of the plan in the name of this node.')
      .argument('<id>', 'thread id, or a beginning or end of it')
      .argument('<fact...>', FACT_FORMS.join(', '))
      .hook('preAction', refusePlanOptions)
      .action(
        shell.action((session, _options: object, id: string, words: string[]) =>
          add(session, id, words)
        )
      ),
    [
      'plan add soitae add-task:draft:text/write add-task:review:text/review link:draft:review',
      'plan add soitae annotate:draft:note=begins-on-monday'
    ]
  )
  examples(command, ['plan soitae', 'plan soitae --dot', 'plan soitae --json'])
}

/** What `plan` takes is for printing one. */
function refusePlanOptions({ parent }: Command): void {
  const given = parent?.options.find(
    option => parent.getOptionValueSource(option.attributeName()) === 'cli'
  )
  if (given !== undefined)
    throw new UsageError(`${given.long} is for printing a plan: "plan add" does not take it`)
}

async function plan(session: Session, options: PlanOptions, id: string): Promise<void> {
  const { out } = session
  const thread = await resolveThread(session, id)
  if (options.task !== undefined) return showTask(session, thread, options.task)
  const plan = await session.call('plan.get', { thread })
  if (options.facts === true) {
    const changes = await readChanges(session, thread)
    await out.document('plan', { thread, ...plan, changes }, () =>
      showFacts(session, { ...plan, changes })
    )
    return
  }
  await out.document('plan', { thread, ...plan }, () => {
    if (options.dot !== true) return drawPlan(session, plan)
    out.lines(planDot(plan))
    noteLeft(session, plan)
  })
}

async function showTask(session: Session, thread: string, name: string): Promise<void> {
  const { out } = session
  const found = await session.call('plan.task', { thread, task: name })
  await out.document('plan-task', { thread, ...found }, () => {
    const { task, left, ancestors, descendants, blockers } = found
    const orphaned = task.orphanedByEpoch === null ? [] : [`orphaned by ${task.orphanedByEpoch}`]
    const isReady = blockers?.length === 0 ? ['ready'] : []
    out.line([task.task, task.type ?? 'not added', task.state, ...orphaned, ...isReady].join('  '))
    const rows = [
      ...ancestors.map(one => [blockers?.includes(one) ? 'blocked by' : 'waits for', one]),
      ...descendants.map(one => ['waited for by', one]),
      ...task.inputs.map(({ artifact }) => ['needs', artifact]),
      ...task.outputs.map(({ artifact }) => ['made', artifact]),
      ...task.annotations.map(({ key, value, sender }) => [
        'note',
        `${key} = ${printable(value)} (${shortId(sender)})`
      ])
    ]
    for (const [what, which] of rows) out.line(`  ${what?.padEnd(13)}  ${which}`)
    if (left > 0) out.note(`${left} more inputs, outputs and notes: see plan --facts`)
  })
}

/** All of them, part by part. */
async function readChanges(session: Session, thread: string): Promise<PlanChange[]> {
  const changes: PlanChange[] = []
  const read: CallPlanChanges = (method, params) => session.call(method, params)
  for await (const change of planChanges(read, { thread })) changes.push(change)
  return changes
}

function noteLeft({ out }: Session, { left }: MethodResult<'plan.get'>): void {
  const { tasks, links, items, forks } = left
  if (tasks + links + items + forks > 0)
    out.note(
      `the plan is too large to be shown at once: ${tasks} tasks, ${links} links, ${items} inputs, outputs and notes, and ${forks} forks are left out, those of strangers first; see --facts`
    )
}

/** The tree, and a note for each link that is not in it. */
export function drawPlan(session: Session, plan: MethodResult<'plan.get'>): void {
  const { out } = session
  out.lines(planTree(out, plan))
  for (const { parent, child, why } of plan.graph.ignored)
    out.note(`left out: ${child} waits for ${parent} (${why})`)
  noteLeft(session, plan)
}

/** What became of the branches of a thread that lost, as its RECONCILEs say. */
export function showReconciles({ out }: Session, { reconciles }: ThreadView): void {
  for (const { sender, merged, orphaned, salvaged } of reconciles) {
    const counts = `merged ${merged.length}, orphaned ${orphaned.length}, salvaged ${salvaged.length}`
    out.line(`${out.style('yellow', 'RECONCILE')}  by ${shortId(sender)}  ${counts}`)
    for (const [what, ids] of Object.entries({ orphaned, salvaged }))
      for (const id of ids) out.line(`  ${what.padEnd(8)}  ${id}`)
  }
}

async function showFacts(
  { out }: Session,
  { heads, changes }: { readonly heads: readonly string[]; readonly changes: readonly PlanChange[] }
): Promise<void> {
  out.note(`heads ${heads.join(' ')}`)
  const rows = changes.flatMap(change =>
    change.facts.map(({ kind, ...rest }) => [
      String(change.lamport),
      shortId(change.sender),
      kind,
      factText(rest)
    ])
  )
  await out.table(['lamport', 'who', 'fact', 'what'], rows)
}

async function add(session: Session, id: string, words: readonly string[]): Promise<void> {
  const facts = words.map(parseFact)
  const thread = await resolveThread(session, id)
  const { envelope } = await session.call('plan.add', { thread, facts })
  await session.out.document('plan-add', { thread, envelope }, () => session.out.line(envelope))
}

/** The fields of facts in the order in which one reads them, whatever order they came in. */
const FIELDS = [
  'task',
  'parent',
  'child',
  'type',
  'state',
  'key',
  'value',
  'artifact',
  'requires',
  'produces'
]

function factText(fact: object): string {
  const fields: Readonly<Record<string, unknown>> = { ...fact }
  return FIELDS.filter(name => Object.hasOwn(fields, name))
    .map(name => `${name} ${valueText(fields[name])}`)
    .join(', ')
}

/** A link is `{"/": CID}` in JSON. */
function valueText(value: unknown): string {
  if (typeof value === 'string') return printable(value)
  if (Array.isArray(value)) return `[${value.map(valueText).join(' ')}]`
  const link = (value as { '/'?: unknown } | null)?.['/']
  return typeof link === 'string' ? link : JSON.stringify(value)
}
