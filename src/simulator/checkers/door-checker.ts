import {
  CLOCK_SKEW_MS_MAX,
  SENDER_ENVELOPES_BURST,
  SENDER_ENVELOPES_PER_SECOND
} from '../../core/base/index.ts'
import type { Admitted } from '../../core/envelope/index.ts'
import type { VirtualNode } from '../virtual-node.ts'
import type { Arrival } from '../witness.ts'
import { CERTIFIED } from './certified-verbs.ts'
import type { Findings } from './violation.ts'

/** ms over which a sender's envelopes are counted. */
const SPAN_MS = 4_000
const MOST: number = SENDER_ENVELOPES_BURST + (SPAN_MS / 1000) * SENDER_ENVELOPES_PER_SECOND + 1

/** Verbs of which ENV-15 is not asked. */
const UNORDERED: ReadonlySet<string> = new Set(['UPDATE_PLAN', ...CERTIFIED])

/** What a machine may get from peers: nothing that has expired, one envelope for each clock value of a sender, and no flood. By counting, in one life of a node. */
export class DoorChecker {
  readonly #findings: Findings
  /** By node and life, sender and clock value: the envelope, and until when a door has to remember it. */
  readonly #said = new Map<string, { readonly id: string; readonly until: number }>()
  readonly #logged = new Set<string>()
  /** By node and life, and sender: when its last envelopes came. */
  readonly #times = new Map<string, number[]>()

  constructor(findings: Findings) {
    this.#findings = findings
  }

  admitted(node: VirtualNode, { id, envelope }: Admitted, { origin, nowMs }: Arrival): void {
    const { sender, lamport, notAfter, verb } = envelope
    const where = `${node.index} ${node.life} ${sender}`
    // What the machine has out of a log or a certificate it may get once more.
    if (origin === 'log') this.#logged.add(`${where} ${id}`)
    if (this.#logged.has(`${where} ${id}`)) return
    this.#findings.check(
      notAfter + CLOCK_SKEW_MS_MAX >= nowMs,
      'door',
      () => `node ${node.index} takes ${id}, which expired ${nowMs - notAfter} ms ago`
    )
    // Plan updates have a rule of their own: two at one place are both taken, and neither counts. Certificates prove what they say.
    const key = UNORDERED.has(verb) ? `${where} ${lamport} ${id}` : `${where} ${lamport}`
    const known = this.#said.get(key)
    if (known?.id === id) return
    const until = notAfter + CLOCK_SKEW_MS_MAX
    this.#said.set(key, { id, until })
    // What has expired is forgotten: a sender that said it a day ahead of its clock comes by that value again.
    this.#findings.check(
      known === undefined || known.until < nowMs,
      'door',
      () => `node ${node.index} takes ${known?.id} and ${id}, of one sender and one clock value`
    )
    const times = (this.#times.get(where) ?? []).filter(at => at > nowMs - SPAN_MS && at <= nowMs)
    times.push(nowMs)
    this.#times.set(where, times)
    this.#findings.check(
      times.length <= MOST,
      'door',
      () => `node ${node.index} takes ${times.length} envelopes of ${sender} in ${SPAN_MS} ms`
    )
  }
}
