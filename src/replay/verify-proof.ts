import { nodeVerifier } from '../adapters/ed25519/index.ts'
import { ok, type Refusal, type Result, refuse, toHex } from '../core/base/index.ts'
import {
  type CheckedNote,
  checkFork,
  checkNote,
  decodeFork,
  FORK_FORMAT,
  NOTE_BYTES_MAX,
  parseNote,
  type SignedNote
} from '../core/checkpoint/index.ts'
import { decodeStrict } from '../core/codec/index.ts'
import { type Standing, standingOf } from '../core/history/index.ts'
import {
  CERTIFICATE_FILE_BYTES_MAX,
  type CertifiedClaim,
  type Conviction,
  checkCertificateFile,
  checkEvidence,
  decodeCertificateFile,
  decodeEvidence,
  EVIDENCE_BYTES_MAX,
  isVoidedBy,
  type Offence
} from '../core/roster/index.ts'
import { type ProofSource, readBytes, readProof } from './proof-file.ts'

/** What a certificate promises by the way its group came about. */
const PROMISE_OF_TIER: Readonly<Record<CertifiedClaim['tier'], string>> = {
  discovery:
    'the requester drew the group from voters that it found; a second group for the same epoch is not prevented, but convicts the requester and makes void what both decide',
  single: 'the requester decided alone: its word and nobody else stands behind it'
}

/** What each offence is, as a sentence about the convicted. */
export const OFFENCES: Readonly<Record<Offence, string>> = {
  'two-votes': 'voted for two different results of one stage of one epoch',
  'two-joins': 'promised itself to two rosters for one epoch',
  'two-forms': 'signed two FORMs for one epoch of its NEED',
  'two-certificates': 'signed two certificates that contradict each other',
  'sealed-vote': 'voted in an epoch for what its SEAL of that epoch does not show',
  'two-seals': 'left one epoch with two different SEALs',
  'false-seal': 'named another proposal in its SEAL than the decision that it shows',
  'broken-chain': 'let an epoch follow on seals of another group than it had formed',
  'plan-fork':
    'said two things at one place of its plan updates: one key in two hands, or a lost disk'
}

type Verified<T> =
  | { readonly ok: true; readonly path: string; readonly problem: null; readonly claim: T }
  | { readonly ok: false; readonly path: string; readonly problem: Refusal; readonly claim: null }

/** JSON-safe. */
export type CertificateReport = Verified<{
  readonly verb: CertifiedClaim['verb']
  readonly need: string
  readonly requester: string
  readonly slot: string
  readonly epoch: number
  readonly stage: CertifiedClaim['stage']
  readonly tier: CertifiedClaim['tier']
  readonly promise: string
  readonly group: string
  readonly roster: readonly string[]
  readonly signers: readonly string[]
  readonly quorum: number
  /** The PROPOSE that was decided, and its sender. */
  readonly proposal: string | null
  readonly worker: string | null
  readonly result: 'FINAL' | 'INVALID' | 'EXPIRED' | null
  readonly reason: string | null
  readonly outputs: readonly string[]
  readonly payouts: readonly {
    readonly to: string
    readonly amount: string
    readonly why: string
  }[]
}>

/** JSON-safe. */
export type EvidenceReport = Verified<
  | (Conviction & { readonly meaning: string })
  | {
      readonly offence: 'checkpoint-fork'
      readonly convicted: readonly string[]
      readonly thread: null
      readonly slot: null
      readonly epoch: null
      /** The log that was rewritten, and the size in question, in decimal. */
      readonly origin: string
      readonly size: string
      readonly meaning: string
    }
>

/**
 * Checks a certificate file by its own bytes alone: without a home, a node or a network. With evidence `against` its requester it is refused as
 * void (CERTIFICATE_VOID); evidence about anything else is refused itself (EVIDENCE_UNRELATED).
 */
export async function verifyCertificate(
  source: ProofSource,
  against: ProofSource | null = null
): Promise<CertificateReport> {
  const verify = nodeVerifier()
  const read = await readProof(source, CERTIFICATE_FILE_BYTES_MAX)
  const decoded = read.ok ? decodeCertificateFile(read.value) : read
  const checked = decoded.ok ? checkCertificateFile(decoded.value, verify) : decoded
  if (checked.ok && against !== null) {
    const conviction = await convictionIn(against)
    if (!conviction.ok) return refused(against, conviction.refusal)
    return isVoidedBy(checked.value, conviction.value)
      ? refused(source, voided(checked.value, conviction.value))
      : refused(against, unrelated(checked.value, conviction.value))
  }
  return reportOf(source, checked, claim => {
    const { thread, decision, outcome, ...rest } = claim
    const proposal = decision?.proposal ?? outcome?.proposal ?? null
    return {
      ...rest,
      need: thread,
      promise: PROMISE_OF_TIER[claim.tier],
      proposal: proposal === null ? null : proposal.toString(),
      worker: decision?.worker ?? null,
      result: outcome?.result ?? null,
      reason: outcome?.reason ?? null,
      outputs: (outcome?.outputs ?? []).map(String),
      payouts: (outcome?.payouts ?? []).map(({ to, amount, why }) => ({
        to,
        amount: String(amount),
        why
      }))
    }
  })
}

async function convictionIn(source: ProofSource): Promise<Result<Conviction>> {
  const read = await readProof(source, EVIDENCE_BYTES_MAX)
  const decoded = read.ok ? decodeEvidence(read.value) : read
  const checked = decoded.ok ? checkEvidence(decoded.value, nodeVerifier()) : decoded
  if (checked.ok) return checked
  const { code, message } = checked.refusal
  return refuse(code, `the evidence counts for nothing: ${message}`)
}

/** The certificate holds, and counts for nothing (EVIDENCE-15). */
function voided({ requester }: CertifiedClaim, { offence, epoch }: Conviction): Refusal {
  const message = `the certificate is void: its requester ${requester} ${OFFENCES[offence]} (epoch ${epoch})`
  return { code: 'CERTIFICATE_VOID', message }
}

/** The evidence holds, and says nothing about the certificate. */
function unrelated(claim: CertifiedClaim, { offence, convicted, ...about }: Conviction): Refusal {
  const { requester, thread, epoch } = claim
  const message = `the evidence says nothing about the certificate: it convicts ${convicted.join(' and ')} of ${offence} in epoch ${about.epoch} of ${about.thread}; a certificate of epoch ${epoch} of ${thread} is void by two FORMs of ${requester} for that epoch or one before it`
  return { code: 'EVIDENCE_UNRELATED', message }
}

/** Checks an evidence file by its own bytes alone: without a home, a node or a network. */
export async function verifyEvidence(source: ProofSource): Promise<EvidenceReport> {
  const verify = nodeVerifier()
  const read = await readProof(source, EVIDENCE_BYTES_MAX)
  if (read.ok && isFork(read.value)) {
    const fork = decodeFork(read.value)
    const checked = fork.ok ? checkFork(fork.value, verify) : fork
    return reportOf(source, checked, ({ did, origin, size }) => ({
      offence: 'checkpoint-fork',
      convicted: [did],
      thread: null,
      slot: null,
      epoch: null,
      origin,
      size: String(size),
      meaning: 'signed two logs of ended threads of which neither goes on from the other'
    }))
  }
  const decoded = read.ok ? decodeEvidence(read.value) : read
  const checked = decoded.ok ? checkEvidence(decoded.value, verify) : decoded
  return reportOf(source, checked, conviction => ({
    ...conviction,
    meaning: OFFENCES[conviction.offence]
  }))
}

/** Whether a proof says that it is of this kind; the strict reader judges the rest. */
function isFork(encoded: Uint8Array): boolean {
  const value = decodeStrict(encoded)
  return value.ok && (value.value as { format?: unknown } | null)?.format === FORK_FORMAT
}

/** JSON-safe. */
export type CheckpointReport = Verified<{
  readonly origin: string
  /** Decimal: a log may be larger than a number can say. */
  readonly size: string
  readonly root: string
  /** What the log says of its beginning: at that time no thread before `from` bound anybody any more. Null where it says nothing. */
  readonly standing: { readonly from: number; readonly at: string } | null
  readonly witnesses: readonly { readonly did: string; readonly at: string }[]
}>

/** Checks a checkpoint by its own bytes alone: the signature of the node whose log it is, and those of its witnesses. */
export async function verifyCheckpoint(source: ProofSource): Promise<CheckpointReport> {
  const note = parseNote(await readBytes(source, NOTE_BYTES_MAX + 1))
  const checked = note.ok ? checkSaid(note.value) : note
  return reportOf(source, checked, ({ checkpoint, standing, witnesses }) => ({
    origin: checkpoint.origin,
    size: String(checkpoint.size),
    root: toHex(checkpoint.root),
    standing: standing && { from: standing.from, at: timeOf(standing.atMs / 1000) },
    witnesses: [...witnesses].map(([did, seconds]) => ({ did, at: timeOf(seconds) }))
  }))
}

/** A note whose signatures hold, and what it says of what stands. */
function checkSaid(note: SignedNote): Result<CheckedNote & { readonly standing: Standing | null }> {
  const checked = checkNote(note, nodeVerifier())
  if (!checked.ok) return checked
  const said = standingOf(checked.value.checkpoint)
  return said.ok ? ok({ ...checked.value, standing: said.value }) : said
}

/** RFC 3339; the plain number where no calendar reaches. */
function timeOf(seconds: number): string {
  const at = new Date(seconds * 1000)
  return Number.isNaN(at.getTime()) ? `${seconds} s` : at.toISOString()
}

function reportOf<C, T>(
  source: ProofSource,
  checked: Result<C>,
  say: (claim: C) => T
): Verified<T> {
  if (!checked.ok) return refused(source, checked.refusal)
  return { ok: true, path: pathOf(source), problem: null, claim: say(checked.value) }
}

function refused(source: ProofSource, problem: Refusal): Verified<never> {
  return { ok: false, path: pathOf(source), problem, claim: null }
}

function pathOf(source: ProofSource): string {
  return typeof source === 'string' ? source : '-'
}
