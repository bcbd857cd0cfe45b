/**
 * What an agent runs: bytes in, bytes out. A worker's output becomes the artifact; a verifier runs the same program and
 * compares. A program that is to be verified must be deterministic: no clock, no randomness, no floats in its output.
 */
export type Program = {
  /** Short, such as the tool's name; the default for `telemetry.tool`. */
  readonly name: string
  /** Loads what takes time. Called when work is likely to come soon; may be called often, and may fail. */
  prepare?(): Promise<unknown>
  /** Rejects when it cannot do the work: a worker then gives the task back, a verifier abstains. */
  run(input: Uint8Array, context: ProgramContext): Promise<ProgramResult>
}

export type ProgramContext = {
  /** Aborts when the lease is lost, the time is up or the agent stops. Whatever the program returns then is dropped. */
  readonly signal: AbortSignal
  /** Percent done, 0 to 100. Travels with the next heartbeat. */
  readonly progress: (percent: number) => void
  /** CIDs of the NEED's inputs. `input` holds their bytes, joined in this order. */
  readonly inputs: readonly string[]
}

export type ProgramResult = {
  /** Must not be empty. */
  readonly output: Uint8Array
  /** More outputs, in order, none empty: each becomes an artifact of its own. */
  readonly others?: readonly Uint8Array[]
  readonly telemetry?: ProgramTelemetry
}

/** What the program used. Wall time is measured by the agent. */
export type ProgramTelemetry = {
  readonly tokens?: number
  /** Credits actually used, decimal text. Default: the price that was bid. */
  readonly cost?: string
  readonly model?: string
  readonly exitStatus?: number
  readonly tool?: string
}
