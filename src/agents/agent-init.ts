import type { OnAgentEvent } from './events.ts'
import type { Program } from './program.ts'

/** What workers and verifiers have in common. */
export type AgentInit = {
  /** Such as `text/language`: the NEEDs that ask for it are this agent's. */
  readonly capability: string
  readonly program: Program
  /** Ends the agent; programs that run are stopped. Default: it runs until the node goes away. */
  readonly signal?: AbortSignal
  readonly onEvent?: OnAgentEvent
  /** ms that one run of the program may take. Default: 10 minutes. */
  readonly timeoutMs?: number
  /** ms that the network gets to deliver an artifact. Default: 15 s. */
  readonly fetchTimeoutMs?: number
  /** Programs at once. Default: 4. */
  readonly concurrency?: number
}

/** An init whose signal is there. */
export type Signalled<Init extends AgentInit> = Init & { readonly signal: AbortSignal }

export function withSignal<Init extends AgentInit>(init: Init): Signalled<Init> {
  return { ...init, signal: init.signal ?? new AbortController().signal }
}
