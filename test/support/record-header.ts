import { cidOf, encode } from '../../src/core/codec/index.ts'

/** What the header of a record says in worlds that have no policies: a CID of nothing, and the engine of zeros of their envelopes. */
export const NO_POLICIES: { readonly base: string; readonly engine: Uint8Array } = {
  base: cidOf(encode('no policies')).toString(),
  engine: new Uint8Array(32)
}
