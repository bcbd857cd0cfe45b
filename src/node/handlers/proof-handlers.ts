import { encodeCertificateFile } from '../../core/roster/index.ts'
import type { KeptEvidence } from '../../core/swarm/index.ts'
import type { EvidenceSummary, Handlers } from '../../rpc/index.ts'
import { CertificateAbsentError, EvidenceNotFoundError } from '../errors.ts'
import type { NodeParts } from '../node-parts.ts'

/** Certificates and evidence for those who take them elsewhere. */
export function proofHandlers({
  swarm,
  threads
}: NodeParts): Pick<Handlers, 'certificate.get' | 'evidence.list' | 'evidence.get'> {
  return {
    'certificate.get': async ({ thread, stage }) => {
      const { phase } = await threads.view(thread)
      for (const one of stage === undefined ? (['outcome', 'decide'] as const) : [stage]) {
        const file = await threads.certificate(thread, one)
        if (file !== undefined) return { stage: one, base64: base64(encodeCertificateFile(file)) }
      }
      const what = stage === 'outcome' ? 'outcome' : 'decision'
      throw new CertificateAbsentError(
        `the thread has no certificate of its ${what} here: it is ${phase}`
      )
    },
    'evidence.list': async ({ thread }) =>
      swarm
        .evidence()
        .filter(({ conviction }) => thread === undefined || conviction.thread === thread)
        .map(summary)
        .reverse(),
    'evidence.get': async ({ id }) => {
      const kept = swarm.evidence().find(one => one.id === id)
      if (kept === undefined) throw new EvidenceNotFoundError(id)
      return { ...summary(kept), base64: base64(kept.bytes) }
    }
  }
}

function summary({ id, bytes, conviction }: KeptEvidence): EvidenceSummary {
  return { id, ...conviction, bytes: bytes.length }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
