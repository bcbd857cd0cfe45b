import { toHex } from '../../core/base/index.ts'
import { cidOf, encode } from '../../core/codec/index.ts'
import type { Admitted } from '../../core/envelope/index.ts'
import type { PlanView } from '../../core/plan/index.ts'
import { TERMINAL } from '../../core/swarm/index.ts'
import type { VirtualNode } from '../virtual-node.ts'
import type { Findings } from './violation.ts'

type Seen = { readonly node: number; readonly digest: string }

/** Holds the plans of honest nodes against each other, and each against what its node holds. */
export class PlanChecker {
  readonly #findings: Findings
  /** Plans of ended threads whose whole log is there, by thread: the first one seen. */
  readonly #final = new Map<string, Seen>()

  constructor(findings: Findings) {
    this.#findings = findings
  }

  /** After a partition has healed, and some time: everybody who follows an open thread has the same plan of it. */
  checkOpen(nodes: readonly VirtualNode[]): void {
    const honest = nodes.filter(({ malice, alive }) => malice === null && alive)
    for (const id of new Set(honest.flatMap(({ swarm }) => swarm.threadIds()))) {
      const holders = honest.filter(({ swarm }) => swarm.has(id))
      const isOver = holders.some(({ swarm }) => TERMINAL.has(swarm.view(id)?.phase ?? 'OPEN'))
      if (isOver) continue
      const seen = holders.map(node => ({ node: node.index, digest: digestOf(node, id) }))
      const other = seen.find(({ digest }) => digest !== seen[0]?.digest)
      if (other !== undefined)
        this.#findings.report(
          'plan',
          `nodes ${seen[0]?.node} and ${other.node} have different plans of ${id} long after the faults`
        )
      for (const node of holders) this.#checkCounted(node, id)
    }
  }

  /** A thread whose record is complete: everybody's last plan of it is the same. */
  checkEnded(node: VirtualNode, id: string): void {
    const seen = { node: node.index, digest: digestOf(node, id) }
    const first = this.#final.get(id) ?? seen
    this.#final.set(id, first)
    if (first.digest !== seen.digest)
      this.#findings.report(
        'plan',
        `nodes ${first.node} and ${seen.node} have different plans of ${id}, which has ended`
      )
    this.#checkSources(node, id)
  }

  /** Which updates count, by a second reading of protocols/plan. */
  #checkCounted(node: VirtualNode, id: string): void {
    const held = (node.swarm.view(id)?.envelopes ?? [])
      .filter(({ verb }) => verb === 'UPDATE_PLAN')
      .map(one => node.swarm.envelope(id, one.id) as Admitted<'UPDATE_PLAN'>)
    const expected = countedOf(held)
    const counted = node.swarm.plan(id)?.counted() ?? []
    if (expected.toSorted().join() !== counted.toSorted().join())
      this.#findings.report(
        'plan',
        `node ${node.index} counts ${counted.length} of ${held.length} updates of ${id}, not ${expected.length}`
      )
    this.#checkSources(node, id)
  }

  /** Every fact that is shown was signed by somebody, in an envelope that the node holds. */
  #checkSources(node: VirtualNode, id: string): void {
    const view = node.swarm.plan(id)?.view()
    const stray = view && sourcesOf(view).find(source => !node.swarm.envelope(id, source))
    if (stray !== undefined)
      this.#findings.report('plan', `node ${node.index} shows a fact of ${stray}, which it lacks`)
  }
}

function digestOf({ swarm }: VirtualNode, id: string): string {
  return toHex(cidOf(encode(swarm.plan(id)?.view() ?? null)).bytes)
}

function sourcesOf({ tasks, links }: PlanView): string[] {
  const ofTasks = tasks.flatMap(task => [
    task.source,
    task.stateSource,
    ...[...task.inputs, ...task.outputs, ...task.annotations].map(({ source }) => source)
  ])
  return [...ofTasks, ...links.map(({ source }) => source)].filter(source => source !== null)
}

function countedOf(held: readonly Admitted<'UPDATE_PLAN'>[]): string[] {
  const bySession = Map.groupBy(held, ({ envelope: { sender, payload } }) => {
    return `${sender} ${payload.session}`
  })
  return [...bySession.values()].flatMap(session => {
    const chain: string[] = []
    for (let isWhole = true; isWhole; ) {
      const here = session.filter(({ envelope }) => envelope.payload.seq === chain.length + 1)
      const [one] = here
      const previous = one?.envelope.payload.previous?.toString() ?? null
      isWhole = here.length === 1 && previous === (chain.at(-1) ?? null)
      if (isWhole && one !== undefined) chain.push(one.id)
    }
    return chain
  })
}
