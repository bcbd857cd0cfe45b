/**
 * Checkpoints: what a node says about its log of ended threads, in the form of C2SP's tlog-checkpoint, signed by it and cosigned by witnesses.
 *
 * 1. A note is text and signatures over exactly these bytes. Names and keys of signers are DIDs, so a note is checked without a list of keys.
 * 2. A good signature of the origin makes a checkpoint, cosignatures of k different witnesses make it stable.
 * 3. A signature that a reader knows how to check and that is wrong refuses the whole note; unknown kinds count for nothing.
 *
 * Specification: protocols/checkpoint/README.md; C2SP signed-note, tlog-checkpoint and tlog-cosignature.
 */
export {
  type Checkpoint,
  formatCheckpoint,
  formatOrigin,
  originOf,
  parseCheckpoint
} from './body.ts'
export {
  type CheckpointFork,
  checkFork,
  decodeFork,
  encodeFork,
  FORK_BYTES_MAX,
  FORK_FORMAT
} from './fork.ts'
export {
  formatNote,
  NOTE_BYTES_MAX,
  NOTE_SIGNATURES_MAX,
  type NoteSignature,
  parseNote,
  type SignedNote
} from './note.ts'
export {
  type CheckedNote,
  checkNote,
  cosignature,
  cosignedBytes,
  originSignature
} from './signatures.ts'
