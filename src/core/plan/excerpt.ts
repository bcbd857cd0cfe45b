import { compareText } from '../base/index.ts'
import type { Link } from './task-graph.ts'
import type { PlanTasks } from './tasks.ts'
import type { ForkView, PlanExcerpt, TaskView } from './types.ts'

/** Tasks that an excerpt shows: four times as many as a PROPOSE can have, and what a screen or a picture can. */
export const EXCERPT_TASKS_MAX = 4_096
/** Links that an excerpt shows: as many as the order looks at. */
export const EXCERPT_LINKS_MAX = 8_192
/** Inputs, outputs and notes that an excerpt shows of one task, each. */
export const EXCERPT_ITEMS_MAX = 128
/** Forked sessions that an excerpt shows. */
export const EXCERPT_FORKS_MAX = 1_024
/** Characters of the tasks as JSON: with the links well within a line of the control socket. */
export const EXCERPT_CHARACTERS_MAX: number = 4 * 1024 * 1024

/** What of a plan goes into an excerpt, and how much does not. */
export type Excerpted = {
  readonly tasks: readonly TaskView[]
  readonly links: readonly Link[]
  readonly forks: readonly ForkView[]
  readonly left: PlanExcerpt['left']
}

/**
 * As much of a plan as one may show at once, however large strangers have made it: what insiders say first. Where all fits it is the same as
 * the view.
 */
export function excerptOf(
  tasks: PlanTasks,
  given: {
    readonly epoch: number | null
    readonly links: readonly Link[]
    readonly forks: readonly ForkView[]
  }
): Excerpted {
  const shown = new Map<string, TaskView>()
  let characters = 0
  let items = 0
  for (const name of tasks.foremost(EXCERPT_TASKS_MAX)) {
    const { view, left } = tasks.excerpt(name, given.epoch, EXCERPT_ITEMS_MAX)
    characters += JSON.stringify(view).length
    if (characters > EXCERPT_CHARACTERS_MAX) break
    shown.set(name, view)
    items += left
  }
  const links = linksAmong(given.links, shown)
  const forks = given.forks.slice(0, EXCERPT_FORKS_MAX)
  return {
    tasks: [...shown.values()].sort((a, b) => compareText(a.task, b.task)),
    links,
    forks,
    left: {
      tasks: tasks.count() - shown.size,
      links: given.links.length - links.length,
      items,
      forks: given.forks.length - forks.length
    }
  }
}

function linksAmong(links: readonly Link[], shown: ReadonlyMap<string, unknown>): Link[] {
  const among: Link[] = []
  for (const link of links) {
    if (among.length === EXCERPT_LINKS_MAX) break
    if (shown.has(link.parent) && shown.has(link.child)) among.push(link)
  }
  return among
}
