import { assert, compareText } from '../base/index.ts'
import { CONFIGURATION_MEMBERS_MAX } from './limits.ts'
import type { Configuration, LogIndex, MemberId } from './types.ts'

/** Section 6: between two sets of voters there is a time in which both must agree. */
export function isJoint(configuration: Configuration): boolean {
  return configuration.outgoing.length > 0
}

/** Whether a member's vote and copy count, in the old or in the new set. */
export function isVoter(configuration: Configuration, id: MemberId): boolean {
  return configuration.voters.includes(id) || configuration.outgoing.includes(id)
}

/** Everybody who gets the log, each once, in text order. */
export function membersOf(configuration: Configuration): MemberId[] {
  const { voters, outgoing, learners } = configuration
  return [...new Set([...voters, ...outgoing, ...learners])].sort(compareText)
}

/** The configuration of a group that never changed its members. */
export function plainConfiguration(voters: readonly MemberId[]): Configuration {
  return { voters, outgoing: [], learners: [] }
}

/** Whether two configurations say the same, whatever the order of names. */
export function isSameConfiguration(a: Configuration, b: Configuration): boolean {
  return (
    isSameSet(a.voters, b.voters) &&
    isSameSet(a.outgoing, b.outgoing) &&
    isSameSet(a.learners, b.learners)
  )
}

/** Whether two lists without repetition hold the same names. */
export function isSameSet(a: readonly MemberId[], b: readonly MemberId[]): boolean {
  return a.length === b.length && a.every(id => b.includes(id))
}

/** [RAFT-29] Whether an entry or a snapshot may say this: somebody votes, nobody is named twice or both votes and only learns. */
export function isConfiguration(value: unknown): value is Configuration {
  if (typeof value !== 'object' || value === null) return false
  const { voters, outgoing, learners } = value as {
    readonly [name in keyof Configuration]?: unknown
  }
  if (!areNames(voters) || !areNames(outgoing) || !areNames(learners)) return false
  return voters.length > 0 && !learners.some(id => voters.includes(id))
}

function areNames(value: unknown): value is readonly MemberId[] {
  return (
    Array.isArray(value) &&
    value.length <= CONFIGURATION_MEMBERS_MAX &&
    value.every(id => typeof id === 'string') &&
    new Set(value).size === value.length
  )
}

type Placed = { readonly index: LogIndex; readonly configuration: Configuration }

/**
 * The configurations that a log brought, in its order. The latest is in use from the moment it is in the log, committed or not
 * (section 6); when the log is cut, the one before it is in use again.
 */
export class ConfigurationHistory {
  /** The first one is that of the snapshot, or of the beginning. */
  #placed: Placed[]

  constructor(base: Placed) {
    this.#placed = [base]
  }

  get latest(): Configuration {
    return this.#last.configuration
  }

  get latestIndex(): LogIndex {
    return this.#last.index
  }

  /** The one in use by a log that ends at `index`. */
  at(index: LogIndex): Configuration {
    return this.since(index)[0] as Configuration
  }

  /** Those that may still be in use somewhere when everything up to `index` is committed: the one there and all later ones. */
  since(index: LogIndex): Configuration[] {
    const from = this.#placed.findLastIndex(placed => placed.index <= index)
    return this.#placed.slice(Math.max(from, 0)).map(placed => placed.configuration)
  }

  add(index: LogIndex, configuration: Configuration): void {
    assert(index > this.#last.index, 'configurations follow the log')
    this.#placed.push({ index, configuration })
  }

  /** The log lost everything from `index` on. */
  truncate(index: LogIndex): void {
    while (this.#placed.length > 1 && this.#last.index >= index) this.#placed.pop()
  }

  /** A snapshot covers everything up to `index`. */
  compact(index: LogIndex): void {
    const base = this.#placed.findLastIndex(placed => placed.index <= index)
    this.#placed = this.#placed.slice(Math.max(base, 0))
  }

  /** A snapshot replaced the log. */
  install(index: LogIndex, configuration: Configuration): void {
    this.#placed = [{ index, configuration }]
  }

  get #last(): Placed {
    return this.#placed.at(-1) as Placed
  }
}
