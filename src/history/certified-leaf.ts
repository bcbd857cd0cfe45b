import { equals, ok, type Result, refuse } from '../core/base/index.ts'
import { encodeLeaf, type Leaf, leafOf } from '../core/history/index.ts'
import { decodeCertificateFile } from '../core/roster/index.ts'
import type { VerifySignature } from '../ports/index.ts'
import { LEAVES_BYTES_MAX } from './limits.ts'
import type { CertifiedLeaf } from './messages.ts'

/** Bytes around one leaf in an answer. */
const FRAME_BYTES = 64

/**
 * The leaf, when it is what the certificate beside it says. Refusals: those of `decodeCertificateFile` and `leafOf`; `CHECKPOINT_LEAVES` without a
 * certificate, or for another leaf. Certificates cost milliseconds each: the node serves in between.
 */
export async function checkCertified(
  { leaf, certificate }: CertifiedLeaf,
  verify: VerifySignature
): Promise<Result<Leaf>> {
  if (certificate === null)
    return refuse('CHECKPOINT_LEAVES', 'a leaf came without its certificate')
  const file = decodeCertificateFile(certificate)
  if (!file.ok) return file
  const made = leafOf(file.value, verify)
  if (!made.ok) return made
  await new Promise<void>(resolve => setImmediate(resolve))
  return equals(encodeLeaf(made.value), leaf)
    ? ok(made.value)
    : refuse('CHECKPOINT_LEAVES', 'a leaf is not what its certificate says')
}

/** As many of these leaves as one answer holds, and at least one. */
export async function firstThatFit(leaves: AsyncIterable<CertifiedLeaf>): Promise<CertifiedLeaf[]> {
  const found: CertifiedLeaf[] = []
  let bytes = 0
  for await (const item of leaves) {
    bytes += item.leaf.length + (item.certificate?.length ?? 0) + FRAME_BYTES
    if (bytes > LEAVES_BYTES_MAX && found.length > 0) break
    found.push(item)
  }
  return found
}
