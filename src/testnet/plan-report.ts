import type { TaskView } from '../core/plan/index.ts'
import type { ThreadView } from '../core/swarm/index.ts'
import type { ReplayVerdict } from './demo-report.ts'
import type { NodeProcess } from './node-process.ts'
import { replayThread } from './replay-thread.ts'
import type { Testnet } from './testnet.ts'

/** What `testnet demo --plan --json` prints as its last line. */
export type PlanReport = {
  readonly schema: string
  readonly ok: boolean
  readonly phase: string
  readonly reason: string
  readonly thread: string
  /** The node that had the plan done. */
  readonly coordinator: string | null
  /** In an order in which each comes after what it waits for. */
  readonly tasks: readonly TaskReport[]
  /** Nodes that did a task. */
  readonly workers: readonly string[]
  /** Words of the text, counted by the swarm; and whether counting them in this process gives the same bytes. */
  readonly words: number | null
  readonly countIsRight: boolean
  readonly record: string | null
  readonly resultPath: string | null
  readonly replay: ReplayVerdict
  readonly nodes: number
  readonly problems: readonly string[]
  readonly totalMs: number
}

export type TaskReport = {
  readonly task: string
  readonly type: string
  readonly thread: string
  readonly worker: string | null
  readonly phase: string
  readonly waitsFor: readonly string[]
  /** ms from the plan's NEED until the task's NEED, and until its end. */
  readonly statedMs: number
  readonly finalMs: number | null
  readonly outputs: readonly string[]
  /** Its NEED names the results of everything that it waits for, so it was stated after them. */
  readonly isInOrder: boolean
  readonly replay: ReplayVerdict
}

/**
 * What became of each task, by the node that coordinated the plan, whose FINALIZEs are the ones that its NEEDs name. The threads
 * are replayed too; `problems` takes what is wrong.
 */
export async function taskReports(
  testnet: Testnet,
  init: {
    readonly parent: ThreadView
    readonly coordinator: NodeProcess
    readonly signal: AbortSignal
    readonly problems: string[]
  }
): Promise<TaskReport[]> {
  const { parent, coordinator, signal, problems } = init
  const { client } = coordinator
  const { view, graph } = await client.call('plan.get', { thread: parent.thread }, { signal })
  const tasks = new Map(view.tasks.map(task => [task.task, task]))
  const views = new Map<string, ThreadView>()
  for (const name of graph.order) {
    const thread = noteOf(tasks.get(name), 'thread')
    if (thread !== undefined)
      views.set(name, await client.call('thread.get', { thread }, { signal }))
  }
  const reports: TaskReport[] = []
  for (const [task, own] of views) {
    const waitsFor = view.links.flatMap(({ parent: one, child }) => (child === task ? [one] : []))
    const rests = waitsFor.map(one => views.get(one)?.finalize?.id ?? '')
    const isInOrder = rests.every(id => own.refs.includes(id))
    if (!isInOrder) problems.push(`${task} was stated before what it waits for`)
    if (own.phase !== 'FINAL') problems.push(`${task} is ${own.phase}: ${own.reason}`)
    const { replay, ...replayed } = await replayThread(coordinator, own, {
      dir: testnet.dir,
      signal
    })
    problems.push(...replayed.problems.map(problem => `${task}: ${problem}`))
    reports.push({
      task,
      type: own.task,
      thread: own.thread,
      worker: own.decide === null ? null : testnet.nameOf(own.decide.worker),
      phase: own.phase,
      waitsFor,
      statedMs: own.openedAt - parent.openedAt,
      finalMs: endOf(own, parent),
      outputs: own.commit?.outputs ?? [],
      isInOrder,
      replay
    })
  }
  return reports
}

function endOf({ envelopes }: ThreadView, parent: ThreadView): number | null {
  const end = envelopes.find(({ verb }) => verb === 'FINALIZE')
  return end === undefined ? null : end.seenAt - parent.openedAt
}

function noteOf(task: TaskView | undefined, key: string): string | undefined {
  return task?.annotations.find(note => note.key === key)?.value
}
