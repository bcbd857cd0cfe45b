// Gas that can be counted by hand, and ends that must come: loops, recursion, memory.
import assert from 'node:assert/strict'
import { meterModule } from '../../../../src/core/metering/index.ts'
import {
  assemble,
  block,
  br,
  brIf,
  type Code,
  get,
  i32,
  loop,
  op,
  type Procedure,
  set,
  wasm
} from '../../../support/wasm-program.ts'
import { type Ran, runMetered } from '../../../support/wasm-run.ts'

const PLENTY = 1_000_000

function metered(...procedures: Procedure[]): Uint8Array {
  const result = meterModule(assemble({ procedures, globals: [] }))
  assert.ok(result.ok, JSON.stringify(result))
  return result.value
}

function run(procedure: Partial<Procedure> & { body: Code[] }, input: number[] = []): Ran {
  const whole = { parameters: input.length, locals: 0, ...procedure }
  return runMetered(metered(whole), input, PLENTY)
}

describe('core/metering/gas', () => {
  it('is 1 for a plain instruction and 0 for a nop', () => {
    assert.deepEqual(run({ body: [i32(7)] }), { kind: 'value', value: 7, gas: 1 })
    const body = [op('nop'), i32(7), i32(5), op('i32.add')]
    assert.deepEqual(run({ body }), { kind: 'value', value: 12, gas: 3 })
  })

  it('is 10 for a division and 1 for each local that starts at zero', () => {
    const body = [i32(14), get(0), op('i32.div_u')]
    assert.deepEqual(run({ body, locals: 3 }, [2]), { kind: 'value', value: 7, gas: 3 + 12 })
  })

  it('is paid in each round of a loop', () => {
    // 1: const; each round 5: get const sub tee br_if; at last get.
    const round = [get(0), i32(1), op('i32.sub'), { op: 'local.tee', index: 0 } as const, brIf(0)]
    const body = [loop(...round), get(0)]
    for (const rounds of [1, 2, 100])
      assert.deepEqual(run({ body }, [rounds]), { kind: 'value', value: 0, gas: 5 * rounds + 1 })
  })

  it('is paid for the arm that runs and not for the other', () => {
    const body: Code[] = [
      get(0),
      { op: 'if', result: true, body: [i32(1), i32(1), op('i32.add')], otherwise: [i32(9)] }
    ]
    assert.deepEqual(run({ body }, [1]), { kind: 'value', value: 2, gas: 2 + 3 })
    assert.deepEqual(run({ body }, [0]), { kind: 'value', value: 9, gas: 2 + 1 })
  })

  it('is not paid for what a branch passes over', () => {
    const body = [block(get(0), brIf(0), i32(1), set(0)), get(0)]
    assert.deepEqual(run({ body }, [5]), { kind: 'value', value: 5, gas: 3 })
    assert.deepEqual(run({ body }, [0]), { kind: 'value', value: 1, gas: 5 })
  })

  it('is 5 for a call, 10 for an indirect one, besides what they run', () => {
    const callee: Procedure = { parameters: 1, locals: 0, body: [get(0)] }
    const direct: Code[] = [i32(4), { op: 'call', index: 1 }]
    const indirect: Code[] = [i32(4), i32(1), { op: 'call_indirect', index: 1 }]
    const ask = (body: Code[]): Ran =>
      runMetered(metered({ parameters: 0, locals: 0, body }, callee), [], PLENTY)
    assert.deepEqual(ask(direct), { kind: 'value', value: 4, gas: 1 + 5 + 1 })
    assert.deepEqual(ask(indirect), { kind: 'value', value: 4, gas: 2 + 10 + 1 })
  })

  it('is paid for the bytes that are filled or copied, before they are', () => {
    const fill = [i32(0), i32(1), get(0), op('memory.fill'), i32(0)]
    assert.deepEqual(run({ body: fill }, [0]), { kind: 'value', value: 0, gas: 14 })
    assert.deepEqual(run({ body: fill }, [8000]), { kind: 'value', value: 0, gas: 1014 })
    const copy = [i32(0), i32(8), get(0), op('memory.copy'), i32(0)]
    assert.deepEqual(run({ body: copy }, [807]), { kind: 'value', value: 0, gas: 114 })
    const wasmOfFill = metered({ parameters: 1, locals: 0, body: fill })
    assert.equal(runMetered(wasmOfFill, [8000], 1013).kind, 'out-of-gas')
  })

  it('ends a loop that does not end', () => {
    assert.equal(run({ body: [loop(br(0)), i32(0)] }).kind, 'out-of-gas')
    const table: Code = { op: 'br_table', labels: [0, 0] }
    assert.equal(run({ body: [loop(i32(0), table), i32(0)] }).kind, 'out-of-gas')
  })
})

describe('core/metering/stack', () => {
  const forever: Procedure = { parameters: 0, locals: 0, body: [{ op: 'call', index: 0 }] }

  it('ends a recursion that does not end', () => {
    assert.equal(runMetered(metered(forever), [], PLENTY).kind, 'out-of-stack')
  })

  it('counts 8 slots for a frame, besides locals and the highest operands', () => {
    // Two frames: the first has 2 locals and 3 operands, the second calls itself no more.
    const outer: Procedure = {
      parameters: 0,
      locals: 2,
      body: [
        i32(1),
        i32(2),
        i32(3),
        op('i32.add'),
        op('i32.add'),
        op('drop'),
        { op: 'call', index: 1 }
      ]
    }
    const inner: Procedure = { parameters: 0, locals: 0, body: [{ op: 'call', index: 2 }] }
    const leaf: Procedure = { parameters: 0, locals: 40, body: [i32(7)] }
    const wasmOfThree = metered(outer, inner, leaf)
    const slots = 2 + 3 + 8 + (1 + 8)
    assert.equal(runMetered(wasmOfThree, [], PLENTY, slots).kind, 'value')
    assert.equal(runMetered(wasmOfThree, [], PLENTY, slots - 1).kind, 'out-of-stack')
  })

  it('is given back by every way out', () => {
    const body: Code[] = [
      block(get(0), brIf(0), i32(1), { op: 'call', index: 1 }, op('return')),
      block(i32(3), get(0), i32(1), op('i32.sub'), brIf(1), op('drop')),
      i32(2)
    ]
    const leaf: Procedure = { parameters: 1, locals: 0, body: [get(0)] }
    const wasmOfBoth = metered({ parameters: 1, locals: 0, body }, leaf)
    assert.deepEqual(
      [0, 1, 2]
        .map(input => runMetered(wasmOfBoth, [input], PLENTY))
        .map(ran => ran.kind === 'value' && ran.value),
      [1, 2, 3]
    )
  })
})

describe('core/metering/memory and numbers', () => {
  it('never gives a page more, whatever the host made', () => {
    const body = [get(0), op('memory.grow')]
    assert.deepEqual(run({ body }, [0]), { kind: 'value', value: 1, gas: 2 })
    assert.deepEqual(run({ body }, [1]), { kind: 'value', value: -1, gas: 2 })
  })

  it('has one NaN', () => {
    // run: the upper half of the bits of inf - inf, whose sign differs between processors.
    const infinity = [0x44, 0, 0, 0, 0, 0, 0, 0xf0, 0x7f]
    const body = [0, ...infinity, ...infinity, 0xa1, 0xbd, 0x42, 32, 0x88, 0xa7, 0x0b]
    const module = wasm([
      [1, [1, 0x60, 0, 1, 0x7f]],
      [2, [1, 3, 0x65, 0x6e, 0x76, 6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 2, 0, 1]],
      [3, [1, 0]],
      [7, [1, 3, 0x72, 0x75, 0x6e, 0, 0]],
      [10, [1, body.length, ...body]]
    ])
    const result = meterModule(module)
    assert.ok(result.ok)
    const ran = runMetered(result.value, [], PLENTY)
    assert.deepEqual(ran, { kind: 'value', value: 0x7ff80000, gas: 7 })
  })
})
