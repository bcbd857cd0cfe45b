import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { TestnetNotRunningError } from './errors.ts'

/** Where the current testnet lies, for `status` and `down`. */
export type TestnetState = {
  readonly dir: string
  readonly network: string
  readonly nodes: readonly {
    readonly name: string
    readonly title: string
    readonly home: string
    readonly did: string
  }[]
}

/** One testnet at a time is the current one. `CAN_SWARM_TESTNET` names another folder for the file, for several at once. */
export function stateFile(env: NodeJS.ProcessEnv): string {
  const { CAN_SWARM_TESTNET: named, XDG_STATE_HOME: state } = env
  if (named !== undefined && named !== '') return join(named, 'testnet.json')
  const base = state?.startsWith('/') ? state : join(homedir(), '.local', 'state')
  return join(base, 'can-swarm', 'testnet.json')
}

/** The state of the current testnet, or null. */
export function readState(path: string): TestnetState | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as TestnetState
  } catch {
    return null
  }
}

/** Like readState, but rejects when there is none. */
export function currentState(path: string): TestnetState {
  const state = readState(path)
  if (state === null)
    throw new TestnetNotRunningError(
      'no testnet is up: start one with "can-swarm testnet up --nodes 5"'
    )
  return state
}

export function writeState(path: string, state: TestnetState): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeFileSync(path, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 })
}

/** Forgets the testnet, unless another one has become the current one. */
export function removeState(path: string, dir: string): void {
  if (readState(path)?.dir === dir) rmSync(path, { force: true })
}
