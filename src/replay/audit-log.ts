import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { concat } from '../core/base/index.ts'
import type { SwarmEvent } from '../core/swarm/index.ts'
import type { Logger, Signer } from '../ports/index.ts'
import { type LogSource, missingBodies, newEntries, sightingBody } from './audit-source.ts'
import { openTail, removeLog, type Tail } from './audit-tail.ts'
import { type Body, encodeLine, lineHash } from './format.ts'
import { headerOf } from './write-record.ts'

export type AuditLogInit = {
  /** Folder of the logs; made when it is missing. */
  readonly directory: string
  readonly source: LogSource
  readonly signer: Signer
  readonly logger: Logger
  /** Of the node's policy engine. */
  readonly base: string
  readonly engine: Uint8Array
  /** Between two writes, in ms. The journal has everything at once; this is what an outsider waits for. */
  readonly writeMs?: number
  /** Size in bytes from which a log goes on in a further file. */
  readonly rotateBytes: number
}

/** Between two writes of what waits for the logs of threads, in ms: few enough fsyncs, and soon enough for people. */
const WRITE_MS = 1_000
/** Times that long from a write that failed until it is tried again: a full disk is not filled with errors about it. */
const RETRY_WRITES = 10
/** Lines that wait, of all threads. Beyond it, what waits is forgotten and read from the machine again: a slow disk must not fill memory. */
const WAITING_MAX = 20_000

type Live = {
  /** Where the file ends; null until that has been looked at. */
  tail: Tail | null
  bodies: Body[]
  /** The group's entries, and how many of them were taken. */
  entries: readonly unknown[] | null
  taken: number
  /** Envelopes that have a line and that no entry has named yet: an entry comes after what it names. */
  readonly shown: Set<string>
  /** Envelopes that have a line because an entry names them, and that were not told yet. */
  readonly ahead: Set<string>
  /** How the log ends, once nothing more is to come. */
  end: Extract<Body, { type: 'end' }> | null
}

const NEWLINE: Uint8Array = Uint8Array.of(10)

/**
 * Keeps a log for each thread that is in memory, in the order in which the machine saw things, beside the work and never in its way: lines are gathered,
 * written and synced together once a second. The journal is the truth: what a crash cut off a log is completed from the machine.
 */
export class AuditLog {
  readonly #init: Required<AuditLogInit>
  readonly #threads = new Map<string, Live>()
  readonly #dirty = new Set<string>()
  /** Threads that the machine let go of: their files go. */
  readonly #gone = new Set<string>()
  #waiting = 0
  #timer: NodeJS.Timeout | undefined
  #work: Promise<void> = Promise.resolve()

  constructor(init: AuditLogInit) {
    this.#init = { writeMs: WRITE_MS, ...init }
  }

  /** Looks after the logs of threads that the machine has from before. */
  start(threads: Iterable<string>): void {
    for (const thread of threads) this.#touch(thread)
  }

  /** Ends the log of a thread of which nothing more comes, as one that is not complete. */
  giveUp(thread: string): void {
    this.#end(thread, false)
  }

  /** Takes note of what has happened; writes nothing yet. */
  onEvent(event: SwarmEvent): void {
    if (!('thread' in event) || event.thread === null) return
    const { thread } = event
    switch (event.type) {
      case 'envelope':
        return this.#onEnvelope(thread, event)
      case 'thread':
        return this.#takeEntries(thread)
      case 'ended':
        this.#takeEntries(thread)
        return this.#end(thread, true)
      case 'archived':
        return this.giveUp(thread)
      case 'let-go':
        return this.#letGo(thread)
    }
  }

  /** Writes everything that waits. Never rejects: a log that cannot be written is told and tried again. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#work = this.#work.then(() => this.#writeAll())
    await this.#work
  }

  /** Writes what waits, and ends. */
  async stop(): Promise<void> {
    await this.flush()
    clearTimeout(this.#timer)
  }

  #onEnvelope(thread: string, { id, verb }: Extract<SwarmEvent, { type: 'envelope' }>): void {
    if (verb === 'NEED' && !this.#threads.has(thread))
      this.#threads.set(thread, { ...unknown(), tail: NO_FILE })
    const live = this.#touch(thread)
    // Until the file has been looked at, the machine is what is compared with it.
    if (live.tail !== null && !live.ahead.delete(id)) this.#show(thread, live, id)
  }

  /** A line for an envelope, if it has none. */
  #show(thread: string, live: Live, id: string): boolean {
    const sighting = live.shown.has(id) ? undefined : this.#init.source.sighted(thread, id)
    if (sighting === undefined) return false
    live.shown.add(id)
    this.#add(live, sightingBody(sighting))
    return true
  }

  #takeEntries(thread: string): void {
    const live = this.#touch(thread)
    const log = this.#init.source.log(thread)
    if (live.tail === null || log === undefined) return
    if (live.entries !== log.entries) {
      // Another epoch, or learnt anew: the log begins again.
      live.taken = 0
      this.#showAhead(thread, live, log.form)
    }
    live.entries = log.entries
    for (const body of newEntries(log.entries, live.taken)) {
      const cid = body.type === 'entry' ? body.cid : null
      if (cid !== null && !live.shown.delete(cid)) {
        this.#showAhead(thread, live, cid)
        live.shown.delete(cid)
      }
      this.#add(live, body)
    }
    live.taken = log.entries.length
  }

  /** The machine takes inputs in batches, and tells of them afterwards: what an entry needs may not have been told yet. */
  #showAhead(thread: string, live: Live, id: string): void {
    if (this.#show(thread, live, id)) live.ahead.add(id)
  }

  #end(thread: string, complete: boolean): void {
    const live = this.#threads.get(thread)
    if (live === undefined || live.end !== null) return
    if (complete && this.#init.source.log(thread)?.complete !== true) return
    this.#touch(thread).end = { type: 'end', complete }
  }

  #letGo(thread: string): void {
    const live = this.#threads.get(thread)
    if (live !== undefined) this.#lookAgain(live)
    this.#threads.delete(thread)
    this.#dirty.delete(thread)
    this.#gone.add(thread)
    this.#arm(this.#init.writeMs)
  }

  #touch(thread: string): Live {
    const live = this.#threads.get(thread) ?? unknown()
    this.#threads.set(thread, live)
    this.#dirty.add(thread)
    this.#arm(this.#init.writeMs)
    return live
  }

  #arm(ms: number): void {
    this.#timer ??= setTimeout(() => void this.flush(), ms).unref()
  }

  #add(live: Live, body: Body): void {
    live.bodies.push(body)
    this.#waiting += 1
    if (this.#waiting <= WAITING_MAX) return
    for (const [thread, each] of this.#threads)
      if (each.bodies.length > 0) this.#forget(thread, each)
  }

  /** What waits is found again by looking at the file and the machine, when it is written next. */
  #forget(thread: string, live: Live): void {
    this.#lookAgain(live)
    this.#dirty.add(thread)
    this.#arm(RETRY_WRITES * this.#init.writeMs)
  }

  #lookAgain(live: Live): void {
    this.#waiting -= live.bodies.length
    Object.assign(live, { ...unknown(), end: live.end })
  }

  async #writeAll(): Promise<void> {
    // First: a thread that was let go of may have come again.
    for (const thread of this.#gone) await this.#remove(thread)
    const threads = [...this.#dirty]
    this.#dirty.clear()
    for (const thread of threads) {
      const live = this.#threads.get(thread)
      if (live === undefined) continue
      try {
        await this.#write(thread, live)
      } catch (error) {
        this.#forget(thread, live)
        const { code } = error as { code?: unknown }
        if (code === 'AUDIT_LOG_DAMAGED') this.#dirty.delete(thread)
        this.#init.logger.error('the audit log of a thread cannot be written', {
          thread,
          error: String(error)
        })
      }
    }
  }

  async #remove(thread: string): Promise<void> {
    this.#gone.delete(thread)
    try {
      await removeLog(join(this.#init.directory, `${thread}.jsonl`))
    } catch (error) {
      this.#init.logger.error('the audit log of a thread that was let go of cannot be removed', {
        thread,
        error: String(error)
      })
    }
  }

  async #write(thread: string, live: Live): Promise<void> {
    const path = join(this.#init.directory, `${thread}.jsonl`)
    if (live.tail === null) await this.#open(thread, path, live)
    const tail = live.tail as Tail | null
    const hasLines = (tail?.seq ?? -1) >= 0 || live.bodies.length > 0
    // By now all that was told in one go with the end has come.
    if (live.end !== null && hasLines && tail?.isEnded === false) this.#add(live, live.end)
    if (tail !== null && !tail.isEnded && live.bodies.length > 0) {
      const isNew = tail === NO_FILE
      if (tail.seq < 0) await mkdir(this.#init.directory, { recursive: true })
      const bodies = live.bodies.splice(0)
      this.#waiting -= bodies.length
      const { data, next } = this.#encode(thread, tail, bodies)
      const file = await openToAppend(next.part === 0 ? path : `${path}.${next.part}`, isNew)
      if (file === null) {
        // A thread that seemed new was known before.
        this.#lookAgain(live)
        return this.#write(thread, live)
      }
      await writeSynced(file, data)
      live.tail = next
    }
    if (isDone(live)) this.#threads.delete(thread)
  }

  /** Looks at the file that is there, cuts what a crash left of it, and gathers what it lacks. */
  async #open(thread: string, path: string, live: Live): Promise<void> {
    const { tail, shown } = await openTail(path)
    const { source } = this.#init
    const log = source.log(thread)
    live.tail = tail
    live.entries = log?.entries ?? null
    live.taken = log?.entries.length ?? 0
    if (tail.isEnded) live.end = { type: 'end', complete: true }
    else live.bodies = [...missingBodies(source, thread, shown)]
    for (const { admitted } of source.seen(thread)) live.shown.add(admitted.id)
    if (log?.complete === true) live.end ??= { type: 'end', complete: true }
    this.#waiting += live.bodies.length
  }

  /** Lines for these bodies, the last of them signed, and where the file will end. */
  #encode(thread: string, tail: Tail, bodies: readonly Body[]): { data: Uint8Array; next: Tail } {
    const { signer, rotateBytes } = this.#init
    const isFull = tail.size >= rotateBytes
    const part = isFull ? tail.part + 1 : tail.part
    const { did: node } = signer
    const first: Body[] =
      tail.seq < 0
        ? [headerOf({ thread, ...this.#init }, signer)]
        : isFull
          ? [{ type: 'part', part, thread, node }]
          : []
    const all = [...first, ...bodies]
    let { seq, prev } = tail
    const lines: Uint8Array[] = []
    for (const [index, body] of all.entries()) {
      seq += 1
      const isLast = index === all.length - 1
      const text = encodeLine({ seq, prev, body }, isLast ? bytes => signer.sign(bytes) : null)
      prev = lineHash(text)
      lines.push(text, NEWLINE)
    }
    const data = concat(lines)
    const size = (isFull ? 0 : tail.size) + data.length
    const isEnded = all.at(-1)?.type === 'end'
    return { data, next: { seq, prev, size, part, isEnded } }
  }
}

const NO_FILE: Tail = { seq: -1, prev: '', size: 0, part: 0, isEnded: false }

/** Nothing more is to be written: the log has its end, or there is none to be ended. */
function isDone({ tail, bodies, end }: Live): boolean {
  if (tail === null) return false
  return tail.isEnded || (end !== null && tail.seq < 0 && bodies.length === 0)
}

function unknown(): Live {
  return {
    tail: null,
    bodies: [],
    entries: null,
    taken: 0,
    shown: new Set(),
    ahead: new Set(),
    end: null
  }
}

/** Null where a file that must be new is there. */
function openToAppend(path: string, isNew: boolean): Promise<FileHandle | null> {
  return open(path, isNew ? 'ax' : 'a', 0o600).catch((error: NodeJS.ErrnoException) => {
    if (isNew && error.code === 'EEXIST') return null
    throw error
  })
}

async function writeSynced(file: FileHandle, data: Uint8Array): Promise<void> {
  try {
    await file.writeFile(data)
    await file.datasync()
  } finally {
    await file.close()
  }
}
