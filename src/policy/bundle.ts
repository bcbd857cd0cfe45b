import { gunzipSync } from 'node:zlib'
import { CompilerFailedError } from './errors.ts'
import { BUNDLE_BYTES_MAX } from './limits.ts'

/** Bytes of a header, and of what every file is padded to. */
const TAR_BLOCK = 512
const WASM_PATH = '/policy.wasm'

/** The compiled policy in a bundle: a gzipped tar, as `opa build` writes it. Raises CompilerFailedError when it holds none. */
export function wasmOfBundle(bundle: Uint8Array): Uint8Array {
  const tar = unzipped(bundle)
  for (let at = 0; at + TAR_BLOCK <= tar.length; ) {
    const name = textAt(tar, at, 100)
    const size = Number.parseInt(textAt(tar, at + 124, 12), 8)
    if (name === '' || !(size >= 0)) break
    const start = at + TAR_BLOCK
    if (name === WASM_PATH && start + size <= tar.length) return tar.slice(start, start + size)
    at = start + Math.ceil(size / TAR_BLOCK) * TAR_BLOCK
  }
  throw new CompilerFailedError(
    'the compiler wrote a bundle without a policy: check that the entrypoint names a rule'
  )
}

function unzipped(bundle: Uint8Array): Uint8Array {
  try {
    return gunzipSync(bundle, { maxOutputLength: BUNDLE_BYTES_MAX })
  } catch (cause) {
    const { message } = cause as Error
    throw new CompilerFailedError(`the compiler's bundle cannot be read: ${message}`, {}, { cause })
  }
}

function textAt(tar: Uint8Array, from: number, length: number): string {
  const field = tar.subarray(from, from + length)
  const end = field.indexOf(0)
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end)).trim()
}
