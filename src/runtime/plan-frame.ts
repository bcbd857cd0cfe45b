import { concat } from '../core/base/index.ts'
import { digestOfId, idFromDigest } from '../core/codec/index.ts'

/** A frame of plan sync: the digest of the thread's id, then a sync message about its plan (protocols/plan). */
export type PlanFrame = { readonly thread: string; readonly message: Uint8Array }

const DIGEST_SIZE = 32

export function encodePlanFrame({ thread, message }: PlanFrame): Uint8Array | null {
  const digest = digestOfId(thread)
  return digest === null ? null : concat([digest, message])
}

/** Null for bytes that are too short. The message is not looked at. */
export function decodePlanFrame(bytes: Uint8Array): PlanFrame | null {
  if (bytes.length <= DIGEST_SIZE) return null
  return {
    thread: idFromDigest(bytes.subarray(0, DIGEST_SIZE)),
    message: bytes.subarray(DIGEST_SIZE)
  }
}
