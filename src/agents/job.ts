/** One run of a program for one lease or COMMIT, in the background of the looks. */
export type Job = {
  /** What the job is for; a job of another name replaces it. */
  readonly key: string
  readonly stop: (reason: Error) => void
  readonly signal: AbortSignal
  /** Resolves when the job is over; never rejects. */
  readonly done: Promise<void>
}

/** Starts `work` at once; `onCrash` gets what it rejects with, unless it was stopped. */
export function startJob(init: {
  readonly key: string
  readonly parent: AbortSignal
  readonly work: (signal: AbortSignal) => Promise<void>
  readonly onCrash: (error: unknown) => void
}): Job {
  const controller = new AbortController()
  const signal = AbortSignal.any([init.parent, controller.signal])
  const done = init.work(signal).catch(error => {
    if (!signal.aborted) init.onCrash(error)
  })
  return { key: init.key, stop: reason => controller.abort(reason), signal, done }
}
