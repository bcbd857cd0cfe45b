import { equals } from '../base/index.ts'
import { holdIn, letRest, READ_AGAIN_MAX } from '../envelope/index.ts'
import type { Thread } from './thread.ts'
import type { World } from './world.ts'

/**
 * A thread in which nothing comes or happens rests: of its envelopes the bytes are held, each once, and what they say is read out of them again
 * when somebody asks (docs/decisions/0032). The NEED does not rest: everything that looks at a thread reads it.
 */
export function restIfDue(world: World, thread: Thread): void {
  if (world.context.nowMs < restDueAt(world, thread)) return
  thread.isResting = true
  if (thread.envelopes.size > READ_AGAIN_MAX) return
  shareForms(thread)
  for (const { admitted } of thread.envelopes.values())
    if (admitted !== thread.need) letRest(admitted)
}

/** When `restIfDue` has something to do. */
export function restDueAt({ context }: World, thread: Thread): number {
  return thread.isResting ? Number.POSITIVE_INFINITY : thread.changedAt + context.settings.restMs
}

/** A certificate carries the FORMs that it rests on, and these are the larger part of it. */
function shareForms(thread: Thread): void {
  const certified = thread.decide?.admitted ?? thread.end?.admitted
  const forms = thread.forms()
  if (certified === undefined || forms.at(-1)?.bytes.buffer === certified.bytes.buffer) return
  const { previous, form } = certified.envelope.payload.certificate
  for (const [at, same] of [...previous, form].entries()) {
    const own = forms[at]
    if (own !== undefined && equals(own.bytes, same)) holdIn(own, same)
  }
}
