import { ProgramFailedError, ProgramTimeoutError } from './errors.ts'
import { TASK_OUTPUTS_MAX } from './limits.ts'
import type { Program, ProgramContext, ProgramResult } from './program.ts'

export type FinishedRun = ProgramResult & { readonly wallMs: number }

/** Lets a program load in the time that bids take anyway. What fails here fails again, and is reported, when it runs. */
export function prepare(program: Program): void {
  program.prepare?.().catch(() => undefined)
}

/**
 * Runs a program within its time. A program that ignores its signal is left to itself: the agent goes on. Rejects with
 * ProgramFailedError or ProgramTimeoutError, or with the signal's reason.
 */
export async function runProgram(
  program: Program,
  input: Uint8Array,
  context: ProgramContext & { readonly timeoutMs: number }
): Promise<FinishedRun> {
  const { signal, timeoutMs } = context
  const timedOut = new AbortController()
  const timer = setTimeout(() => {
    const message = `${program.name} did not end within ${timeoutMs} ms`
    timedOut.abort(new ProgramTimeoutError(message))
  }, timeoutMs)
  const stop = AbortSignal.any([signal, timedOut.signal])
  const { promise: stopped, reject } = Promise.withResolvers<never>()
  // Without this a stop that nobody waits for any more would count as an unhandled rejection.
  stopped.catch(() => undefined)
  const onStop = (): void => reject(stop.reason)
  stop.addEventListener('abort', onStop, { once: true })
  if (stop.aborted) onStop()
  const startedAt = performance.now()
  try {
    const running = Promise.resolve().then(() => program.run(input, { ...context, signal: stop }))
    const result = await Promise.race([running, stopped])
    checkOutputs(program, outputsOf(result))
    return { ...result, wallMs: Math.round(performance.now() - startedAt) }
  } catch (error) {
    if (stop.aborted) throw stop.reason
    throw asFailure(program, error)
  } finally {
    clearTimeout(timer)
    stop.removeEventListener('abort', onStop)
  }
}

/** All outputs of a run, in order. */
export function outputsOf({ output, others = [] }: ProgramResult): readonly Uint8Array[] {
  return [output, ...others]
}

function checkOutputs({ name }: Program, outputs: readonly Uint8Array[]): void {
  if (outputs.some(output => output.length === 0))
    throw new ProgramFailedError(`${name} printed nothing`)
  if (outputs.length > TASK_OUTPUTS_MAX)
    throw new ProgramFailedError(
      `${name} gave ${outputs.length} outputs, at most ${TASK_OUTPUTS_MAX} are taken`
    )
}

function asFailure(program: Program, error: unknown): Error {
  if (error instanceof ProgramFailedError || error instanceof ProgramTimeoutError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new ProgramFailedError(`${program.name} failed: ${message}`, {}, { cause: error })
}
