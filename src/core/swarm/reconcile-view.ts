/** A RECONCILE as people read it: ids as text. */
export type ReconcileView = {
  readonly id: string
  readonly sender: string
  /** Heads of the plan that stands. */
  readonly merged: readonly string[]
  /** PROPOSEs that lost, and COMMITs of epochs that were left. */
  readonly orphaned: readonly string[]
  /** Artifacts of these that may be used as they are. */
  readonly salvaged: readonly string[]
}
