import type { Handlers } from '../../rpc/index.ts'
import type { NodeParts } from '../node-parts.ts'

type ArtifactMethods = Extract<
  keyof Handlers,
  `artifacts.${string}` | `pins.${string}` | `gc.${string}`
>

/** Time for a look at the DHT that names none, in ms. */
const PROVIDERS_MS = 5_000

export function artifactHandlers({ artifacts }: NodeParts): Pick<Handlers, ArtifactMethods> {
  return {
    'artifacts.add': ({ path, pin }, { signal, progress }) =>
      artifacts.addPath(path, { pin, signal, onProgress: progress }),
    'artifacts.addBytes': ({ base64, pin, name }) =>
      artifacts.addBytes(new Uint8Array(Buffer.from(base64, 'base64')), pin ? name : null),
    'artifacts.cat': async ({ cid, ...options }, { signal, progress, drained }) => {
      let bytes = 0
      for await (const chunk of artifacts.cat(cid, { ...options, signal })) {
        bytes += chunk.length
        progress({
          base64: Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString('base64')
        })
        await drained()
      }
      return { bytes }
    },
    'artifacts.get': ({ cid, path, timeoutMs }, { signal, progress }) =>
      artifacts.get(cid, path, {
        signal,
        onProgress: progress,
        ...(timeoutMs === undefined ? {} : { timeoutMs })
      }),
    'artifacts.exportCar': ({ cid, path }) => artifacts.exportCar(cid, path),
    'artifacts.importCar': async ({ path }) => {
      const { roots, blocks } = await artifacts.importCar(path)
      return { roots: [...roots], blocks }
    },
    'artifacts.providers': async ({ cid, timeoutMs }) => ({
      providers: [...(await artifacts.providers(cid, { timeoutMs: timeoutMs ?? PROVIDERS_MS }))]
    }),
    'pins.add': ({ cid, name, timeoutMs }, { signal }) =>
      artifacts.pin(cid, name, { signal, ...(timeoutMs === undefined ? {} : { timeoutMs }) }),
    'pins.rm': async ({ cid }) => {
      await artifacts.unpin(cid)
      return { removed: cid }
    },
    'pins.ls': async () => [...(await artifacts.pins())],
    'gc.run': () => artifacts.gc()
  }
}
