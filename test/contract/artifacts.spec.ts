// Goal: the ArtifactStore port means the same in memory and on Helia. Method: one suite, two worlds.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MemoryArtifactNetwork, memoryArtifactStore } from '../../src/adapters/memory/index.ts'
import type { ArtifactStore } from '../../src/ports/index.ts'
import { heliaWorld } from '../support/helia-world.ts'
import { runArtifactContract } from './artifacts.ts'

runArtifactContract('memory', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'can-swarm-artifacts-'))
  const network = new MemoryArtifactNetwork()
  return {
    folder,
    store: async (id, options): Promise<ArtifactStore> => {
      const unplug = new Set(options?.unplugged === true ? ['artifacts'] : [])
      const store = memoryArtifactStore({ id, network, unplug })
      await store.start()
      return store
    },
    dispose: () => rm(folder, { recursive: true })
  }
})

runArtifactContract('Helia', heliaWorld)
