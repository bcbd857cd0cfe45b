import { nodeVerifier } from '../adapters/ed25519/index.ts'
import { readEnvelope } from '../core/envelope/index.ts'
import type { RecordItem } from '../core/swarm/index.ts'
import type { VerifySignature } from '../ports/index.ts'
import type { CheckedChunk, ChunkInit, Taken } from './check-chunk.ts'
import { checkPlace } from './check-chunk.ts'
import { type Findings, noFindings } from './findings.ts'
import { type Checked, type Flaw, flawed, fromRefusal } from './flaw.ts'
import { type Body, type Header, itemOf } from './format.ts'
import type { GateSetup } from './gate.ts'
import type { GatesAgain } from './gates-again.ts'
import { inlineLane, type Lanes, type StartedThreads, startThreads } from './lanes.ts'
import { Preamble } from './preamble.ts'
import { type Chunk, chunksOf, readChunks, sizeOf } from './read-chunks.ts'
import { Replayer } from './replayer.ts'
import { type Progress, ProgressFile } from './resume.ts'

/** `line` counts from 0, as `seq` in the record does. */
export type Problem = Flaw & { readonly line: number }

/** What was found in a record. `ok` only when there is no problem and, for a replay, the derived bytes are equal. */
export type Report = {
  readonly ok: boolean
  readonly path: string
  readonly thread: string | null
  /** DID of the node that wrote the record. */
  readonly node: string | null
  /** Version of the protocol, and text CID of the base capsule that the recording node had. */
  readonly protocol: number | null
  readonly base: string | null
  /** The node had the whole log up to the certified outcome. */
  readonly complete: boolean
  readonly lines: number
  readonly problems: readonly Problem[]
  /** Envelopes whose senders did not raise their Lamport values: problems for who verifies. What the log leads to does not rest on it, so a replay tells it only. */
  readonly disorder?: readonly Problem[]
  /** The bid gate and the commit gate evaluated again, where that was asked for and the record is sound. */
  readonly gates?: GatesAgain
} & Findings

/** How far reading has come, in bytes. */
export type ReadProgress = { readonly bytes: number; readonly totalBytes: number }

export type CheckInit = {
  /** Instead of the platform's verifier; then everything is done in this thread. */
  readonly verify?: VerifySignature
  /** True to evaluate policies again; false to trust the digests in the envelopes. */
  readonly policies: boolean
  /** True to evaluate bid gate and commit gate again, too, by the capsule of the NEED. */
  readonly gates?: boolean
  /** True to demand the end of the thread and equal bytes; false to check only what is there. */
  readonly replay: boolean
  /** Threads that do the work; when absent, one for each core if the record is long, and else this one. */
  readonly jobs?: number
  /** File that keeps how far a run has come. */
  readonly resume?: string
  readonly onProgress?: (progress: ReadProgress) => void
  /** Rejects with its reason once it aborts. */
  readonly signal?: AbortSignal
}

/** Envelopes out of order that a report tells of: a thread with more shows the first. */
const DISORDER_TOLD_MAX = 64
/** Bytes from which other threads are worth their start: a quarter of a second of one thread's work. */
const THREADS_FROM_BYTES: number = 1024 * 1024

/** Where a record is read from: the path of a file, or a stream; of a stream, nothing can be resumed. */
export type RecordSource = string | AsyncIterable<Uint8Array>

/** Reads a record, checks every line and folds it. Stops at the first thing that is wrong and says which line, what, and what was expected. */
export async function checkRecord(source: RecordSource, init: CheckInit): Promise<Report> {
  if (typeof source !== 'string') {
    const { resume: _, ...rest } = init
    return (await new Reading(
      source,
      rest,
      await ProgressFile.open(undefined, false)
    ).run()) as Report
  }
  const path = source
  const progress = await ProgressFile.open(init.resume, init.policies)
  const first = await new Reading(path, init, progress).run()
  if (first !== 'changed') return first
  // The file is not the one that a run before has checked: nothing of that run counts.
  progress.forget()
  const again = await new Reading(path, init, progress).run()
  return again as Report
}

class Reading {
  readonly #source: RecordSource
  readonly #init: CheckInit
  readonly #progress: ProgressFile
  readonly #before: Progress | null
  readonly #problems: Problem[] = []
  readonly #preamble = new Preamble()
  #replayer: Replayer | null = null
  #lanes: Lanes | null = null
  #threads: StartedThreads | null = null
  readonly #disorder: Problem[] = []
  #place = { seq: -1, hash: '' }
  #signedSeq = -1
  #bytes = 0
  #totalBytes = 0
  #policies = 0
  #isEnded = false
  #isComplete = false
  #isOther = false
  #setup: GateSetup | null = null
  #gates: GatesAgain | null = null

  constructor(source: RecordSource, init: CheckInit, progress: ProgressFile) {
    this.#source = source
    this.#init = init
    this.#progress = progress
    this.#before = progress.value
  }

  async run(): Promise<Report | 'changed'> {
    this.#totalBytes = typeof this.#source === 'string' ? await sizeOf(this.#source) : 0
    const { jobs, verify } = this.#init
    const isLong = jobs !== undefined || this.#totalBytes >= THREADS_FROM_BYTES
    if (isLong && verify === undefined) this.#threads = startThreads(jobs)
    try {
      await this.#read()
    } finally {
      await this.#threads?.close()
    }
    if (this.#isOther || (this.#before !== null && !this.#progress.isPast)) return 'changed'
    if (this.#problems.length === 0) this.#finish()
    if (this.#problems.length === 0 && this.#init.gates === true) await this.#askGates()
    await this.#progress.close(this.#problems.length === 0)
    return this.#report()
  }

  async #read(): Promise<void> {
    const waiting: { readonly size: number; readonly answer: Promise<CheckedChunk> }[] = []
    const settleFirst = async (): Promise<boolean> => {
      const chunk = waiting.shift()
      return chunk === undefined || (await this.#fold(await chunk.answer, chunk.size))
    }
    let given = 0
    let rest: Chunk | null = null
    const source = this.#source
    for await (const chunk of typeof source === 'string' ? readChunks(source) : chunksOf(source)) {
      if (this.#init.signal?.aborted === true) return this.#interrupted()
      if (typeof chunk === 'string') {
        rest = chunk
        break
      }
      const text = this.#preamble.isDone ? chunk : await this.#begin(chunk)
      if (text === null) return
      given += text.length
      const size = text.length
      if (size > 0) {
        const trusted = this.#bytes + given <= (this.#before?.bytes ?? 0)
        waiting.push({ size, answer: (this.#lanes as Lanes).check(text, trusted) })
      }
      if (waiting.length >= (this.#lanes?.depth ?? 1)) {
        const [{ size: done } = { size: 0 }] = waiting
        if (!(await settleFirst())) return
        given -= done
      }
    }
    while (waiting.length > 0) if (!(await settleFirst())) return
    if (rest === 'long') this.#problem(LONG)
    if (rest === 'cut') this.#problem(CUT)
  }

  /** Takes the header and the blocks; returns what comes after them, or null when something is wrong. */
  async #begin(chunk: Uint8Array): Promise<Uint8Array | null> {
    const taken = this.#preamble.take(chunk, this.#place, this.#init.verify ?? nodeVerifier())
    this.#place = taken.place
    this.#signedSeq = taken.signedSeq ?? this.#signedSeq
    this.#bytes += chunk.length - taken.rest.length
    if (taken.flaw !== null) {
      this.#problem(taken.flaw)
      return null
    }
    const { header } = this.#preamble
    if (!this.#preamble.isDone || header === null) return new Uint8Array()
    const opened = await this.#open(header)
    if (opened !== null) this.#problem(opened, 0)
    return opened === null ? taken.rest : null
  }

  async #open(header: Header): Promise<Flaw | null> {
    const { thread, node } = header
    const { policies, verify } = this.#init
    // The policy engine takes as long to load as all else together.
    const gates = policies ? await import('./gate.ts') : null
    const gate = gates === null ? null : await gates.gateOf(header, this.#preamble.blocks)
    if (gate !== null && !gate.ok) return gate.flaw
    const setup = gate === null ? null : gate.value
    this.#setup = setup
    const here = (): ChunkInit => ({
      thread,
      node,
      verify: verify ?? nodeVerifier(),
      gate: setup === null || gates === null ? null : gates.openGate(setup)
    })
    this.#lanes = this.#threads?.open({ thread, node, gate: setup }, here) ?? inlineLane(here())
    this.#replayer = new Replayer({
      thread,
      verify: verify ?? nodeVerifier(),
      // The lanes have looked at everything; a run before has, where they trust it.
      admit: (bytes, id) => {
        const parsed = readEnvelope(bytes, id)
        return parsed.ok ? parsed : fromRefusal(parsed.refusal)
      }
    })
    return null
  }

  /** False when something is wrong and reading stops. */
  async #fold(chunk: CheckedChunk, size: number): Promise<boolean> {
    if (chunk.first !== null) {
      const placed = checkPlace(chunk.first, this.#place)
      if (placed !== null) return this.#problem(this.#isEnded ? AFTER_END : placed)
    }
    for (const taken of chunk.taken) {
      const refusal = this.#take(taken)
      if (refusal !== null) return this.#problem(refusal)
      this.#place = { seq: this.#place.seq + 1, hash: '' }
    }
    if (chunk.flaw !== null) return this.#problem(this.#isEnded ? AFTER_END : chunk.flaw)
    this.#place = { ...this.#place, hash: chunk.lastHash }
    this.#signedSeq = chunk.lastSigned ?? this.#signedSeq
    this.#policies += chunk.policies
    this.#bytes += size
    this.#init.onProgress?.({ bytes: this.#bytes, totalBytes: this.#totalBytes })
    return this.#keepProgress()
  }

  /** False when the file is another than a run before has begun with. */
  async #keepProgress(): Promise<boolean> {
    const before = this.#before
    if (before !== null && this.#bytes >= before.bytes && !this.#progress.isPast) {
      this.#isOther = this.#bytes !== before.bytes || this.#place.hash !== before.hash
      if (this.#isOther) return false
      this.#progress.isPast = true
      this.#policies += before.policies
    }
    if (before === null || this.#progress.isPast) await this.#progress.keep(this.#now())
    return true
  }

  #now(): Progress {
    return { bytes: this.#bytes, hash: this.#place.hash, policies: this.#policies }
  }

  async #interrupted(): Promise<never> {
    await this.#progress.keep(this.#now(), true)
    throw this.#init.signal?.reason
  }

  #take(taken: Taken): Flaw | null {
    if (this.#isEnded) return AFTER_END
    if (taken.type === 'part') return null
    if (taken.type === 'end') {
      this.#isEnded = true
      this.#isComplete = taken.complete
      return null
    }
    const replayer = this.#replayer as Replayer
    const item =
      taken.type === 'item' ? { ok: true as const, value: taken.item } : this.#resolve(taken.body)
    if (!item.ok) return item.flaw
    const id = taken.type === 'item' ? taken.id : taken.body.cid
    const folded = replayer.take(item.value, id ?? undefined)
    for (const flaw of replayer.takeDisorder())
      if (this.#disorder.length < DISORDER_TOLD_MAX)
        this.#disorder.push({ line: this.#place.seq + 1, ...flaw })
    return folded.ok ? null : folded.flaw
  }

  #resolve(body: Extract<Body, { type: 'entry' }>): Checked<RecordItem> {
    const item = itemOf(body, cid => this.#replayer?.earlier(cid))
    if (!item.ok) return fromRefusal(item.refusal)
    return { ok: true, value: item.value as RecordItem }
  }

  #finish(): void {
    if (!this.#isEnded) {
      this.#problem(
        flawed(
          'RECORD_TRUNCATED',
          `the record stops after ${this.#place.seq + 1} line(s), without its end line`
        ).flaw
      )
      return
    }
    if (this.#signedSeq !== this.#place.seq) {
      this.#problem(flawed('RECORD_SIGNATURE', 'the end line is not signed').flaw, this.#place.seq)
      return
    }
    if (!this.#init.replay) this.#problems.push(...this.#disorder)
    // Who verifies takes a thread that has not ended, but not the writer's word that it has.
    if (!this.#init.replay && !this.#isComplete) return
    const ended = this.#replayer?.end()
    if (ended !== undefined && !ended.ok) this.#problem(ended.flaw)
    else if (this.#replayer?.findings.finalizeBytesEqual !== true) this.#problem(INCOMPLETE)
  }

  async #askGates(): Promise<void> {
    const state = this.#replayer?.state() ?? null
    if (this.#setup === null || state === null) return
    const [{ openGate }, { askGatesAgain }] = await Promise.all([
      import('./gate.ts'),
      import('./gates-again.ts')
    ])
    this.#gates = await askGatesAgain(state, openGate(this.#setup), this.#preamble.blocks)
  }

  #problem(flaw: Flaw, line: number = this.#place.seq + 1): false {
    this.#problems.push({ line, ...flaw })
    return false
  }

  #report(): Report {
    const findings = this.#replayer?.findings ?? noFindings()
    const { header } = this.#preamble
    return {
      ok: this.#problems.length === 0,
      path: typeof this.#source === 'string' ? this.#source : '-',
      thread: header?.thread ?? null,
      node: header?.node ?? null,
      protocol: header?.protocol ?? null,
      base: header?.base ?? null,
      complete: this.#isComplete,
      lines: this.#place.seq + 1,
      problems: this.#problems,
      ...(this.#disorder.length === 0 ? {} : { disorder: this.#disorder }),
      ...(this.#gates === null ? {} : { gates: this.#gates }),
      ...findings,
      policies: this.#policies
    }
  }
}

const LONG = flawed('RECORD_LINE_TOO_LONG', 'the line is longer than a line may be').flaw
const CUT = flawed('RECORD_TRUNCATED', 'the line is cut off: the file ends inside it').flaw
const AFTER_END = flawed('RECORD_AFTER_END', 'the record goes on after its end line').flaw
const INCOMPLETE = flawed(
  'REPLAY_INCOMPLETE',
  'the record does not reach the certified end of its thread'
).flaw
