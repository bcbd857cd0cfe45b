/**
 * LevelDB: the place where libp2p keeps the peers that it knows across restarts, the archive of ended threads, and the log of them.
 */
export { ArchiveUnavailableError, HistoryUnavailableError } from './errors.ts'
export { levelArchive } from './level-archive.ts'
export { levelDatastore } from './level-datastore.ts'
export { levelKeyValues } from './level-key-values.ts'
