import { stat } from 'node:fs/promises'
import type { CapsuleDag, Run } from '../policy/index.ts'
import { InputNotFoundError } from './errors.ts'
import type { Session } from './session.ts'

const CID_TEXT = /^baf[a-z2-7]{20,}$/u

/** A capsule that a user named, and how it came. */
export type NamedCapsule = {
  readonly dag: CapsuleDag
  /** What the Rego unit tests said; null unless it was built of a folder that was to be tested. */
  readonly tests: Run | null
}

/**
 * The capsule behind a word of the command line: `base`, a folder of sources (compiled on the spot), a capsule file, or a CID, which a running node
 * gets. Only the last needs a node.
 */
export async function resolveCapsule(
  session: Session,
  word: string,
  options: { readonly test?: boolean } = {}
): Promise<NamedCapsule> {
  const { BASE_NAME, buildCapsule, decodeCapsuleFile, readCapsuleFile, shippedCapsule } =
    await import('../policy/index.ts')
  if (CID_TEXT.test(word)) {
    const params =
      session.timeoutMs === null ? { cid: word } : { cid: word, timeoutMs: session.timeoutMs }
    const { base64 } = await session.call('policy.get', params, { long: true })
    return { dag: await decodeCapsuleFile(Buffer.from(base64, 'base64'), word), tests: null }
  }
  const path = session.path(word)
  const stats = await stat(path).catch(() => null)
  if (stats?.isDirectory() === true)
    return buildCapsule(path, { env: session.io.env, signal: session.signal, ...options })
  if (stats !== null) return { dag: await readCapsuleFile(path), tests: null }
  if (word === BASE_NAME) return { dag: await shippedCapsule(), tests: null }
  throw new InputNotFoundError(
    `${word} is no capsule: give a folder of sources, a capsule file, a CID, or "${BASE_NAME}"`
  )
}
