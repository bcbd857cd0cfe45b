import { printable } from '../base/index.ts'
import type { Admitted, Verb } from '../envelope/index.ts'
import type { Context } from './context.ts'
import type { PeerMessage } from './types.ts'
import type { World } from './world.ts'

/** What a node is told about an envelope of its own that a peer's door refused. */
export type Refused = Extract<PeerMessage, { readonly type: 'refused' }>

/** Reasons in one notice, and characters of each and of a code: a person reads them. */
export const NOTICE_REASONS_MAX = 8
export const NOTICE_REASON_LENGTH_MAX = 256
export const NOTICE_CODE_LENGTH_MAX = 64

/** Own envelopes about which a notice is believed: what a node says in some minutes. A notice comes within seconds. */
const OWN_REMEMBERED_MAX = 1_024
/** Peers that are heard about one envelope. When so many refuse it, others do too. */
const REFUSERS_MAX = 16

type OwnEnvelope = {
  readonly thread: string | null
  readonly verb: Verb
  /** DIDs that refused it. */
  readonly by: Set<string>
}

/** This node's latest envelopes, and who refused them. */
export class OwnEnvelopes {
  readonly #known = new Map<string, OwnEnvelope>()

  /** Remembers an envelope that this node said. */
  note({ id, envelope }: Admitted): void {
    const { verb, thread } = envelope
    const about = verb === 'NEED' ? id : (thread?.toString() ?? null)
    this.#known.set(id, { thread: about, verb, by: new Set() })
    const [oldest = id] = this.#known.keys()
    if (this.#known.size > OWN_REMEMBERED_MAX) this.#known.delete(oldest)
  }

  /** The envelope, the first time that this peer refuses it. */
  refusedBy(id: string, peer: string): OwnEnvelope | undefined {
    const known = this.#known.get(id)
    if (known === undefined || known.by.has(peer) || known.by.size >= REFUSERS_MAX) return undefined
    known.by.add(peer)
    return known
  }
}

/**
 * A peer says that its door refused an envelope of this node, and by which rule (POL-18). It may lie, so it changes nothing: a person is told,
 * once for each envelope and peer.
 */
export function onRefused(world: World, from: string, message: Refused): void {
  const { context } = world
  const own = context.own.refusedBy(message.envelope, from)
  if (own === undefined) return
  const code = printable(message.code.slice(0, NOTICE_CODE_LENGTH_MAX))
  const reasons = message.reasons
    .slice(0, NOTICE_REASONS_MAX)
    .map(reason => printable(reason.slice(0, NOTICE_REASON_LENGTH_MAX)))
  const { thread, verb } = own
  const atMs = context.nowMs
  context.observe({
    type: 'refused',
    thread,
    envelope: message.envelope,
    verb,
    by: from,
    code,
    reasons,
    atMs
  })
  // Many peers refuse for one reason: it is one warning.
  if (own.by.size > 1) return
  warnOf(world, thread, `own ${verb} was refused by ${from}: ${reasons.join('; ')} [${code}]`)
}

function warnOf({ context, threads }: World, id: string | null, text: string): void {
  const thread = id === null ? undefined : threads.get(id)
  if (thread === undefined) context.warn(id, text)
  else thread.warn(context, text)
}

/** Remembers own envelopes as they are filed. */
export function noteOwn(context: Context, admitted: Admitted): void {
  if (admitted.envelope.sender === context.did) context.own.note(admitted)
}
