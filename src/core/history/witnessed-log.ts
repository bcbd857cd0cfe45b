import { assert, equals, ok, type Result, refuse } from '../base/index.ts'
import {
  type CheckedNote,
  type Checkpoint,
  type CheckpointFork,
  checkNote,
  formatNote,
  parseCheckpoint,
  parseNote,
  type SignedNote
} from '../checkpoint/index.ts'
import { type Blocks, type BlockTree, CompactTree, MerkleTree } from '../merkle/index.ts'
import type { Verify } from '../roster/index.ts'

/** What a witness makes of a checkpoint. */
export type Judgement =
  /** The log has grown as it should: persist, `accept`, then cosign. */
  | { readonly kind: 'grown'; readonly note: SignedNote; readonly checked: CheckedNote }
  /** What is held already: cosigning it again changes nothing. */
  | { readonly kind: 'held'; readonly note: SignedNote; readonly checked: CheckedNote }
  /** Its origin has signed two logs. */
  | { readonly kind: 'fork'; readonly fork: CheckpointFork }

/**
 * One origin's log as a witness has recomputed it: the tree over the leaves that it checked, and the newest checkpoint that it holds. A
 * judgement changes nothing; `accept` does, after what it takes in is on disk (C2SP tlog-witness: check and persist before answering).
 */
export class WitnessedLog {
  readonly origin: string
  #tree: BlockTree
  #note: SignedNote | null
  #past: SignedNote | null

  /**
   * Restores from disk: the tree over the leaves, and the note whose size it has; null for a log that is new here. `past`: the newest note that was cosigned of a log
   * that was let go of since, which begins anew here.
   */
  constructor(init: {
    readonly origin: string
    readonly tree: BlockTree
    readonly note: SignedNote | null
    readonly past?: SignedNote | null
  }) {
    this.origin = init.origin
    this.#tree = init.tree
    this.#note = init.note
    this.#past = init.past ?? null
  }

  /** Leaves that were recomputed and cosigned: the next ones are asked from here on. */
  get size(): number {
    return this.#tree.size
  }

  /** The newest checkpoint held, or null. */
  get note(): SignedNote | null {
    return this.#note
  }

  /** The newest checkpoint that was cosigned before the log was let go of; null when it was not, or is held again. */
  get past(): SignedNote | null {
    return this.#past
  }

  /** Leaves that a checkpoint has to have: what was cosigned is not unsaid, also where the log was let go of. */
  get least(): bigint {
    return this.#past === null ? BigInt(this.size) : checkpointOf(this.#past).size
  }

  /** A tree with the same leaves, for `accept`. */
  tree(): BlockTree {
    return this.#tree.copy()
  }

  /** Index of the block whose leaves it takes to speak of the first `size` leaves, or null. */
  blockOf(size: number): number | null {
    return this.#tree.blockOf(size)
  }

  /** What it takes to go on from the first `size` leaves. */
  peaks(size: number, blocks: Blocks): Uint8Array[] {
    return this.#tree.peaks(size, blocks)
  }

  /** The proof that the first `size` leaves begin with the first `from`. */
  consistency(from: number, size: number, blocks: Blocks): Uint8Array[] {
    return this.#tree.consistencyProof(from, size, blocks)
  }

  /**
   * Judges a checkpoint of this origin. `leaves` are the hashes of the leaves from `size` on, each checked by the caller (`leafOf`); `blocks`: the one that the checkpoint's size is in (`blockOf`). Refusals:
   * those of `parseNote` and `checkNote`; `CHECKPOINT_ORIGIN` for another log; `CHECKPOINT_ROLLBACK` for a tree smaller than the one held;
   * `CHECKPOINT_LEAVES` when leaves are missing or too many; `CHECKPOINT_ROOT` when they do not lead to this root.
   */
  judge(
    bytes: Uint8Array,
    { leaves, blocks }: { readonly leaves: readonly Uint8Array[]; readonly blocks: Blocks },
    verify: Verify
  ): Result<Judgement> {
    const note = parseNote(bytes)
    if (!note.ok) return note
    const checked = checkNote(note.value, verify)
    if (!checked.ok) return checked
    const { origin, size, root } = checked.value.checkpoint
    if (origin !== this.origin)
      return refuse('CHECKPOINT_ORIGIN', 'the checkpoint is of another log')
    if (size <= BigInt(this.size) && this.#note !== null)
      return this.#judgeOld(note.value, checked.value, blocks)
    if (size !== BigInt(this.size + leaves.length))
      return refuse(
        'CHECKPOINT_LEAVES',
        `the checkpoint has ${size} leaves: ask for all from ${this.size} on`
      )
    if (size < this.least) return this.#rollback()
    const grown = this.#with(leaves)
    if (!equals(grown.root, root))
      return refuse('CHECKPOINT_ROOT', 'the leaves that were delivered do not lead to this root')
    if (this.#past !== null && grown.prefix !== null) {
      const older = checkpointOf(this.#past)
      const prefix = older.size === size ? null : grown.prefix
      const fork = { older: formatNote(this.#past), newer: formatNote(note.value), prefix }
      if (!equals(grown.prefix.root, older.root)) return ok({ kind: 'fork', fork })
    }
    return ok({ kind: 'grown', note: note.value, checked: checked.value })
  }

  /** Takes in what `judge` found to have grown: the `tree` with the leaves added to it. The caller has persisted note and leaves. */
  accept(note: SignedNote, tree: BlockTree): void {
    this.#tree = tree
    this.#note = note
    this.#past = null
  }

  /** A checkpoint that is no larger than the one held. */
  #judgeOld(note: SignedNote, checked: CheckedNote, blocks: Blocks): Result<Judgement> {
    const { size, root } = checked.checkpoint
    const held = this.#note
    assert(held !== null, 'a log with leaves has the checkpoint that they belong to')
    const at = Number(size)
    if (equals(root, this.#tree.root(at, blocks))) {
      if (at === this.size) return ok({ kind: 'held', note, checked })
      return this.#rollback()
    }
    const prefix =
      at === this.size
        ? null
        : {
            root: this.#tree.root(at, blocks),
            proof: this.#tree.consistencyProof(at, this.size, blocks)
          }
    // Every tree begins with the empty one, so no proof says that it does: the root of none is known.
    if (at === 0 && prefix !== null)
      return refuse('CHECKPOINT_ROOT', 'a tree without leaves has another root')
    return ok({
      kind: 'fork',
      fork: { older: formatNote(note), newer: formatNote(held), prefix }
    })
  }

  #rollback(): Result<never> {
    return refuse('CHECKPOINT_ROLLBACK', `the checkpoint is older than one of ${this.least} leaves`)
  }

  /** What the log would be with these leaves: its root, and that it goes on from what it was when it was let go of. */
  #with(leaves: readonly Uint8Array[]): { root: Uint8Array; prefix: CheckpointFork['prefix'] } {
    if (this.#past === null) {
      const tree = CompactTree.of(this.size, this.#tree.peaks())
      assert(tree.ok, 'a tree has its own subtrees')
      for (const leaf of leaves) tree.value.append(leaf)
      return { root: tree.value.root(), prefix: null }
    }
    // A log that was let go of begins anew: all leaves are among the new ones.
    const tree = new MerkleTree()
    for (const leaf of leaves) tree.append(leaf)
    const at = Number(this.least)
    return { root: tree.root(), prefix: { root: tree.root(at), proof: tree.consistencyProof(at) } }
  }
}

/** Of a note that was cosigned here. */
function checkpointOf(note: SignedNote): Checkpoint {
  const checkpoint = parseCheckpoint(note.text)
  assert(checkpoint.ok, 'a note that was cosigned is a checkpoint')
  return checkpoint.value
}
