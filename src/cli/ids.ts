import { IdAmbiguousError, IdNotFoundError } from './errors.ts'
import type { Session } from './session.ts'

/** Characters of a part of an id, at least: fewer match by accident. */
const PART_LENGTH_MIN = 3
/** Characters of a CID or DID, at least; anything shorter is part of one. */
const WHOLE_LENGTH_MIN = 46

/** The thread that a user means: its whole id, or a beginning or end that no other thread has. */
export async function resolveThread(session: Session, id: string): Promise<string> {
  if (id.length >= WHOLE_LENGTH_MIN) return id
  const threads = await session.call('threads.list', {})
  return pick(
    id,
    threads.map(thread => thread.thread),
    'thread',
    'can-swarm threads'
  )
}

/** The connected peer that a user means. */
export async function resolvePeer(session: Session, id: string): Promise<string> {
  if (id.length >= WHOLE_LENGTH_MIN) return id
  const peers = await session.call('peers.list', {})
  return pick(
    id,
    peers.map(peer => peer.did),
    'peer',
    'can-swarm peers'
  )
}

/** The evidence that a user means, among what the node holds. */
export async function resolveEvidence(session: Session, id: string): Promise<string> {
  if (id.length >= WHOLE_LENGTH_MIN) return id
  const held = await session.call('evidence.list', {})
  return pick(
    id,
    held.map(evidence => evidence.id),
    'evidence',
    'can-swarm evidence ls'
  )
}

/** The envelope of a thread that a user means, among those that the thread shows. */
export async function resolveEnvelope(
  session: Session,
  thread: string,
  id: string
): Promise<string> {
  if (id.length >= WHOLE_LENGTH_MIN) return id
  const { envelopes } = await session.call('thread.get', { thread })
  return pick(
    id,
    envelopes.map(one => one.id),
    'envelope',
    `can-swarm thread ${thread} --json`
  )
}

function pick(id: string, all: readonly string[], what: string, list: string): string {
  const part = id.replace(/^(…|\.\.\.)/u, '')
  const matches =
    part.length < PART_LENGTH_MIN
      ? []
      : all.filter(one => one.startsWith(part) || one.endsWith(part))
  const only = matches[0]
  if (only === undefined)
    throw new IdNotFoundError(
      `no ${what} begins or ends with "${id}": see "${list}", and give at least ${PART_LENGTH_MIN} characters`
    )
  if (matches.length > 1)
    throw new IdAmbiguousError(
      `"${id}" fits ${matches.length} ${what}s: ${matches.slice(0, 10).join(', ')}`
    )
  return only
}
