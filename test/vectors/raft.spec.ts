// protocols/raft/vectors: every message as canonical bytes, and bytes that are no message, held against core/raft and the schema of direct messages. Nothing
// here writes the files.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { decode as decodeDagJson } from '@ipld/dag-json'
import { fromHex, toHex } from '../../src/core/base/index.ts'
import { decodeStrict, encode } from '../../src/core/codec/index.ts'
import { isRaftMessage } from '../../src/core/raft/index.ts'
import { decodeMessage } from '../../src/runtime/index.ts'

type Valid = {
  readonly name: string
  /** Whether it is a message in groups with fixed members, and so of this network. */
  readonly fixedMembers: boolean
  readonly message: { readonly type: string }
  readonly encoded: string
}
type Invalid = { readonly name: string; readonly breaks: string; readonly encoded: string }

const FOLDER = new URL('../../protocols/raft/vectors/', import.meta.url)
const DOCUMENT = readFileSync(new URL('../README.md', FOLDER), 'utf8')

function load<T>(folder: string): T[] {
  return readdirSync(new URL(folder, FOLDER))
    .sort()
    .map(file => JSON.parse(readFileSync(new URL(`${folder}/${file}`, FOLDER), 'utf8')) as T)
}

/** As a direct message of this network. */
function isCarried(message: unknown): boolean {
  return decodeMessage(encode({ type: 'raft', group: 'g', message })).ok
}

function fromBytes(hex: string): unknown {
  const decoded = decodeStrict(fromHex(hex))
  assert.ok(decoded.ok, 'the bytes are canonical')
  return decoded.value
}

describe('protocols/raft/vectors', () => {
  const valid = load<Valid>('valid')
  const invalid = load<Invalid>('invalid')

  it('cover every message of the document', () => {
    const union = DOCUMENT.slice(
      DOCUMENT.indexOf('type Message union'),
      DOCUMENT.indexOf('inline {')
    )
    const types = [...union.matchAll(/"([a-z-]+)"/g)].map(match => match[1] as string)
    assert.equal(types.length, 11)
    assert.deepEqual([...new Set(valid.map(({ message }) => message.type))].sort(), types.sort())
  })

  for (const { name, message, encoded, fixedMembers } of valid) {
    it(`${name} has these bytes, and they say it`, () => {
      const value = decodeDagJson(new TextEncoder().encode(JSON.stringify(message)))
      assert.equal(toHex(encode(value)), encoded)
      assert.deepEqual(fromBytes(encoded), value)
      assert.equal(isRaftMessage(value), true)
      assert.equal(isCarried(value), fixedMembers)
    })
  }

  for (const { name, breaks, encoded } of invalid) {
    it(`${name} is dropped: it breaks ${breaks}`, () => {
      assert.ok(DOCUMENT.includes(breaks), 'the document says so')
      assert.equal(isRaftMessage(fromBytes(encoded)), false)
    })
  }
})
