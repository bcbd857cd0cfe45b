// Who is next: the capsule that has had the least of the threads, each line in order, and no line fuller than its share.
import assert from 'node:assert/strict'
import {
  BATCH_CHARACTERS_MAX,
  BATCH_QUESTIONS_MAX,
  LINES_MAX,
  PENDING_MAX
} from '../../../../src/adapters/opa/limits.ts'
import { type Question, QuestionQueue } from '../../../../src/adapters/opa/question-queue.ts'

function question(capsule: string, input: string): Question {
  const sandbox = { entrypoint: 'base/decision', limits: { gas: 1, stack: 1 }, isMetered: false }
  const source = { capsule, wasm: new Uint8Array(), sandbox }
  return { source, input, resolve() {}, reject() {} }
}

/** Takes a batch and says which; the thread is busy with it for so many ms. */
function served(queue: QuestionQueue, ms: number): string {
  const batch = queue.take()
  const capsule = batch[0]?.source.capsule ?? ''
  queue.charge(capsule, ms)
  return batch.map(({ input }) => `${capsule}${input}`).join(' ')
}

describe('adapters/opa/question queue', () => {
  it('gives each capsule as much time as the others, whatever its questions cost', () => {
    const queue = new QuestionQueue(PENDING_MAX)
    const long = 'x'.repeat(BATCH_CHARACTERS_MAX)
    for (let i = 0; i < 100; i++)
      for (const name of ['dear', 'cheap']) queue.push(question(name, long))
    const had = { dear: 0, cheap: 0 }
    for (let i = 0; i < 44; i++) {
      const [{ source }] = queue.take() as [Question]
      const name = source.capsule as keyof typeof had
      const ms = { dear: 30, cheap: 3 }[name]
      queue.charge(name, ms)
      had[name] += ms
    }
    assert.deepEqual(had, { dear: 120, cheap: 120 })
  })

  it('lets whoever comes wait for the batch of a flood that is being judged, and no more', () => {
    const queue = new QuestionQueue(PENDING_MAX)
    for (let i = 0; i < 1000; i++) queue.push(question('flood', String(i)))
    for (let i = 0; i < 5; i++) served(queue, 100)
    const judged = queue.take()
    queue.push(question('b', '1'))
    queue.charge('flood', 100)
    assert.equal(judged[0]?.input, '160')
    assert.equal(served(queue, 1), 'b1')
    queue.push(question('b', '2'))
    assert.equal(served(queue, 1), 'b2')
  })

  it('saves nothing up for who asked nothing, and forgets no debt of who leaves for a moment', () => {
    const queue = new QuestionQueue(PENDING_MAX)
    queue.push(question('a', '1'))
    queue.push(question('b', '1'))
    assert.deepEqual([served(queue, 50), served(queue, 1)], ['a1', 'b1'])
    for (let i = 2; i < 52; i++) {
      queue.push(question('b', String(i)))
      served(queue, 1)
    }
    // Both have had some fifty now; who waited long is no more than a batch ahead.
    for (let i = 0; i < BATCH_QUESTIONS_MAX + 1; i++) queue.push(question('c', String(i)))
    queue.push(question('b', 'x'))
    assert.match(served(queue, 40), /^c0 /u)
    assert.equal(served(queue, 1), 'bx')
    queue.push(question('a', '2'))
    queue.push(question('b', 'y'))
    assert.deepEqual([served(queue, 1), served(queue, 1)], ['a2', 'by'])
  })

  it('keeps the order of a line, also of what is put back', () => {
    const queue = new QuestionQueue(PENDING_MAX)
    for (let i = 0; i < BATCH_QUESTIONS_MAX + 2; i++) queue.push(question('a', String(i)))
    const batch = queue.take()
    assert.equal(batch.length, BATCH_QUESTIONS_MAX)
    queue.putBack(batch.slice(1))
    assert.equal(queue.size, BATCH_QUESTIONS_MAX + 1)
    const inputs = [...queue.take(), ...queue.take()].map(({ input }) => input)
    assert.deepEqual(
      inputs,
      Array.from({ length: BATCH_QUESTIONS_MAX + 1 }, (_, i) => String(i + 1))
    )
    assert.equal(queue.size, 0)
    queue.putBack([])
  })

  it('says which question is alone', () => {
    const queue = new QuestionQueue(PENDING_MAX)
    assert.equal(queue.lone(), undefined)
    const one = question('a', '1')
    queue.push(one)
    assert.equal(queue.lone(), one)
    queue.push(question('b', '1'))
    assert.equal(queue.lone(), undefined)
  })

  it('has room for so many questions, and so many of one capsule', () => {
    const queue = new QuestionQueue(3)
    const pushed = (capsule: string, count: number): number =>
      Array.from({ length: count }, () => queue.push(question(capsule, ''))).filter(Boolean).length
    assert.equal(pushed('a', 5), 3)
    assert.equal(pushed('b', 1), 1)
    assert.equal(queue.take().length, 3)
    assert.equal(pushed('a', 5), 3)
    assert.equal(queue.clear().length, 4)
    const wide = new QuestionQueue(PENDING_MAX)
    for (let i = 0; i < PENDING_MAX; i++) assert.ok(wide.push(question(String(i % 7), '')))
    assert.equal(wide.push(question('8', '')), false)
  })

  it('loses no question where more capsules ask than it remembers', () => {
    const queue = new QuestionQueue(PENDING_MAX)
    const count = 3 * LINES_MAX
    for (let i = 0; i < count; i++) queue.push(question(String(i), ''))
    const seen = new Set<string>()
    while (queue.size > 0) seen.add(served(queue, 1))
    assert.equal(seen.size, count)
  })
})
