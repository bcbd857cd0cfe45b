/** What each node of a testnet is there for. All of them are voters. */
export type Role = {
  readonly name: string
  /** For people. */
  readonly title: string
  readonly work: readonly string[]
  readonly verify: readonly string[]
  /** Runs a liar in place of honest agents. */
  readonly bad: boolean
}

/** Nodes that work, where nobody says how many. */
const WORKERS = 2

/**
 * The first node states NEEDs and nothing else. The next two, or so many as are asked for, work; all but the first verify, so that the job
 * survives the loss of any one of them: a worker's own result is left to the others. Bad ones are taken from the end.
 */
export function rolesOf(
  nodes: number,
  options: {
    /** What the nodes can do. */
    readonly capability: string
    /** What they can do as well. */
    readonly more?: readonly string[]
    readonly workers?: number
    readonly bad?: number
  }
): Role[] {
  const { capability, more = [], workers = WORKERS, bad = 0 } = options
  const all = [capability, ...more]
  return Array.from({ length: nodes }, (_, index) => {
    const name = `node-${index}`
    if (index === 0) return { name, title: 'requester', work: [], verify: [], bad: false }
    if (index >= nodes - bad) return { name, title: 'liar', work: [], verify: [], bad: true }
    const works = index <= workers
    return {
      name,
      title: works ? 'worker, verifier' : 'verifier',
      work: works ? all : [],
      verify: all,
      bad: false
    }
  })
}
