// What a thread shows of a capsule that gives no answer here.
import assert from 'node:assert/strict'
import {
  CapsuleRefusedError,
  CapsuleUnavailableError,
  PolicyTimeoutError,
  PolicyUnavailableError
} from '../../../src/adapters/opa/index.ts'
import { SwarmError } from '../../../src/core/base/index.ts'
import { warnOfCapsule } from '../../../src/node/capsule-warning.ts'
import type { NodeParts } from '../../../src/node/node-parts.ts'

class OtherError extends SwarmError {
  readonly code = 'OTHER'
}

function shown(error: unknown): unknown[] {
  const commands: unknown[] = []
  const command = (one: unknown): Promise<void> => Promise.resolve(void commands.push(one))
  warnOfCapsule({ driver: { command } } as unknown as NodeParts, 'thread', error)
  return commands
}

describe('node/capsule warning', () => {
  for (const [error, advice] of [
    [new CapsuleRefusedError('bafy', 'it lies'), /another capsule/u],
    [new CapsuleUnavailableError('bafy'), /policy add/u],
    [new PolicyTimeoutError('bafy', 2000), /no answer within 2000 ms.*\[POLICY_TIMEOUT\].*doctor/u],
    [new PolicyUnavailableError('too many wait'), /too many wait.*\[POLICY_UNAVAILABLE\]/u]
  ] as const)
    it(`says what to do about ${error.code}`, () => {
      const [warning, ...others] = shown(error) as { type: string; message: string }[]
      assert.deepEqual([warning?.type, others], ['warn', []])
      assert.match(warning?.message ?? '', advice)
      assert.ok(warning?.message.includes(error.message))
    })

  it('says nothing about failures that are not of the capsule', () => {
    assert.deepEqual(shown(new OtherError('else')), [])
    assert.deepEqual(shown(new RangeError('else')), [])
  })
})
