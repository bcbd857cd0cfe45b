/**
 * Who is speaking: `did:key` of Ed25519 keys, and the one rule by which keys and signatures are accepted (R3). The same
 * key is the libp2p identity of the node. See protocols/identity/.
 *
 * 1. A key that `admitKey` refuses signs nothing, whatever the equation says.
 * 2. Every verifier gives the answers of `verifyReference`; a node that differs from its peers on one signature forks.
 * 3. Nothing here throws on strangers' data.
 */
export { toPkcs8, toSpki } from './der.ts'
export { formatDid, formatDid as didFromPublicKey, PUBLIC_KEY_BYTES, parseDid } from './did.ts'
export { admitKey, admitR, SIGNATURE_BYTES, verifyReference } from './signature.ts'
export { isReducedEncoding, isSmallOrderEncoding, SMALL_ORDER_ENCODINGS } from './small-order.ts'
