import { checkFork, decodeFork } from '../../core/checkpoint/index.ts'
import { encodeCertificateFile } from '../../core/roster/index.ts'
import type { KeptEvidence } from '../../core/swarm/index.ts'
import type { EvidenceSummary, Handlers } from '../../rpc/index.ts'
import { CertificateAbsentError, EvidenceNotFoundError } from '../errors.ts'
import type { NodeParts } from '../node-parts.ts'

/** Certificates and evidence for those who take them elsewhere. */
export function proofHandlers({
  swarm,
  threads,
  history,
  verify
}: NodeParts): Pick<Handlers, 'certificate.get' | 'evidence.list' | 'evidence.get'> {
  /** Logs of ended threads that were rewritten, as this node's witness found. */
  const forks = async (): Promise<(EvidenceSummary & { base64: string })[]> =>
    (await history.witnessed.forks()).flatMap(({ id, bytes }) => {
      const decoded = decodeFork(bytes)
      const checked = decoded.ok ? checkFork(decoded.value, verify) : decoded
      if (!checked.ok) return []
      const { did, origin } = checked.value
      const about = { thread: null, slot: null, epoch: null, origin, bytes: bytes.length }
      const fork = { id, offence: 'checkpoint-fork' as const, convicted: [did], ...about }
      return [{ ...fork, base64: base64(bytes) }]
    })
  return {
    'certificate.get': async ({ thread, stage }) => {
      const { phase, void: voided } = await threads.view(thread)
      for (const one of stage === undefined ? (['outcome', 'decide'] as const) : [stage]) {
        const file = await threads.certificate(thread, one)
        if (file === undefined) continue
        return { stage: one, base64: base64(encodeCertificateFile(file)), void: voided }
      }
      const what = stage === 'outcome' ? 'outcome' : 'decision'
      throw new CertificateAbsentError(
        `the thread has no certificate of its ${what} here: it is ${phase}`
      )
    },
    'evidence.list': async ({ thread }) => [
      ...swarm
        .evidence()
        .filter(({ conviction }) => thread === undefined || conviction.thread === thread)
        .map(summary)
        .reverse(),
      ...(thread === undefined ? await forks() : []).map(({ base64: _, ...fork }) => fork)
    ],
    'evidence.get': async ({ id }) => {
      const kept = swarm.evidence().find(one => one.id === id)
      if (kept !== undefined) return { ...summary(kept), base64: base64(kept.bytes) }
      const fork = (await forks()).find(one => one.id === id)
      if (fork === undefined) throw new EvidenceNotFoundError(id)
      return fork
    }
  }
}

function summary({ id, bytes, conviction }: KeptEvidence): EvidenceSummary {
  return { id, ...conviction, bytes: bytes.length }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
