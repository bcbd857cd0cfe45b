import { MemoryDisk, memoryArchive, memoryJournal } from '../../src/adapters/memory/index.ts'
import type { Result } from '../../src/core/base/index.ts'
import type {
  Command,
  Effect,
  Input,
  JournalRecord,
  PeerMessage
} from '../../src/core/swarm/index.ts'
import type { Journal, Signer } from '../../src/ports/index.ts'
import {
  Driver,
  type DriverInit,
  decodeRecord,
  encodeMessage,
  type Machine
} from '../../src/runtime/index.ts'
import {
  countingEntropy,
  countingVerify,
  ManualClock,
  manifestDraft,
  RecordingNetwork,
  ScriptedPolicy,
  silent,
  testSigner
} from './virtual-world.ts'

/** Does what the test says for each input, and remembers everything. */
export class ScriptedMachine implements Machine {
  readonly restored: JournalRecord[] = []
  readonly inputs: Input[] = []
  kept: readonly JournalRecord[] = []
  busy = false
  startEffects: readonly Effect[] = []
  script: (input: Input) => readonly Effect[] = () => []

  restore(record: JournalRecord): void {
    this.restored.push(record)
  }
  start(): readonly Effect[] {
    return this.startEffects
  }
  snapshot(): Iterable<JournalRecord> {
    return this.kept
  }
  step(input: Input): readonly Effect[] {
    this.inputs.push(input)
    return this.script(input)
  }
  nextTickMs(): number {
    return this.busy ? 0 : Number.POSITIVE_INFINITY
  }
  kinds(): string[] {
    return this.inputs.map(input => input.kind)
  }
}

export function world(
  init: Partial<DriverInit> & { disk?: MemoryDisk; journal?: Journal; signer?: Signer } = {}
) {
  const { disk = new MemoryDisk(), signer = testSigner(), journal, ...rest } = init
  const fatal: Error[] = []
  const parts = {
    machine: new ScriptedMachine(),
    journal: journal ?? memoryJournal(disk),
    archive: memoryArchive(),
    network: new RecordingNetwork(),
    policy: new ScriptedPolicy(),
    verify: countingVerify(),
    signer,
    clock: new ManualClock(),
    entropy: countingEntropy(),
    logger: silent
  }
  const driver = new Driver(parts, { onFatal: error => fatal.push(error), ...rest })
  return { ...parts, driver, disk, fatal }
}

/** A journal whose appends wait for the test. */
export function heldJournal(): Journal & {
  appends: { records: readonly Uint8Array[]; sync: boolean; release: (error?: Error) => void }[]
} {
  const appends: {
    records: readonly Uint8Array[]
    sync: boolean
    release: (error?: Error) => void
  }[] = []
  return {
    appends,
    async *replay() {},
    append: (records, { sync }) =>
      new Promise((resolve, reject) =>
        appends.push({
          records,
          sync,
          release: error => (error === undefined ? resolve() : reject(error))
        })
      ),
    rewrite: async () => {},
    size: () => 0,
    close: async () => {}
  }
}

export const COMMAND: Command = { type: 'announce', draft: manifestDraft() }
export const HELLO: PeerMessage = { type: 'hello', threads: [] }

export function persist(sync: boolean, reason = 'test'): Effect {
  return { kind: 'persist', sync, records: [{ type: 'abandoned', thread: 't', reason, nowMs: 1 }] }
}

export function send(to: string): Effect {
  return { kind: 'send', to, message: HELLO }
}

/** An append of a leader, which may leave before its fsync. */
export function append(to: string): Effect {
  const message = {
    type: 'append',
    from: 'a',
    to,
    term: 1,
    previousIndex: 0,
    previousTerm: 0,
    entries: [],
    commit: 0
  } as const
  return { kind: 'send', to, message: { type: 'raft', group: '0'.repeat(64), message } }
}

export function hello(w: ReturnType<typeof world>, from: string): void {
  for (const bytes of encodeMessage(HELLO)) w.network.message(from, bytes)
}

export function codeOf(result: Result<unknown>): string | null {
  return result.ok ? null : result.refusal.code
}

export function reasonOf(bytes: Uint8Array): string {
  const record = decodeRecord(bytes)
  return record.ok && record.value.type === 'abandoned' ? record.value.reason : '?'
}
