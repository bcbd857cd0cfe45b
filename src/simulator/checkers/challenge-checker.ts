import { decode } from '@ipld/dag-cbor'
import type { LogEntry } from '../../core/raft/index.ts'
import type { VirtualNode } from '../virtual-node.ts'
import type { Disks } from './disks.ts'
import { hexOf, type Statement, sha256, statementOf } from './statements.ts'
import type { Findings } from './violation.ts'

/** What comes in the last moment of the window may miss it, ms. */
const ROOM_MS = 128

type Group = { readonly id: string; readonly roster: readonly string[] }

/**
 * P3 where a leader leaves things out: no result is certified FINAL over a CHALLENGE that every honest member had while the window was open, unless the log
 * has one of that challenger. What is in the outcome comes from the log; this is held against what members keep. For worlds in which only lies disturb.
 */
export class ChallengeChecker {
  readonly #findings: Findings
  readonly #disks: Disks
  readonly #isLiar: (did: string) => boolean
  readonly #clockOf: (node: VirtualNode) => number
  readonly #needs = new Map<string, Statement>()
  /** By thread: groups, oldest first. */
  readonly #groups = new Map<string, Group[]>()
  /** By thread: CHALLENGEs, and when which node kept them by its clock. */
  readonly #challenges = new Map<string, Map<string, Kept>>()

  constructor(
    findings: Findings,
    disks: Disks,
    world: {
      readonly isLiar: (did: string) => boolean
      readonly clockOf: (node: VirtualNode) => number
    }
  ) {
    this.#findings = findings
    this.#disks = disks
    this.#isLiar = world.isLiar
    this.#clockOf = world.clockOf
  }

  /** An honest node keeps an envelope. */
  kept(node: VirtualNode, statement: Statement): void {
    const { verb, id, thread, payload, bytes } = statement
    if (verb === 'NEED') this.#needs.set(id, statement)
    if (thread === null) return
    if (verb === 'FORM') this.#onForm(thread, { id: hexOf(sha256(bytes)), roster: payload.roster })
    if (verb === 'CHALLENGE') this.#onChallenge(node, thread, statement)
    if (verb === 'FINALIZE') this.#onEnd(node, thread, statement)
  }

  #onForm(thread: string, group: Group): void {
    const known = this.#groups.get(thread) ?? []
    if (!known.some(({ id }) => id === group.id)) this.#groups.set(thread, [...known, group])
  }

  #onChallenge(node: VirtualNode, thread: string, statement: Statement): void {
    const known = this.#challenges.get(thread) ?? new Map<string, Kept>()
    this.#challenges.set(thread, known)
    const kept = known.get(statement.id) ?? { statement, at: new Map<string, number>() }
    known.set(statement.id, kept)
    kept.at.set(node.did, this.#clockOf(node))
  }

  #onEnd(node: VirtualNode, thread: string, { payload }: Statement): void {
    const { outcome, certificate } = payload
    const need = this.#needs.get(thread)
    const id = hexOf(sha256(certificate.form))
    const group = this.#groups.get(thread)?.find(known => known.id === id)
    if (outcome.result !== 'FINAL' || need === undefined || group === undefined) return
    const { log } = this.#disks.written(node).group(id)
    if (log.length < outcome.index) return
    const logged = log.slice(0, outcome.index).flatMap(stampedOf)
    const until = openedAt(logged, String(outcome.commit)) + need.payload.windows.challengeMs
    const heard = new Set(logged.flatMap(({ statement }) => challengerIn(statement)))
    const honest = group.roster.filter(did => !this.#isLiar(did))
    for (const { statement, at } of this.#challenges.get(thread)?.values() ?? []) {
      const { sender, payload: said } = statement
      if (String(said.commit) !== String(outcome.commit) || heard.has(sender)) continue
      if (isWorker(logged, String(outcome.commit), sender)) continue
      this.#findings.check(
        !honest.every(did => (at.get(did) ?? Number.POSITIVE_INFINITY) + ROOM_MS < until),
        'challenge',
        () => `${thread} is FINAL over ${statement.id}, which all honest members had in time`
      )
    }
  }
}

type Kept = { readonly statement: Statement; readonly at: Map<string, number> }
type Stamped = { readonly stamp: number; readonly statement: Statement }

function stampedOf({ data }: LogEntry): Stamped[] {
  if (data.length === 0) return []
  const [stamp, bytes] = decode<[number, Uint8Array | null]>(data)
  return bytes === null ? [] : [{ stamp, statement: statementOf(bytes) }]
}

/** When the last of those that sealed revealed: the challenge window opens no earlier than that. Where some never did, nothing is claimed. */
function openedAt(logged: readonly Stamped[], commit: string): number {
  const sealed = new Set<string>()
  const revealed = new Set<string>()
  for (const { stamp, statement } of logged) {
    const { verb, sender, payload } = statement
    if ((verb !== 'ATTEST' && verb !== 'REJECT') || String(payload.commit) !== commit) continue
    if (payload.challenge !== null) continue
    if (verb === 'ATTEST' && payload.seal !== null) sealed.add(sender)
    else if (sealed.has(sender)) revealed.add(sender)
    if (revealed.size > 0 && revealed.size === sealed.size) return stamp
  }
  return Number.NEGATIVE_INFINITY
}

function challengerIn({ verb, sender }: Statement): string[] {
  return verb === 'CHALLENGE' ? [sender] : []
}

function isWorker(logged: readonly Stamped[], commit: string, did: string): boolean {
  return logged.some(({ statement: { id, sender } }) => id === commit && sender === did)
}
