import { assert } from '../base/index.ts'
import { Swarm } from './swarm.ts'
import type { ArchivedThread, PeerMessage, Pull } from './types.ts'

/**
 * An archived thread as a machine of its own that is only read: view, record, envelopes and plan changes are what they were. The archive
 * is this node's own disk and what is in it was checked when it came, so no signature is looked at again.
 */
export function reviveThread(archived: ArchivedThread, did: string): Swarm {
  const swarm = new Swarm({ did, sign: notSigned, verify: () => true, random: () => 0 })
  for (const record of archived.records) swarm.restore(record)
  swarm.start(0)
  return swarm
}

/** What a peer is sent that pulls an archived thread: the same as if it were in memory. */
export function answerFromArchive(
  archived: ArchivedThread,
  init: { readonly did: string; readonly to: string; readonly pull: Pull }
): readonly PeerMessage[] {
  const swarm = reviveThread(archived, init.did)
  const effects = swarm.step({ kind: 'message', nowMs: 0, from: init.to, message: init.pull })
  return effects.flatMap(effect => (effect.kind === 'send' ? [effect.message] : []))
}

function notSigned(): never {
  assert(false, 'an archived thread says nothing new')
}
