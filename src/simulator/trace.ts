import { createHash } from 'node:crypto'
import type { Effect, Input, JournalRecord, PeerMessage } from '../core/swarm/index.ts'
import type { VirtualNode } from './virtual-node.ts'
import type { Witness } from './witness.ts'

/** Characters that are hashed at once. */
const CHUNK = 16_384

/** One line for each thing that happens, and the hash over all of them: two runs with one hash are the same run. */
export class Trace implements Witness {
  /** Set before anything happens. */
  sinceStart: () => number = () => 0
  readonly lines: string[] | null
  readonly #hash = createHash('sha256')
  #text = ''
  count = 0

  /** `kept`: the lines are wanted, not only their hash. */
  constructor(kept: boolean) {
    this.lines = kept ? [] : null
  }

  digest(): string {
    this.#flush()
    return this.#hash.copy().digest('hex')
  }

  line(text: string): void {
    const line = `${this.sinceStart()} ${text}\n`
    this.#text += line
    if (this.#text.length > CHUNK) this.#flush()
    this.count += 1
    this.lines?.push(line)
  }

  #flush(): void {
    this.#hash.update(this.#text)
    this.#text = ''
  }

  stepped(node: VirtualNode, input: Input, effects: readonly Effect[]): void {
    if (input.kind === 'tick' && effects.length === 0) return
    this.line(`${node.index} ${inputText(input)} -> ${effects.length}`)
    for (const effect of effects) {
      if (effect.kind !== 'observe' || effect.event.type === 'facts') continue
      const { event } = effect
      if (event.type === 'warning') this.line(`${node.index} warns: ${event.message}`)
      if (event.type === 'ended') this.line(`${node.index} ended ${event.thread} ${event.phase}`)
    }
  }

  written(node: VirtualNode, records: readonly JournalRecord[]): void {
    for (const record of records) this.line(`${node.index} writes ${recordText(record)}`)
  }

  synced(node: VirtualNode): void {
    this.line(`${node.index} synced`)
  }

  sent(from: VirtualNode, to: VirtualNode, message: PeerMessage): void {
    this.line(`${from.index} > ${to.index} ${messageText(message)}`)
  }

  crashed(node: VirtualNode, kept: number): void {
    this.line(`${node.index} crashes, ${kept} unsynced records survive`)
  }

  restarted(node: VirtualNode): void {
    this.line(`${node.index} starts with ${node.disk.length} records`)
  }
}

function inputText(input: Input): string {
  switch (input.kind) {
    case 'envelope':
      return `envelope ${input.admitted.envelope.verb} ${input.admitted.id}`
    case 'message':
      return `message ${messageText(input.message)}`
    case 'peer':
      return `peer ${input.did} ${input.connected}`
    case 'command':
      return `command ${input.command.type}`
    default:
      return input.kind
  }
}

function messageText(message: PeerMessage): string {
  if (message.type === 'envelopes') return `envelopes ${message.items.length}`
  if (message.type === 'log') return `log ${message.entries[0]?.index}+${message.entries.length}`
  if (message.type !== 'raft') return message.type
  const { type, term } = message.message
  if (message.message.type === 'append') {
    const { previousIndex, entries, commit } = message.message
    return `append ${term} ${previousIndex}+${entries.length} c${commit}`
  }
  if (message.message.type === 'append-reply')
    return `append-reply ${term} ${message.message.success} ${message.message.matchIndex}`
  if (message.message.type === 'vote-reply' || message.message.type === 'pre-vote-reply')
    return `${type} ${term} ${message.message.granted}`
  return `${type} ${term}`
}

function recordText(record: JournalRecord): string {
  if (record.type === 'entries')
    return `entries ${record.entries[0]?.index}+${record.entries.length}`
  if (record.type !== 'hard-state') return record.type
  const { term, vote, commit } = record.state
  return `hard-state ${term} ${vote} ${commit}`
}
