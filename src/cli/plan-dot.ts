import type { Plan } from './plan-tree.ts'

const COLORS = {
  DRAFT: 'white',
  DECIDED: 'khaki',
  VERIFIED: 'lightblue',
  FINAL: 'palegreen'
} as const

/**
 * The plan for Graphviz: a box for each task, coloured by its state, and an arrow from each task to those that wait for it. Links that the order
 * leaves out are dashed and red; tasks of a branch that lost have a dashed border, and say to which epoch.
 */
export function planDot({ view, graph }: Pick<Plan, 'view' | 'graph'>): string[] {
  const ignored = new Set(graph.ignored.map(({ parent, child }) => `${parent} ${child}`))
  return [
    'digraph plan {',
    '  rankdir=LR',
    '  node [shape=box style=filled fontname=monospace]',
    ...view.tasks.map(({ task, type, state, orphanedByEpoch: epoch }) => {
      const orphaned = epoch === null ? [] : [`orphaned by epoch ${epoch}`]
      const label = [task, ...(type === null || type === task ? [] : [type]), state, ...orphaned]
      const style = epoch === null ? '' : ' style="filled,dashed" fontcolor=gray40'
      return `  ${quote(task)} [label=${quote(label.join('\n'))} fillcolor=${COLORS[state]}${style}]`
    }),
    ...view.links.map(({ parent, child }) => {
      const style = ignored.has(`${parent} ${child}`)
        ? ' [style=dashed color=red constraint=false]'
        : ''
      return `  ${quote(parent)} -> ${quote(child)}${style}`
    }),
    '}'
  ]
}

function quote(text: string): string {
  return `"${text.replace(/\\/gu, '\\\\').replace(/"/gu, '\\"').replace(/\n/gu, '\\n')}"`
}
