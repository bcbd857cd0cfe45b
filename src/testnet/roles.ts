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

/**
 * The first node states NEEDs and nothing else. The next two work; all but the first verify, so that the job survives the
 * loss of any one of them: a worker's own result is left to the others. Bad ones are taken from the end.
 */
export function rolesOf(
  nodes: number,
  options: { readonly capability: string; readonly bad?: number }
): Role[] {
  const { capability, bad = 0 } = options
  return Array.from({ length: nodes }, (_, index) => {
    const name = `node-${index}`
    if (index === 0) return { name, title: 'requester', work: [], verify: [], bad: false }
    if (index >= nodes - bad) return { name, title: 'liar', work: [], verify: [], bad: true }
    const works = index <= 2
    return {
      name,
      title: works ? 'worker, verifier' : 'verifier',
      work: works ? [capability] : [],
      verify: [capability],
      bad: false
    }
  })
}
