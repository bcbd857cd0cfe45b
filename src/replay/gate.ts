import { engineHash, loadShippedCapsule, openCapsule, parseCapsule } from '../adapters/opa/index.ts'
import { equals, SwarmError, toHex } from '../core/base/index.ts'
import { basePath, gatherCapsule } from '../policy/index.ts'
import type { Gate } from './admission.ts'
import { type Checked, flawed } from './flaw.ts'
import type { Header } from './format.ts'

/** A gate as it is handed to another thread. */
export type GateSetup = {
  readonly block: Uint8Array
  readonly wasm: Uint8Array
  /** As this program's build metered it; null when that is still to be done. */
  readonly metered: Uint8Array | null
  readonly engine: Uint8Array
}

/**
 * The base capsule that a record names: this program's own, or the one that the record brings along. Flaws: REPLAY_CAPSULE when it is neither or
 * does not give its own vectors again, POLICY_ENGINE_MISMATCH when this program evaluates by other rules.
 */
export async function gateOf(
  { base, engine }: Header,
  blocks: ReadonlyMap<string, Uint8Array>
): Promise<Checked<GateSetup>> {
  try {
    const shipped = loadShippedCapsule(basePath())
    const capsule =
      shipped.cid === base
        ? shipped
        : (await gatherCapsule(base, cid => blocks.get(cid) ?? new Uint8Array())).capsule
    const own = engineHash(capsule.capabilities)
    if (!equals(own, engine))
      return flawed(
        'POLICY_ENGINE_MISMATCH',
        'the policies were evaluated by other rules than those of this program',
        { field: 'engine', expected: toHex(own), found: toHex(engine) }
      )
    const { block, wasm, metered } = capsule
    return { ok: true, value: { block, wasm, metered, engine } }
  } catch (error) {
    if (!(error instanceof SwarmError)) throw error
    return flawed('REPLAY_CAPSULE', `the base capsule cannot be used: ${error.message}`, {
      field: 'base'
    })
  }
}

/** Opens the gate in this thread; its vectors are run once. Raises CapsuleRefusedError. */
export function openGate({ block, wasm, metered, engine }: GateSetup): Gate {
  const capsule = { ...parseCapsule(block, wasm), metered }
  if (last?.base !== capsule.cid) last = { base: capsule.cid, judge: openCapsule(capsule) }
  return { ...last, engine }
}

/** The capsule that was opened last: who replays many records has one for all of them. */
let last: Pick<Gate, 'base' | 'judge'> | null = null
