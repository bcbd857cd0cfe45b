import { SwarmError } from '../../core/base/index.ts'
import { ExpressionFailedError, UsageError } from '../errors.ts'
import type { Session } from '../session.ts'
import { nodeApi } from './node-api.ts'

type Evaluator = (node: unknown) => Promise<unknown>
type EvaluatorConstructor = new (...parts: string[]) => Evaluator
const AsyncFunction = (async () => {}).constructor as unknown as EvaluatorConstructor

/** The value of one expression over `node`, as JSON text. It may use await; promises in it are awaited. */
export async function evaluate(session: Session, expression: string): Promise<string> {
  let evaluator: Evaluator
  try {
    evaluator = new AsyncFunction('node', `return (${expression}\n)`)
  } catch (cause) {
    throw new UsageError(`--exec is not an expression: ${(cause as Error).message}`, {}, { cause })
  }
  try {
    return JSON.stringify((await evaluator(nodeApi(session))) ?? null, plain, 2)
  } catch (cause) {
    if (cause instanceof SwarmError) throw cause
    throw new ExpressionFailedError(`--exec failed: ${String(cause)}`, {}, { cause })
  }
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  return value instanceof Uint8Array ? { base64: Buffer.from(value).toString('base64') } : value
}
