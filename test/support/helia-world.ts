import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Libp2p } from '@libp2p/interface'
import { heliaArtifactStore } from '../../src/adapters/helia/index.ts'
import type { ArtifactStore, Logger } from '../../src/ports/index.ts'
import type { ArtifactWorld } from '../contract/artifacts.ts'
import { loopbackLibp2p } from './loopback-libp2p.ts'

export const silent: Logger = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} }

export type HeliaWorld = ArtifactWorld & {
  readonly nodes: ReadonlyMap<
    string,
    { readonly libp2p: Libp2p; readonly store: ArtifactStore; readonly directory: string }
  >
}

/** Helia stores on real libp2p nodes over loopback. Each new node dials the first one only. */
export async function heliaWorld(): Promise<HeliaWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'can-swarm-artifacts-'))
  const nodes = new Map<string, { libp2p: Libp2p; store: ArtifactStore; directory: string }>()
  return {
    folder,
    nodes,
    async store(name, options) {
      const libp2p = await loopbackLibp2p()
      await libp2p.start()
      const directory = join(folder, `store-${name}`)
      const unplug = new Set(options?.unplugged === true ? ['artifacts'] : [])
      const store = heliaArtifactStore({ libp2p, directory, logger: silent, unplug })
      await store.start()
      const [first] = nodes.values()
      nodes.set(name, { libp2p, store, directory })
      if (first !== undefined) await libp2p.dial(first.libp2p.getMultiaddrs())
      return store
    },
    async dispose() {
      for (const { store } of nodes.values()) await store.stop()
      for (const { libp2p } of nodes.values()) await libp2p.stop()
      await rm(folder, { recursive: true, force: true })
    }
  }
}
