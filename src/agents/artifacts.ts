import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { INLINE_BYTES_MAX, type SwarmClient } from '../rpc/index.ts'
import { ArtifactMissingError, ArtifactTooLargeError } from './errors.ts'
import { ARTIFACT_BYTES_MAX, FETCH_TIMEOUT_MS } from './limits.ts'

export type FetchInit = {
  readonly signal?: AbortSignal
  /** ms that the network gets to deliver. */
  readonly timeoutMs?: number
  readonly bytesMax?: number
}

/**
 * The bytes of an artifact. Rejects with ArtifactMissingError when nobody delivers it in time, ArtifactTooLargeError above
 * the limit.
 */
export async function fetchArtifact(
  client: SwarmClient,
  cid: string,
  init: FetchInit = {}
): Promise<Uint8Array> {
  const { timeoutMs = FETCH_TIMEOUT_MS, bytesMax = ARTIFACT_BYTES_MAX } = init
  const enough = new AbortController()
  const tooLarge = new ArtifactTooLargeError(`${cid} is larger than ${bytesMax} bytes`)
  const chunks: Buffer[] = []
  let size = 0
  const onProgress = (data: object): void => {
    if (!('base64' in data)) return
    const chunk = Buffer.from(String(data.base64), 'base64')
    size += chunk.length
    if (size > bytesMax) enough.abort(tooLarge)
    else chunks.push(chunk)
  }
  const signals = [enough.signal, ...(init.signal === undefined ? [] : [init.signal])]
  try {
    const signal = AbortSignal.any(signals)
    await client.call('artifacts.cat', { cid, timeoutMs }, { signal, onProgress })
    // The last piece may come with the answer, too late for the call to be cut.
    enough.signal.throwIfAborted()
  } catch (error) {
    if (enough.signal.aborted) throw tooLarge
    throw isMissing(error) ? missing(cid, timeoutMs, error) : error
  }
  return Buffer.concat(chunks, size)
}

/** Several artifacts, joined in order. */
export async function fetchAll(
  client: SwarmClient,
  cids: readonly string[],
  init: FetchInit = {}
): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let left = init.bytesMax ?? ARTIFACT_BYTES_MAX
  for (const cid of cids) {
    const part = await fetchArtifact(client, cid, { ...init, bytesMax: left })
    left -= part.length
    parts.push(part)
  }
  return Buffer.concat(parts)
}

/** Adds bytes as a pinned artifact. Large ones go by way of a file, because a line of the socket is bounded. */
export async function addArtifact(
  client: SwarmClient,
  bytes: Uint8Array,
  init: { readonly name: string; readonly signal?: AbortSignal }
): Promise<string> {
  const options = init.signal === undefined ? {} : { signal: init.signal }
  if (bytes.length <= INLINE_BYTES_MAX) {
    const base64 = Buffer.from(bytes).toString('base64')
    const params = { base64, pin: true, name: init.name }
    return (await client.call('artifacts.addBytes', params, options)).cid
  }
  const folder = await mkdtemp(join(tmpdir(), 'can-swarm-artifact-'))
  try {
    const path = join(folder, 'output')
    await writeFile(path, bytes, { mode: 0o600 })
    return (await client.call('artifacts.add', { path, pin: true }, options)).cid
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function isMissing(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 'ARTIFACT_NOT_FOUND'
}

function missing(cid: string, timeoutMs: number, cause: unknown): ArtifactMissingError {
  return new ArtifactMissingError(
    `missing artifact: nobody delivered ${cid} within ${timeoutMs} ms`,
    { cid },
    { cause }
  )
}
