export type { Command, Effect, EntryBody, Input, JournalRecord, PeerMessage, Phase, RecordItem, Stage, SwarmEvent, ThreadView } from './types.ts'
export { TERMINAL } from './types.ts'
