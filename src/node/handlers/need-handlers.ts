import { randomBytes } from 'node:crypto'
import { CID } from '../../core/codec/index.ts'
import type { Payload, Windows } from '../../core/envelope/index.ts'
import { type Handlers, type NeedRequest, RefusedError } from '../../rpc/index.ts'
import { draftOf } from '../drafts.ts'
import { RequestRefusedError } from '../errors.ts'
import type { NodeParts } from '../node-parts.ts'
import { exportRecord } from '../records.ts'

/** Windows of a NEED that names none, in ms: patient enough for a program that runs for minutes on a laptop. */
const WINDOWS: Windows = {
  bidMs: 2_000,
  leaseTtlMs: 30_000,
  verifyMs: 120_000,
  sealMs: 500,
  revealMs: 10_000,
  challengeMs: 10_000
}
/** Threads listed when nobody says how many. */
const THREADS_LISTED = 1_000
/** Time until a NEED that names none expires, in ms. */
const TTL_MS = 600_000
/** Independent findings asked for; the group lowers it to what the network can give. */
const K_TARGET = 3

export function needHandlers(
  parts: NodeParts
): Pick<Handlers, 'need.state' | 'need.reform' | 'threads.list' | 'thread.get' | 'thread.record'> {
  const { threads, driver } = parts
  return {
    'need.state': async (request, { signal }) => {
      // Before the NEED is out: verifiers will want to fetch it from somebody.
      if (request.capsule !== undefined) await parts.capsules.ready(request.capsule)
      const inputs = await inputsOf(parts, request, signal)
      const refs = [...inputs, ...(request.refs ?? []).map(parseCid)]
      const result = await driver.command({
        type: 'state-need',
        draft: draftOf('NEED', null, payloadOf(parts, request, inputs), refs)
      })
      if (!result.ok) throw new RefusedError(result.refusal)
      return { thread: (result.value as { envelope: string }).envelope }
    },
    'need.reform': async ({ thread }) => {
      const result = await driver.command({ type: 'reform', thread })
      if (!result.ok) throw new RefusedError(result.refusal)
      return result.value as { epoch: number }
    },
    'threads.list': ({ limit, ...options }) =>
      threads.list({ limit: limit ?? THREADS_LISTED, ...options }),
    'thread.get': ({ thread }) => threads.view(thread),
    'thread.record': async options => {
      const { artifacts, ...rest } = await exportRecord(parts, options)
      return { ...rest, artifacts: [...artifacts] }
    }
  }
}

/** The inputs' CIDs; a path of this machine is added and pinned first. */
async function inputsOf(
  parts: NodeParts,
  request: NeedRequest,
  signal: AbortSignal
): Promise<CID[]> {
  if (request.inputCid !== undefined) return [parseCid(request.inputCid)]
  if (request.inputCids !== undefined) return request.inputCids.map(parseCid)
  const added = await parts.artifacts.addPath(request.inputPath as string, { pin: true, signal })
  if (added.bytes === 0)
    throw new RequestRefusedError(
      `the input ${request.inputPath} is empty: there is nothing to work on`
    )
  return [parseCid(added.cid)]
}

/** A CID that a user gave. */
export function parseCid(text: string): CID {
  try {
    return CID.parse(text).toV1()
  } catch (cause) {
    throw new RequestRefusedError(`${text} is not a CID`, { cid: text }, { cause })
  }
}

/** Null when the request names none. */
function termsOf({ terms }: NeedRequest): Payload<'NEED'>['terms'] {
  if (terms === undefined) return null
  const { zones = [], tags = [], perOrg = null, perZone = null, tokensMax = null } = terms
  return { zones, tags, perOrg, perZone, tokensMax }
}

function payloadOf(parts: NodeParts, request: NeedRequest, inputs: CID[]): Payload<'NEED'> {
  return {
    slot: request.slot ?? `need-${randomBytes(8).toString('hex')}`,
    epoch: 0,
    task: request.capability,
    requires: [request.capability],
    produces: [],
    inputs,
    budget: BigInt(request.budget ?? '100'),
    verifyBounty: BigInt(request.verifyBounty ?? '10'),
    kPlan: request.kPlan ?? K_TARGET,
    kResult: request.kResult ?? K_TARGET,
    windows: { ...WINDOWS, ...request.windows },
    expiresAt: Date.now() + (request.ttlMs ?? TTL_MS),
    capsule: parseCid(request.capsule ?? parts.policy.baseCapsule),
    taskClass: request.taskClass ?? 'deterministic',
    solo: request.solo ?? false,
    terms: termsOf(request)
  }
}
