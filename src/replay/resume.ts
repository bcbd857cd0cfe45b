import { readFile, rm } from 'node:fs/promises'
import * as v from 'valibot'
import { ProgressFileError } from './errors.ts'
import { writeWhole } from './new-file.ts'

/** How far a run has come: these bytes of the record, ending in a line of this hash, are checked. The hash chain says that they are the same bytes. */
export type Progress = {
  readonly bytes: number
  readonly hash: string
  /** Policy evaluations up to there. */
  readonly policies: number
}

/** Between two writes of the file, in ms: what an interrupt without warning costs. */
const KEEP_MS = 2_000

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const shape = v.strictObject({
  version: v.literal(1),
  /** Whether policies were evaluated, too. */
  policies: v.boolean(),
  bytes: count,
  hash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  evaluated: count
})

/**
 * Where a run keeps how far it has come, in a file that its user names. It is believed: whoever can write it can have signatures skipped, so it belongs to
 * whoever checks the record and never comes with it.
 */
export class ProgressFile {
  readonly #path: string | undefined
  readonly #policies: boolean
  #keptAt = performance.now()
  value: Progress | null
  /** The run has come to where the one before had stopped. */
  isPast = false

  private constructor(path: string | undefined, policies: boolean, value: Progress | null) {
    this.#path = path
    this.#policies = policies
    this.value = value
  }

  /** Rejects with PROGRESS_FILE when what stands there is something else. */
  static async open(path: string | undefined, policies: boolean): Promise<ProgressFile> {
    if (path === undefined) return new ProgressFile(path, policies, null)
    const text = await readFile(path, 'utf8').catch(() => null)
    if (text === null) return new ProgressFile(path, policies, null)
    const kept = parse(path, text)
    const isUsable = kept.policies || !policies
    const { bytes, hash, evaluated } = kept
    return new ProgressFile(path, policies, isUsable ? { bytes, hash, policies: evaluated } : null)
  }

  /** Nothing of the run before counts. */
  forget(): void {
    this.value = null
    this.isPast = false
  }

  /** Writes how far the run has come, now and then or, with `now`, at once. */
  async keep({ bytes, hash, policies: evaluated }: Progress, now = false): Promise<void> {
    const path = this.#path
    if (path === undefined || (!now && performance.now() - this.#keptAt < KEEP_MS)) return
    if (bytes === 0 || hash === '') return
    this.#keptAt = performance.now()
    const kept = { version: 1, policies: this.#policies, bytes, hash, evaluated }
    await writeWhole(path, async file => {
      await file.write(`${JSON.stringify(kept)}\n`)
    })
  }

  /** A run that has come to the end without a problem needs the file no more. */
  async close(isOk: boolean): Promise<void> {
    if (this.#path !== undefined && isOk) await rm(this.#path, { force: true })
  }
}

function parse(path: string, text: string): v.InferOutput<typeof shape> {
  try {
    return v.parse(shape, JSON.parse(text))
  } catch (cause) {
    throw new ProgressFileError(
      `${path} does not say how far a run has come: remove it, or name another file with --resume`,
      { path },
      { cause }
    )
  }
}
