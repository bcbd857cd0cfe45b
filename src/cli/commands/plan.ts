import { type Command, Option } from 'commander'
import { printable } from '../../core/base/index.ts'
import type { ThreadView } from '../../core/swarm/index.ts'
import type { MethodResult } from '../../rpc/index.ts'
import { UsageError } from '../errors.ts'
import { FACT_FORMS, parseFact } from '../fact-words.ts'
import { resolveThread } from '../ids.ts'
import { shortId } from '../output.ts'
import { planDot } from '../plan-dot.ts'
import { planTree } from '../plan-tree.ts'
import type { Session } from '../session.ts'
import { examples, type Shell } from '../shell.ts'

type PlanOptions = { readonly dot?: boolean; readonly facts?: boolean }

export function addPlanCommand(program: Command, shell: Shell): void {
  const command = program
    .command('plan')
    .description(
      'The shared plan of a thread, as a tree: each task, and below it what it waits for.'
    )
    .argument('<id>', 'thread id, or a beginning or end of it')
    .addOption(new Option('--dot', 'Print it for Graphviz.').conflicts('facts'))
    .option('--facts', 'Print the facts that it is made of, each with who said it.')
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
  const plan = await session.call('plan.get', { thread })
  await out.document('plan', { thread, ...plan }, async () => {
    if (options.facts === true) return showFacts(session, plan)
    if (options.dot === true) return out.lines(planDot(plan))
    drawPlan(session, plan)
  })
}

/** The tree, and a note for each link that is not in it. */
export function drawPlan({ out }: Session, plan: MethodResult<'plan.get'>): void {
  out.lines(planTree(out, plan))
  for (const { parent, child, why } of plan.graph.ignored)
    out.note(`left out: ${child} waits for ${parent} (${why})`)
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
  { heads, changes }: MethodResult<'plan.get'>
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
