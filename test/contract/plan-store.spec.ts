// Both plan stores against one suite.
import { automergePlanStore } from '../../src/adapters/automerge/index.ts'
import { memoryPlanStore } from '../../src/adapters/memory/index.ts'
import type { PlanStore } from '../../src/ports/index.ts'
import { runPlanStoreTests } from './plan-store.ts'

const silent = { error() {}, warn() {}, info() {}, debug() {} }

async function startedAutomerge(): Promise<PlanStore> {
  const workerUrl = new URL('../../src/adapters/automerge/worker.ts', import.meta.url)
  const store = automergePlanStore({ workerUrl, source: () => [], logger: silent })
  await store.start()
  return store
}

describe('contract/plan-store/automerge', () => {
  runPlanStoreTests(startedAutomerge)
})

describe('contract/plan-store/memory', () => {
  runPlanStoreTests(async () => memoryPlanStore())
})
