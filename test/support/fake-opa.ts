import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

export type FakeOpa = {
  readonly version?: string
  /** The wasm that it "compiles" everything to; null: it objects. */
  readonly wasm: Uint8Array | null
  /** Instead of a bundle. */
  readonly bundle?: Uint8Array
}

/** A compiler that always writes the same wasm, for machines without one. Returns the environment in which it is found. */
export function fakeOpa(folder: string, init: FakeOpa): { readonly PATH: string } {
  const bundle = join(folder, 'fake-bundle.tar.gz')
  writeFileSync(bundle, init.bundle ?? bundleOf(init.wasm ?? new Uint8Array()))
  const build =
    init.wasm === null
      ? `echo '1 error occurred: x.rego:1: rego_parse_error' >&2; exit 1`
      : `cp '${bundle}' bundle.tar.gz`
  const script = `#!/bin/sh
case "$1" in
  version) echo 'Version: ${init.version ?? '1.22.0'}' ;;
  test) echo 'PASS: 3/3' ;;
  build) ${build} ;;
esac
`
  const path = join(folder, 'opa')
  writeFileSync(path, script)
  chmodSync(path, 0o755)
  return { PATH: `${folder}:/usr/bin:/bin` }
}

/** A gzipped tar with two files, the second of them the policy. */
export function bundleOf(wasm: Uint8Array): Uint8Array {
  const data = entry('/data.json', new TextEncoder().encode('{}'))
  return gzipSync(Buffer.concat([data, entry('/policy.wasm', wasm), Buffer.alloc(1024)]))
}

function entry(name: string, content: Uint8Array): Buffer {
  const header = Buffer.alloc(512)
  header.write(name, 0)
  header.write('0000600', 100)
  header.write(content.length.toString(8).padStart(11, '0'), 124)
  header.write('0', 156)
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512)
  return Buffer.concat([header, content, padding])
}
