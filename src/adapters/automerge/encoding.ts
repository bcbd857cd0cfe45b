import { assert } from '../../core/base/index.ts'
import { decodeStrict, encode } from '../../core/codec/index.ts'
import type { Fact } from '../../core/envelope/index.ts'
import type { PlanChange } from '../../ports/index.ts'
import type { EncodedChange } from './protocol.ts'

/** Each fact as the bytes that the document holds: canonical DAG-CBOR of `[sender, lamport, fact]`. */
export function encodeChange({ envelope, sender, lamport, facts }: PlanChange): EncodedChange {
  return { envelope, facts: facts.map(fact => encode([sender, lamport, fact])) }
}

/** The inverse. The bytes were written by this program in this process. */
export function decodeChange({ envelope, facts }: EncodedChange): PlanChange {
  const stated = facts.map(decodeFact)
  const [first] = stated
  assert(first !== undefined, 'a change has at least one fact')
  const said = stated.map(([, , fact]) => fact)
  return { envelope, sender: first[0], lamport: first[1], facts: said, chain: null }
}

function decodeFact(bytes: Uint8Array): [sender: string, lamport: number, fact: Fact] {
  const decoded = decodeStrict(bytes)
  assert(decoded.ok, 'a fact in the document is canonical')
  return decoded.value as [string, number, Fact]
}
