// Goal: certificates and evidence leave a node as files that another machine can check, and nothing else is taken for one.
// Method: the program in this process; exports against fake handlers with real proofs, verification without any node.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { nodeSigner } from '../../../src/adapters/ed25519/index.ts'
import { utf8 } from '../../../src/core/base/index.ts'
import {
  encodeFork,
  formatCheckpoint,
  formatNote,
  originSignature
} from '../../../src/core/checkpoint/index.ts'
import type { Draft } from '../../../src/core/envelope/index.ts'
import {
  encodeCertificateFile,
  encodeEvidence,
  evidenceId,
  type Offence
} from '../../../src/core/roster/index.ts'
import { renderProof } from '../../../src/replay/index.ts'
import type { Handlers } from '../../../src/rpc/index.ts'
import { runCommand } from '../../support/cli-runner.ts'
import { CID_A, CID_B, DID_A, fakeThread } from '../../support/fake-handlers.ts'
import { fakeNode } from '../../support/fake-node.ts'
import { type Samples, sampleEvidence } from '../../support/sample-evidence.ts'

describe('cli/proofs', () => {
  const node = fakeNode()
  let samples: Samples
  let decision: Uint8Array
  let outcome: Uint8Array
  before(() => {
    samples = sampleEvidence()
    const { need, decide, finalize } = samples
    decision = encodeCertificateFile({ need: need.bytes, envelope: decide.bytes })
    outcome = encodeCertificateFile({ need: need.bytes, envelope: finalize.bytes })
  })
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
  const file = (name: string, bytes: Uint8Array | string): string => {
    writeFileSync(join(node.home, name), bytes)
    return name
  }
  const certificates = (): Partial<Handlers> => ({
    'certificate.get': async ({ stage = 'outcome' }) => ({
      stage,
      base64: base64(stage === 'decide' ? decision : outcome),
      void: null
    })
  })

  describe('checkpoint', () => {
    const signer = nodeSigner(new Uint8Array(32).fill(9))
    const origin = `can-swarm/test/${signer.did}`
    const verify = async (extensions: readonly string[]) => {
      const root = new Uint8Array(32).fill(1)
      const text = formatCheckpoint({ origin, size: 5n, root, extensions })
      const signatures = [originSignature(origin, signer.did, signer.sign(utf8(text)))]
      file('note', formatNote({ text, signatures }))
      const { stdout, code } = await node.run(['checkpoint', 'verify', 'note'])
      const document = await node.run(['checkpoint', 'verify', 'note', '--json'])
      return { stdout, code, report: JSON.parse(document.stdout) }
    }

    it('tells what the log says of threads that bind nobody any more', async () => {
      const { stdout, code, report } = await verify(['standing 3 1700000000000'])
      assert.equal(code, 0, stdout)
      const at = '2023-11-14T22:13:20.000Z'
      assert.deepEqual(report.claim.standing, { from: 3, at })
      assert.ok(stdout.includes(`standing   at ${at} the first 3 bound nobody any more\n`), stdout)
      const old = await verify([])
      assert.deepEqual([old.code, old.report.claim.standing], [0, null])
      assert.doesNotMatch(old.stdout, /standing/u)
    })

    it('refuses one that says more than there is', async () => {
      const { code, report } = await verify(['standing 6 1700000000000'])
      assert.deepEqual([code, report.problem.code], [1, 'CHECKPOINT_STANDING'])
    })
  })

  describe('certificate', () => {
    it('exports to a file in either form, and verifies both', async () => {
      await node.serve(certificates())
      for (const format of ['json', 'cbor']) {
        const argv = ['certificate', 'export', CID_B, '--stage', 'decide', '-o', `d.${format}`]
        const exported = await node.run([...argv, '--format', format])
        assert.equal(exported.stdout, `${join(node.home, `d.${format}`)}\n`, exported.stderr)
        const { code, stdout } = await node.run(['certificate', 'verify', `d.${format}`])
        assert.equal(code, 0, stdout)
        const worker = samples.decide.envelope.payload.decision.worker
        assert.match(stdout, new RegExp(`^ok {2}decided for ${worker}\n`, 'u'))
        assert.match(stdout, /tier +discovery: .*not prevented/u)
        assert.match(stdout, /quorum +[34] of 4 signed, 3 needed\n/u)
        assert.equal(stdout.match(/^signer +did:key:/gmu)?.length, 3)
      }
      const again = await node.run(['certificate', 'export', CID_B, '-o', 'd.json'])
      assert.equal(again.code, 1)
      assert.match(again.stderr, /\[TARGET_EXISTS\]/u)
    })

    it('exports to stdout, as text or in a document', async () => {
      await node.serve(certificates())
      const text = await node.run(['certificate', 'export', CID_B])
      assert.equal(text.stdout, Buffer.from(renderProof(outcome, 'json')).toString())
      const document = JSON.parse(
        (await node.run(['certificate', 'export', CID_B, '--json'])).stdout
      )
      assert.deepEqual(document, {
        schema: 'can-swarm/certificate-export/1',
        thread: CID_B,
        stage: 'outcome',
        path: null,
        void: null,
        base64: base64(outcome)
      })
    })

    it('says beside the file that the thread is void, and of which evidence', async () => {
      const said = { evidence: CID_A, epoch: 0, reason: 'the requester signed two FORMs' }
      const get = certificates()['certificate.get'] as Handlers['certificate.get']
      await node.serve({
        'certificate.get': async (params, context) => ({
          ...(await get(params, context)),
          void: said
        })
      })
      const { stdout, stderr } = await node.run(['certificate', 'export', CID_B])
      assert.equal(stdout, Buffer.from(renderProof(outcome, 'json')).toString())
      assert.match(
        stderr,
        new RegExp(`void: the requester signed two FORMs;.*export ${CID_A}`, 'u')
      )
      const document = await node.run(['certificate', 'export', CID_B, '--json'])
      assert.deepEqual(JSON.parse(document.stdout).void, said)
    })

    it('is void by evidence that its requester signed two FORMs, in both stages', async () => {
      file('e', renderProof(encodeEvidence(samples.evidence['two-forms']), 'json'))
      for (const certified of [decision, outcome]) {
        file('c', certified)
        assert.equal((await node.run(['certificate', 'verify', 'c'])).code, 0)
        const argv = ['certificate', 'verify', 'c', '--evidence', 'e']
        const { code, stdout } = await node.run(argv)
        assert.equal(code, 1)
        assert.match(stdout, /^VOID {2}the certificate is void: .*\[CERTIFICATE_VOID\]\n$/u)
        assert.ok(stdout.includes(samples.requester), stdout)
        const { ok, path, problem } = JSON.parse((await node.run([...argv, '--json'])).stdout)
        assert.deepEqual([ok, path], [false, join(node.home, 'c')])
        assert.equal(problem.code, 'CERTIFICATE_VOID')
      }
    })

    it('is not void by other evidence: that is refused, and what does not hold as well', async () => {
      file('c', decision)
      const forms = samples.evidence['two-forms']
      const damaged = encodeEvidence(forms)
      damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1
      const { decide, keysOf, roster, form } = samples
      const stranger = roster.find(did => did !== samples.requester) as string
      const ofStranger = [1, 2].map(
        precisionMs =>
          samples.cluster.seal(
            keysOf(stranger),
            {
              ...form.envelope,
              payload: { ...form.envelope.payload, precisionMs }
            } as unknown as Draft<'FORM'>,
            9_500
          ).bytes
      ) as [Uint8Array, Uint8Array]
      const cases: [Uint8Array, string][] = [
        [encodeEvidence(samples.evidence['two-votes']), 'EVIDENCE_UNRELATED'],
        [encodeEvidence(samples.evidence['two-certificates']), 'EVIDENCE_UNRELATED'],
        [encodeEvidence({ ...forms, forms: ofStranger }), 'EVIDENCE_UNRELATED'],
        [damaged, 'PROOF_SHAPE'],
        [decide.bytes, 'PROOF_FORMAT']
      ]
      for (const [bytes, code] of cases) {
        file('e', bytes)
        const result = await node.run(['certificate', 'verify', 'c', '--evidence', 'e', '--json'])
        const { ok, path, problem } = JSON.parse(result.stdout)
        assert.deepEqual([result.code, ok, problem.code], [1, false, code])
        assert.equal(path, join(node.home, 'e'), 'it is the evidence that is refused')
        assert.match(problem.message, /^the evidence (says|counts for) nothing/u)
      }
      const both = await node.run(['certificate', 'verify', '-', '--evidence', '-'])
      assert.equal(both.code, 2, both.stderr)
    })

    it('says in a document what is certified', async () => {
      const { need, finalize, roster, requester } = samples
      const { outputs, reason } = finalize.envelope.payload.outcome
      file('o.cbor', outcome)
      const { stdout } = await node.run(['certificate', 'verify', 'o.cbor', '--json'])
      const { claim, ...report } = JSON.parse(stdout)
      const path = join(node.home, 'o.cbor')
      assert.deepEqual(report, {
        schema: 'can-swarm/certificate-verify/1',
        ok: true,
        path,
        problem: null
      })
      assert.equal(claim.need, need.id)
      assert.equal(claim.requester, requester)
      assert.equal(claim.stage, 'outcome')
      assert.equal(claim.result, 'FINAL')
      assert.equal(claim.reason, reason)
      assert.deepEqual(claim.outputs, outputs.map(String))
      assert.deepEqual(claim.roster, roster)
      assert.equal(claim.quorum, 3)
    })

    it('refuses what is no certificate, with the reason and status 1', async () => {
      const text = renderProof(decision, 'json')
      const evidence = encodeEvidence(samples.evidence['two-forms'])
      const flip = (bytes: Uint8Array, at: number): Uint8Array => {
        const changed = bytes.slice()
        changed[at] = (changed[at] as number) ^ 1
        return changed
      }
      const wrong: readonly (readonly [Uint8Array | string, string])[] = [
        ['what?\n', 'PROOF_FORMAT'],
        ['{"a":1}', 'PROOF_FORMAT'],
        ['{"a": 1}', 'PROOF_JSON'],
        ['{', 'PROOF_JSON'],
        [JSON.stringify(JSON.parse(Buffer.from(text).toString()), null, 2), 'PROOF_JSON'],
        [evidence, 'PROOF_FORMAT'],
        [new Uint8Array(400 * 1024).fill(0xa0), 'PROOF_TOO_LARGE'],
        [decision.slice(0, -1), 'NOT_CANONICAL'],
        [flip(decision, decision.length - 10), 'BAD_SIGNATURE'],
        [flip(text, text.length - 1), 'PROOF_JSON']
      ]
      for (const [bytes, code] of wrong) {
        file('wrong', bytes)
        const result = await node.run(['certificate', 'verify', 'wrong'])
        assert.equal(result.code, 1, result.stderr)
        assert.match(result.stdout, new RegExp(`^FAILED {2}.+ \\[${code}\\]\n$`, 'u'))
        const { ok, problem } = JSON.parse(
          (await node.run(['certificate', 'verify', 'wrong', '--json'])).stdout
        )
        assert.deepEqual([ok, problem.code], [false, code])
      }
    })

    it('is read from standard input where the file is -, and not beyond what it can have', async () => {
      for (const format of ['json', 'cbor'] as const) {
        const stdin = renderProof(decision, format)
        const good = await runCommand(['certificate', 'verify', '-', '--json'], { stdin })
        assert.equal(good.code, 0, good.stdout)
        const bad = await runCommand(['certificate', 'verify', '-'], { stdin: stdin.slice(1) })
        assert.equal(bad.code, 1)
      }
      const endless = await runCommand(['evidence', 'verify', '-'], {
        stdin: new Uint8Array(1024 * 1024).fill(0xa0)
      })
      assert.match(endless.stdout, /\[PROOF_TOO_LARGE\]/u)
    })

    it('ends with 3 where there is no file, and 2 where it is empty', async () => {
      for (const what of ['certificate', 'evidence']) {
        assert.equal((await node.run([what, 'verify', 'missing'])).code, 3)
        mkdirSync(join(node.home, `folder-${what}`))
        const folder = await node.run([what, 'verify', `folder-${what}`])
        assert.equal(folder.code, 3)
        assert.match(folder.stderr, /\[PROOF_MISSING\]/u)
        assert.equal((await node.run([what, 'verify', file('empty', '')])).code, 2)
      }
    })
  })

  describe('evidence', () => {
    const held = (): Partial<Handlers> => {
      const bytes = encodeEvidence(samples.evidence['two-votes'])
      const summary = {
        id: evidenceId(bytes),
        offence: 'two-votes' as const,
        convicted: [samples.member],
        thread: CID_B,
        slot: 'slot-1',
        epoch: 0,
        bytes: bytes.length
      }
      return {
        'threads.list': async () => [fakeThread({ thread: CID_B })],
        'evidence.list': async ({ thread }) =>
          thread === undefined || thread === CID_B ? [summary] : [],
        'evidence.get': async ({ id }) => {
          assert.equal(id, summary.id)
          return { ...summary, base64: base64(bytes) }
        }
      }
    }

    it('lists what the node holds, also of one thread', async () => {
      await node.serve(held())
      const all = await node.run(['evidence', 'ls'])
      assert.match(all.stdout, /^EVIDENCE +OFFENCE +CONVICTED +THREAD +EPOCH\n…\w{8} +two-votes/u)
      assert.equal((await node.run(['evidence', 'ls', 'soitae'])).stdout, all.stdout)
      const none = await node.run(['evidence', 'ls', CID_A])
      assert.equal(none.stdout, '')
      assert.match(none.stderr, /^No evidence/u)
      const [one] = JSON.parse((await node.run(['evidence', 'ls', '--json'])).stdout).evidence
      assert.deepEqual(one.convicted, [samples.member])
    })

    it('exports by a part of an id, and verifies what it wrote', async () => {
      await node.serve(held())
      const [one] = JSON.parse((await node.run(['evidence', 'ls', '--json'])).stdout).evidence
      const exported = await node.run(['evidence', 'export', one.id.slice(-6), '-o', 'e.json'])
      assert.equal(exported.code, 0, exported.stderr)
      const { code, stdout } = await node.run(['evidence', 'verify', 'e.json'])
      assert.equal(code, 0)
      assert.match(stdout, /^ok {2}two-votes: voted for two/u)
      assert.ok(stdout.includes(`convicted  ${samples.member}\n`))
      assert.ok(readFileSync(join(node.home, 'e.json'), 'utf8').endsWith('}\n'))
    })

    it('convicts who rewrote a log of ended threads, and nobody by two logs that agree', async () => {
      const signer = nodeSigner(new Uint8Array(32).fill(9))
      const origin = `can-swarm/test/${signer.did}`
      const note = (fill: number): Uint8Array => {
        const root = new Uint8Array(32).fill(fill)
        const text = formatCheckpoint({ origin, size: 5n, root, extensions: [] })
        const signatures = [originSignature(origin, signer.did, signer.sign(utf8(text)))]
        return formatNote({ text, signatures })
      }
      const judge = async (newer: Uint8Array, format: 'json' | 'cbor') => {
        file('fork', renderProof(encodeFork({ older: note(1), newer, prefix: null }), format))
        const { stdout, code } = await node.run(['evidence', 'verify', 'fork', '--json'])
        return { code, ...JSON.parse(stdout) }
      }
      for (const format of ['json', 'cbor'] as const) {
        const { code, claim } = await judge(note(2), format)
        assert.equal(code, 0)
        assert.deepEqual([claim.offence, claim.convicted], ['checkpoint-fork', [signer.did]])
        assert.deepEqual([claim.origin, claim.size], [origin, '5'])
        assert.equal((await judge(note(1), format)).problem.code, 'PROOF_AGREES')
      }
      await judge(note(2), 'json')
      const { stdout } = await node.run(['evidence', 'verify', 'fork'])
      assert.ok(stdout.includes(`log        ${origin}, at 5 threads\n`), stdout)
    })

    it('convicts of every offence in either form', async () => {
      for (const offence of Object.keys(samples.evidence) as Offence[]) {
        const bytes = encodeEvidence(samples.evidence[offence])
        for (const format of ['json', 'cbor'] as const) {
          file('e', renderProof(bytes, format))
          const { stdout, code } = await node.run(['evidence', 'verify', 'e', '--json'])
          assert.equal(code, 0, stdout)
          const { claim } = JSON.parse(stdout)
          assert.equal(claim.offence, offence)
          assert.deepEqual(claim.convicted, samples.convicted[offence])
          assert.match(claim.meaning, /^\w/u)
        }
      }
    })

    it('refuses what convicts nobody, with status 1', async () => {
      file('c', decision)
      const result = await node.run(['evidence', 'verify', 'c'])
      assert.equal(result.code, 1)
      assert.match(result.stdout, /^FAILED {2}.*\[PROOF_FORMAT\]\n$/u)
    })

    it('shows in a thread who is convicted', async () => {
      const evidence = [{ id: CID_A, offence: 'two-forms' as const, convicted: [DID_A] }]
      await node.serve({ 'thread.get': async () => fakeThread({ evidence }) })
      const { stdout } = await node.run(['thread', CID_B])
      assert.match(stdout, /evidence +two-forms by …\w{8}/u)
    })
  })
})
