import { stat } from 'node:fs/promises'
import type { CapsuleDag, Run } from '../policy/index.ts'
import { InputNotFoundError, UsageError } from './errors.ts'
import type { Session } from './session.ts'

const CID_TEXT = /^baf[a-z2-7]{20,}$/u

/** A capsule that a user named, and how it came. */
export type NamedCapsule = {
  readonly dag: CapsuleDag
  /** What the Rego unit tests said; null unless it was built of a folder that was to be tested. */
  readonly tests: Run | null
  /** Why the unit tests were not run though they were to be; null otherwise. */
  readonly untested: string | null
}

/**
 * The capsule behind a word of the command line: `base`, a folder of sources (compiled on the spot where there is a compiler, otherwise as it lies there compiled), a capsule file, or a CID, which a running node
 * gets. Only the last needs a node.
 */
export async function resolveCapsule(
  session: Session,
  word: string,
  options: { readonly test?: boolean } = {}
): Promise<NamedCapsule> {
  const { BASE_NAME, decodeCapsuleFile, readCapsuleFile, shippedCapsule } = await import(
    '../policy/index.ts'
  )
  if (CID_TEXT.test(word)) {
    const params =
      session.timeoutMs === null ? { cid: word } : { cid: word, timeoutMs: session.timeoutMs }
    const { base64 } = await session
      .call('policy.get', params, { long: true })
      .catch((error: unknown) => {
        if ((error as { code?: unknown }).code !== 'PARAMS_INVALID') throw error
        throw new UsageError(`${word} is no CID: is all of it there?`)
      })
    return {
      dag: await decodeCapsuleFile(Buffer.from(base64, 'base64'), word),
      tests: null,
      untested: null
    }
  }
  const path = session.path(word)
  const stats = await stat(path).catch(() => null)
  if (stats?.isDirectory() === true) return capsuleOfFolder(session, path, options.test === true)
  if (stats !== null) return { dag: await readCapsuleFile(path), tests: null, untested: null }
  if (word === BASE_NAME) return { dag: await shippedCapsule(), tests: null, untested: null }
  throw new InputNotFoundError(
    `${word} is no capsule: give a folder of sources, a capsule file, a CID, or "${BASE_NAME}"`
  )
}

async function capsuleOfFolder(
  { io, signal }: Session,
  path: string,
  test: boolean
): Promise<NamedCapsule> {
  const { buildCapsule, CompilerUnavailableError, capabilitiesPath, compiledCapsule } =
    await import('../policy/index.ts')
  try {
    const built = await buildCapsule(path, { env: io.env, signal, test, keepFailing: test })
    return { ...built, untested: null }
  } catch (error) {
    if (!(error instanceof CompilerUnavailableError)) throw error
    const dag = await compiledCapsule(path, capabilitiesPath())
    if (dag === null) throw error
    return { dag, tests: null, untested: error.message }
  }
}
