import type { Program } from '../program.ts'

/** What a task works on: an artifact that is there, or what another task of the plan makes. */
export type TaskInput =
  | { readonly artifact: string /* CID */ }
  | { readonly product: string /* a name in another task's `produces` */ }

/** One task of a plan. It becomes a NEED of its own. */
export type PlanTask = {
  /** Its name within the plan: lower case, such as `count-3`. */
  readonly task: string
  /** What its worker must be able to do, such as `text/count-words`. */
  readonly capability: string
  /** In the order in which the program gets them. A task waits for those that make its products. */
  readonly inputs: readonly TaskInput[]
  /** Names of its outputs, in order. The task must make exactly so many. */
  readonly produces: readonly string[]
}

/** Work in several tasks. The outputs of the last one, for which no other waits, are the result. */
export type Plan = { readonly tasks: readonly PlanTask[] }

/**
 * A program that has its work done by others. A worker bids with the plan and, once decided, coordinates it: each task is stated as a NEED,
 * decided, done and verified like any other. A verifier calls `run` and compares: both ways must give the same bytes.
 */
export type PlanProgram = Program & {
  /** The plan for this input. Rejects when there is none; the worker then does not bid. */
  plan(
    input: Uint8Array,
    context: {
      readonly signal: AbortSignal
      /** CIDs of the NEED's inputs; `input` holds their bytes, joined in this order. */
      readonly inputs: readonly string[]
    }
  ): Promise<Plan>
}

export function isPlanProgram(program: Program): program is PlanProgram {
  return 'plan' in program
}
