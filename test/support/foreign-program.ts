import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { decode, encode } from '@ipld/dag-json'
import type { CapsuleBlock } from '../../src/adapters/opa/index.ts'
import { cidOf } from '../../src/core/codec/index.ts'
import { packageRoot } from '../../src/testnet/index.ts'

const RAW = 0x55

/**
 * A copy of the built program whose base capsule is another one, as of an older release. `engine`: whether it also evaluates by other rules.
 * Returns the folder of its package.
 */
export function foreignProgram(folder: string, { engine }: { readonly engine: boolean }): string {
  const [root, from] = [join(folder, 'program'), packageRoot()]
  mkdirSync(root, { recursive: true })
  for (const part of ['bin', 'policies', 'package.json'])
    cpSync(join(from, part), join(root, part), { recursive: true })
  cpSync(join(from, 'dist'), join(root, 'dist'), {
    recursive: true,
    filter: path => !/\.(?:map|d\.ts)$/u.test(path)
  })
  symlinkSync(join(from, 'node_modules'), join(root, 'node_modules'))
  const base = join(root, 'policies', 'base')
  const path = join(base, 'capsule.json')
  const block = decode<CapsuleBlock>(readFileSync(path))
  const change = engine
    ? { capabilities: cidOf(otherCapabilities(root), RAW) }
    : { name: 'another base' }
  writeFileSync(path, encode({ ...block, ...change }))
  rmSync(join(base, 'capsule.metered.wasm'), { force: true })
  return root
}

function otherCapabilities(root: string): Uint8Array {
  const path = join(root, 'policies', 'capabilities.json')
  const bytes = Buffer.concat([readFileSync(path), Buffer.from('\n')])
  writeFileSync(path, bytes)
  return bytes
}
