/**
 * Entry of the threads that evaluate policies. They have no state besides open capsules: every answer is a function of the
 * capsule and the input.
 */
import { Tinypool } from 'tinypool'
import { assert } from '../../core/base/index.ts'
import type { PolicyDecision } from '../../core/policy/index.ts'
import { decide } from './decide.ts'
import { GUESTS_MAX, SLICE_MS } from './limits.ts'
import { flawText, loadSandbox, openSource } from './load.ts'
import type { CapsuleSource, CheckTask, JudgeAnswer, JudgeTask, ThreadData } from './protocol.ts'
import type { Sandbox } from './sandbox.ts'

const thread = Tinypool.workerData as ThreadData

/** Least recently asked first. */
const sandboxes = new Map<string, Sandbox>()

/** Judges questions in order, until all are answered or the time is up. */
export function judge({ capsule, source, inputs, lane }: JudgeTask): JudgeAnswer {
  const sandbox = sandboxOf(capsule, source)
  const endsAt = performance.now() + SLICE_MS
  const decisions: PolicyDecision[] = []
  for (const input of inputs) {
    Atomics.add(thread.progress, lane, 1)
    decisions.push(decide(sandbox, input))
    if (performance.now() > endsAt) break
  }
  return decisions
}

/** Why a capsule is refused, for people; null when every vector gives its decision and its gas. */
export function check({ source, vectors }: CheckTask): string | null {
  const loaded = loadSandbox(source, vectors)
  if (!loaded.ok) return flawText(loaded.refusal)
  keep(source.capsule, loaded.value)
  return null
}

function sandboxOf(capsule: string, sent: CapsuleSource | null): Sandbox {
  const known = sandboxes.get(capsule)
  if (known !== undefined) {
    if (sandboxes.size > 1) keep(capsule, known)
    return known
  }
  const source = sent ?? thread.sources.find(one => one.capsule === capsule)
  assert(source !== undefined, 'a question comes with its capsule, or after it')
  const opened = openSource(source)
  assert(opened.ok, 'a capsule that a thread has accepted opens in every other')
  keep(capsule, opened.value)
  return opened.value
}

function keep(capsule: string, sandbox: Sandbox): void {
  sandboxes.delete(capsule)
  sandboxes.set(capsule, sandbox)
  const [oldest = capsule] = sandboxes.keys()
  if (sandboxes.size > GUESTS_MAX) sandboxes.delete(oldest)
}
