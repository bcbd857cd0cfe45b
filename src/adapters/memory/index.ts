/**
 * In-memory twins of the ports, for tests and virtual nodes. They fail where the real ones fail.
 */

export { ALLOW, type FixedPolicyInit, fixedPolicy } from './fixed-policy.ts'
export { ManualClock, manualClock } from './manual-clock.ts'
export { memoryArchive } from './memory-archive.ts'
export { MemoryArtifactError } from './memory-artifact-paths.ts'
export {
  MemoryArtifactNetwork,
  type MemoryArtifactStoreInit,
  memoryArtifactStore
} from './memory-artifacts.ts'
export {
  type CrashOptions,
  MemoryDisk,
  MemoryJournalClosedError,
  MemoryJournalFailedError,
  memoryJournal
} from './memory-journal.ts'
export {
  MemoryBadAddressError,
  MemoryHub,
  type MemoryNetworkInit,
  MemoryPeerUnreachableError
} from './memory-network.ts'
export { seededEntropy } from './seeded-entropy.ts'
