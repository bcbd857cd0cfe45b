import type { Input, JournalRecord } from '../../core/swarm/index.ts'
import type { VirtualNode } from '../virtual-node.ts'
import type { Scope } from './durability-checker.ts'
import type { Findings } from './violation.ts'

type Chosen = Extract<JournalRecord, { readonly type: 'chosen' }>
type SealedRecord = Extract<JournalRecord, { readonly type: 'sealed' }>
type Sealed = Chosen['seals'][number]

/** ms for which a requester does not believe as few members as may be liars, while others have not answered. */
const DOUBT_MS = 5_000

/**
 * What a requester binds the next group to (R11): never to what only liars show, as long as honest members may still say otherwise. Reads what was
 * locked from the disks, and the seals as they come in.
 */
export class SealChecker {
  readonly #findings: Findings
  readonly #slotOf: (thread: string) => Scope | undefined
  readonly #clockOf: (node: VirtualNode) => number
  /** Slots and proposals on which somebody honest was locked. */
  readonly #locked = new Set<string>()
  /** By requester, thread and epoch: when the members were asked, and who has shown what. */
  readonly #asked = new Map<string, { atMs: number; readonly shown: Map<string, string | null> }>()

  constructor(
    findings: Findings,
    world: {
      readonly slotOf: (thread: string) => Scope | undefined
      readonly clockOf: (node: VirtualNode) => number
    }
  ) {
    this.#findings = findings
    this.#slotOf = world.slotOf
    this.#clockOf = world.clockOf
  }

  stepped(node: VirtualNode, input: Input): void {
    if (input.kind !== 'message' || input.message.type !== 'sealed') return
    const { thread, epoch, proposal } = input.message
    const asked = this.#asked.get(`${node.index} ${thread} ${epoch}`)
    if (asked?.shown.has(input.from) === false) asked.shown.set(input.from, proposal)
  }

  written(node: VirtualNode, record: JournalRecord): void {
    if (record.type === 'lock' && record.proposal !== null)
      this.#locked.add(`${record.slot} ${record.proposal}`)
    if (record.type === 'sealing')
      this.#asked.set(`${node.index} ${record.thread} ${record.epoch}`, {
        atMs: this.#clockOf(node),
        shown: new Map()
      })
    if (record.type === 'sealed') this.#onSealed(node, record)
    if (record.type === 'chosen') this.#onChosen(node, record)
  }

  /** What is to be judged is not left: the requester has it already (GROUP-21). Who left that epoch before there was anything to judge may leave later ones. */
  #onSealed(node: VirtualNode, record: SealedRecord): void {
    const { thread, epoch, proposal } = record
    this.#asked.get(`${node.index} ${thread} ${epoch}`)?.shown.set(node.did, proposal)
    const view = node.swarm.view(thread)
    const hasLeft = (from: number): boolean =>
      [...node.disk, ...node.unsynced].some(
        other =>
          other !== record &&
          other.type === 'sealed' &&
          other.thread === thread &&
          other.epoch === from
      )
    this.#findings.check(
      view?.commit == null || view.epoch > epoch || hasLeft(view.epoch),
      'seal',
      () => `node ${node.index} leaves epoch ${epoch} of ${thread}, which has a COMMIT in its log`
    )
  }

  #onChosen(node: VirtualNode, chosen: Chosen): void {
    const slot = this.#slotOf(chosen.thread)?.slot
    const before = new Set<string>()
    for (const sealed of chosen.seals) {
      const shown = sealed.seals.flatMap(({ proposal }) => proposal ?? [])
      const faultyMax = Math.floor((sealed.roster.length - 1) / 3)
      const isBacked = shown.some(
        proposal => before.has(proposal) || this.#locked.has(`${slot} ${proposal}`)
      )
      for (const proposal of shown) before.add(proposal)
      // What an earlier choice rests on was looked at then: members have promised since, and what comes later changes nothing.
      if (sealed !== chosen.seals.at(-1)) continue
      if (shown.length === 0 || shown.length > faultyMax || isBacked) continue
      this.#findings.check(
        this.#hasWaited(node, chosen, sealed),
        'seal',
        () => `node ${node.index} binds a group to ${shown[0]}, which nobody honest was locked on`
      )
    }
  }

  #hasWaited(node: VirtualNode, { thread }: Chosen, { epoch, roster }: Sealed): boolean {
    const asked = this.#asked.get(`${node.index} ${thread} ${epoch}`)
    // Asked in an earlier life: nothing is known of what came then.
    if (asked === undefined) return true
    const silent = [...asked.shown.values()].filter(proposal => proposal === null).length
    if (3 * silent > 2 * roster.length) return false
    return asked.shown.size === roster.length || this.#clockOf(node) >= asked.atMs + DOUBT_MS
  }
}
