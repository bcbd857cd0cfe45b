// Each thing that a policy may not use is refused with its own code, and nothing else is.
import assert from 'node:assert/strict'
import { type MeteringCode, meterModule } from '../../../../src/core/metering/index.ts'
import { name, sized, unsigned, vector, wasm } from '../../../support/wasm-program.ts'
import { webAssembly } from '../../../support/web-assembly.ts'

type Sections = Record<number, readonly number[]>

const MEMORY = [...name('env'), ...name('memory'), 2, 0, 1]
const ABORT = [...name('env'), ...name('opa_abort'), 0, 1]
const PRINT = [...name('env'), ...name('opa_println'), 0, 1]

/** A good module: one function without arguments, exported. Sections are replaced or, when empty, left out. */
function module(changes: Sections = {}): Uint8Array {
  const sections: Sections = {
    1: vector([
      [0x60, 0, 0],
      [0x60, 1, 0x7f, 0]
    ]),
    2: vector([MEMORY]),
    3: [1, 0],
    10: code([]),
    ...changes
  }
  const order = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11]
  return wasm(order.flatMap(id => (sections[id]?.length ? [[id, sections[id]] as const] : [])))
}

/** A code section with one function. */
function code(body: readonly number[], locals: readonly number[] = [0]): number[] {
  return vector([sized([...locals, ...body, 0x0b])])
}

function codeOf(bytes: Uint8Array): string {
  const result = meterModule(bytes)
  return result.ok ? 'ok' : result.refusal.code
}

function refuses(what: string, expected: MeteringCode, bytes: Uint8Array): void {
  it(`refuses ${what}: ${expected}`, () => assert.equal(codeOf(bytes), expected))
}

describe('core/metering/refusals', () => {
  it('takes the module that the others differ from', () => {
    assert.ok(webAssembly.validate(module()))
    assert.equal(codeOf(module()), 'ok')
  })

  const i32 = [0x41, 0]
  refuses(
    'vectors',
    'METERING_SIMD',
    module({ 10: code([0xfd, 0x0c, ...Array(16).fill(0), 0x1a]) })
  )
  refuses('vector types', 'METERING_SIMD', module({ 1: vector([[0x60, 1, 0x7b, 0]]) }))
  refuses('atomics', 'METERING_THREADS', module({ 10: code([0xfe, 0x03, 0]) }))
  refuses(
    'shared memory',
    'METERING_THREADS',
    module({ 2: vector([[...name('env'), ...name('memory'), 2, 3, 1, 2]]) })
  )
  refuses('tail calls', 'METERING_TAIL_CALL', module({ 10: code([0x12, 0]) }))
  refuses('exceptions', 'METERING_EXCEPTION', module({ 10: code([0x08, 0]) }))
  refuses('try', 'METERING_EXCEPTION', module({ 10: code([0x06, 0x40, 0x0b]) }))
  refuses('tags', 'METERING_EXCEPTION', module({ 13: [1, 0, 0] }))
  refuses('null references', 'METERING_REFERENCE', module({ 10: code([0xd0, 0x70, 0x1a]) }))
  refuses('table.get', 'METERING_REFERENCE', module({ 10: code([...i32, 0x25, 0, 0x1a]) }))
  refuses('table.grow', 'METERING_REFERENCE', module({ 10: code([0xfc, 0x0f, 0]) }))
  refuses('tables of other things', 'METERING_REFERENCE', module({ 4: [1, 0x6f, 0, 1] }))
  refuses('struct instructions', 'METERING_REFERENCE', module({ 10: code([0xfb, 0x00, 0]) }))
  refuses('memory.init', 'METERING_BULK_MEMORY', module({ 10: code([0xfc, 0x08, 0, 0]) }))
  refuses('a count of passive data', 'METERING_BULK_MEMORY', module({ 12: [0] }))
  refuses('passive data', 'METERING_SEGMENT', module({ 11: [1, 1, 1, 0] }))
  refuses('passive elements', 'METERING_SEGMENT', module({ 4: [1, 0x70, 0, 1], 9: [1, 1, 0, 0] }))
  refuses(
    'functions with two results',
    'METERING_MULTI_VALUE',
    module({ 1: [1, 0x60, 0, 2, 0x7f, 0x7f] })
  )
  refuses('blocks with parameters', 'METERING_MULTI_VALUE', module({ 10: code([0x02, 0, 0x0b]) }))
  refuses('a memory of its own', 'METERING_MEMORY', module({ 5: [1, 0, 1] }))
  refuses('no memory', 'METERING_MEMORY', module({ 2: [] }))
  refuses(
    'a memory that wants more than the smaller one has',
    'METERING_MEMORY',
    module({ 2: vector([[...name('env'), ...name('memory'), 2, 0, 17]]) })
  )
  refuses(
    'a memory that takes less than the larger one has',
    'METERING_MEMORY',
    module({ 2: vector([[...name('env'), ...name('memory'), 2, 1, 1, 127]]) })
  )
  refuses('two memories', 'METERING_MULTI_MEMORY', module({ 2: vector([MEMORY, MEMORY]) }))
  refuses(
    'access to a second memory',
    'METERING_MULTI_MEMORY',
    module({ 10: code([...i32, 0x28, 0x42, 1, 0, 0x1a]) })
  )
  refuses('two tables', 'METERING_TABLE', module({ 4: [2, 0x70, 0, 1, 0x70, 0, 1] }))
  refuses(
    'other imports',
    'METERING_IMPORT',
    module({ 2: vector([MEMORY, [...name('env'), ...name('clock'), 0, 0]]) })
  )
  refuses(
    'imports of another type',
    'METERING_IMPORT',
    module({ 2: vector([MEMORY, [...name('env'), ...name('opa_abort'), 0, 0]]) })
  )
  refuses(
    'imported globals',
    'METERING_IMPORT',
    module({ 2: vector([MEMORY, [...name('env'), ...name('g'), 3, 0x7f, 0]]) })
  )
  refuses(
    'imported functions in the table',
    'METERING_IMPORT',
    module({ 2: vector([MEMORY, ABORT]), 4: [1, 0x70, 0, 1], 9: [1, 0, 0x41, 0, 0x0b, 1, 0] })
  )
  refuses(
    'exports of imported functions',
    'METERING_EXPORT',
    module({ 2: vector([MEMORY, ABORT]), 7: vector([[...name('x'), 0, 0]]) })
  )
  refuses(
    'exports under reserved names',
    'METERING_EXPORT',
    module({ 7: vector([[...name('metering:gas'), 0, 0]]) })
  )
  refuses('an imported start', 'METERING_START', module({ 2: vector([MEMORY, ABORT]), 8: [0] }))
  refuses('unknown instructions', 'METERING_INSTRUCTION', module({ 10: code([0xff]) }))
  refuses(
    'globals that are computed',
    'METERING_INSTRUCTION',
    module({ 6: [1, 0x7f, 0, 0x41, 1, 0x41, 1, 0x6a, 0x0b] })
  )
})

describe('core/metering/names of things', () => {
  // What does not exist in the input would be the counters in the output.
  refuses('a global that is not there', 'METERING_INDEX', module({ 10: code([0x23, 0, 0x1a]) }))
  refuses(
    'an exported global that is not there',
    'METERING_INDEX',
    module({ 7: [1, 1, 0x78, 3, 0] })
  )
  refuses('a local that is not there', 'METERING_INDEX', module({ 10: code([0x20, 0, 0x1a]) }))
  refuses('a function that is not there', 'METERING_INDEX', module({ 10: code([0x10, 1]) }))
  refuses('a type that is not there', 'METERING_INDEX', module({ 3: [1, 2] }))
  refuses('a label that is not there', 'METERING_INDEX', module({ 10: code([0x0c, 1]) }))
})

describe('core/metering/limits', () => {
  const many = (count: number, ...bytes: number[]): number[] => Array(count).fill(bytes).flat()
  const big = new Uint8Array(1024 * 1024 + 1)
  big.set(module())
  refuses('large modules', 'METERING_LIMIT', big)
  refuses('many types', 'METERING_LIMIT', module({ 1: unsigned(1025) }))
  refuses('many functions', 'METERING_LIMIT', module({ 3: unsigned(16_385) }))
  refuses('many parameters', 'METERING_LIMIT', module({ 1: [1, 0x60, 33, ...many(33, 0x7f), 0] }))
  refuses('many locals', 'METERING_LIMIT', module({ 10: code([], [1, ...unsigned(4097), 0x7f]) }))
  refuses(
    'locals whose number overflows',
    'METERING_LIMIT',
    module({ 10: code([], [2, ...unsigned(2 ** 32 - 1), 0x7f, 1, 0x7f]) })
  )
  refuses('long functions', 'METERING_LIMIT', module({ 10: code(many(256 * 1024, 1)) }))
  refuses(
    'deep nesting',
    'METERING_LIMIT',
    module({ 10: code([...many(1025, 0x02, 0x40), ...many(1025, 0x0b)]) })
  )
  refuses(
    'deep nesting where nothing runs',
    'METERING_LIMIT',
    module({ 10: code([0x00, ...many(1025, 0x02, 0x40), ...many(1025, 0x0b)]) })
  )
  refuses('frames with many operands', 'METERING_LIMIT', module({ 10: code(many(8193, 0x41, 0)) }))
  refuses(
    'long branch tables',
    'METERING_LIMIT',
    module({ 10: code([...[0x41, 0], 0x0e, ...unsigned(4097), ...many(4098, 0)]) })
  )
  refuses('many globals', 'METERING_LIMIT', module({ 6: unsigned(65) }))
  refuses('many exports', 'METERING_LIMIT', module({ 7: unsigned(257) }))
  refuses('large tables', 'METERING_LIMIT', module({ 4: [1, 0x70, 0, ...unsigned(16_385)] }))
  refuses('many data segments', 'METERING_LIMIT', module({ 11: unsigned(4097) }))
})

describe('core/metering/form', () => {
  refuses('what is no module', 'METERING_MALFORMED', Uint8Array.from([0, 1, 2, 3]))
  refuses(
    'another version',
    'METERING_MALFORMED',
    Uint8Array.from([0, 0x61, 0x73, 0x6d, 2, 0, 0, 0])
  )
  refuses('a module that ends early', 'METERING_MALFORMED', module().subarray(0, -1))
  refuses('a function without a body', 'METERING_MALFORMED', module({ 10: [] }))
  refuses(
    'sections out of order',
    'METERING_MALFORMED',
    wasm([
      [3, [0]],
      [1, [0]]
    ])
  )
  refuses(
    'a section twice',
    'METERING_MALFORMED',
    wasm([
      [1, [0]],
      [1, [0]]
    ])
  )
  refuses('a section that says less than it holds', 'METERING_MALFORMED', wasm([[1, [0, 0]]]))
  refuses('unknown sections', 'METERING_MALFORMED', wasm([[14, [0]]]))
  refuses('an else without its if', 'METERING_MALFORMED', module({ 10: code([0x05]) }))
  refuses('code after a function', 'METERING_MALFORMED', module({ 10: code([0x0b]) }))

  it('drops custom sections and what cannot be reached', () => {
    const plain = meterModule(module())
    const noted = meterModule(Uint8Array.from([...module(), 0, 3, 1, 0x78, 9]))
    assert.deepEqual(noted, plain)
    const dead = meterModule(module({ 10: code([0x0f, 0x01, 0x02, 0x40, 0x01, 0x0b]) }))
    assert.deepEqual(dead, meterModule(module({ 10: code([0x0f]) })))
  })

  it('takes numbers that are padded, as compilers write them', () => {
    assert.equal(codeOf(module({ 10: [0x81, 0x80, 0x00, 2, 0, 0x0b] })), 'ok')
  })

  it('prints nothing and gives up without the host', () => {
    const both = module({
      2: vector([MEMORY, ABORT, PRINT]),
      10: code([0x41, 0, 0x10, 1, 0x41, 0, 0x10, 0])
    })
    const result = meterModule(both)
    assert.ok(result.ok && webAssembly.validate(result.value))
    const text = Buffer.from(result.value).toString('hex')
    assert.ok(text.includes('41001a410000'), 'drop, and unreachable')
  })
})
