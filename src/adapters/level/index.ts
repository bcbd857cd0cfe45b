/**
 * LevelDB: the place where libp2p keeps the peers that it knows across restarts, and the archive of ended threads.
 */
export { ArchiveUnavailableError } from './errors.ts'
export { levelArchive } from './level-archive.ts'
export { levelDatastore } from './level-datastore.ts'
