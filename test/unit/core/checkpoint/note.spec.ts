/**
 * Goal: notes and checkpoints are read strictly and signed as C2SP says. Method: an example published by others, round trips, damage at every
 * byte, forged and doubled witnesses.
 */
import { strict as assert } from 'node:assert'
import { nodeSigner, nodeVerifier } from '../../../../src/adapters/ed25519/index.ts'
import { fromHex, utf8 } from '../../../../src/core/base/index.ts'
import {
  checkNote,
  cosignature,
  cosignedBytes,
  formatCheckpoint,
  formatNote,
  NOTE_SIGNATURES_MAX,
  originSignature,
  parseCheckpoint,
  parseNote,
  type SignedNote
} from '../../../../src/core/checkpoint/index.ts'

const verify = nodeVerifier()
const signerOf = (byte: number) => nodeSigner(new Uint8Array(32).fill(byte))
const author = signerOf(1)
const origin = `can-swarm/testnet/${author.did}`
const root = new Uint8Array(32).fill(7)
const text = formatCheckpoint({ origin, size: 42n, root, extensions: ['state AAAA'] })
const own = originSignature(origin, author.did, author.sign(utf8(text)))
const witness = (byte: number, seconds = 1_800_000_000) => {
  const signer = signerOf(byte)
  return cosignature(signer.did, seconds, signer.sign(cosignedBytes(text, seconds)))
}
const good: SignedNote = { text, signatures: [own, witness(2), witness(3)] }

function codeOf(bytes: Uint8Array): string | null {
  const note = parseNote(bytes)
  if (!note.ok) return note.refusal.code
  const checked = checkNote(note.value, verify)
  return checked.ok ? null : checked.refusal.code
}

describe('core/checkpoint', () => {
  it('reads what it writes', () => {
    const note = parseNote(formatNote(good))
    assert(note.ok)
    assert.deepEqual(note.value, good)
    const checkpoint = parseCheckpoint(note.value.text)
    assert(checkpoint.ok)
    assert.deepEqual(checkpoint.value, { origin, size: 42n, root, extensions: ['state AAAA'] })
  })

  it('reads the example of the Go checksum database', () => {
    // golang.org/x/mod/sumdb/note, PeterNeumann: key 33c2bd8a... "c74f20a3" is its hash.
    const example =
      "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    const note = parseNote(utf8(example))
    assert(note.ok)
    assert.deepEqual(note.value.signatures[0]?.keyId, fromHex('c74f20a3'))
    assert.equal(new TextDecoder().decode(formatNote(note.value)), example)
  })

  it('counts the witnesses of a good note', () => {
    const checked = checkNote(good, verify)
    assert(checked.ok)
    assert.deepEqual([...checked.value.witnesses.keys()], [signerOf(2).did, signerOf(3).did])
    assert.equal(checked.value.did, author.did)
    assert.equal(checked.value.network, 'testnet')
  })

  it('counts a witness once, with its latest time, and the origin never', () => {
    const seconds = 1_700_000_000
    const self = cosignature(author.did, seconds, author.sign(cosignedBytes(text, seconds)))
    const note = { text, signatures: [own, witness(2, 5), witness(2, 9), witness(2, 7), self] }
    const checked = checkNote(note, verify)
    assert(checked.ok)
    assert.deepEqual([...checked.value.witnesses], [[signerOf(2).did, 9]])
  })

  it('passes over signatures of kinds that it does not know', () => {
    const other = { name: 'example.com/witness', keyId: Uint8Array.of(1, 2, 3, 4), bytes: root }
    const checked = checkNote({ text, signatures: [other, own] }, verify)
    assert(checked.ok)
    assert.equal(checked.value.witnesses.size, 0)
  })

  it('refuses forged signatures and notes that their origin has not signed', () => {
    const forged = { ...witness(2), bytes: witness(3).bytes }
    assert.equal(codeOf(formatNote({ text, signatures: [own, forged] })), 'CHECKPOINT_SIGNATURE')
    assert.equal(codeOf(formatNote({ text, signatures: [witness(2)] })), 'CHECKPOINT_UNSIGNED')
    const other = formatCheckpoint({ origin, size: 43n, root, extensions: ['state AAAA'] })
    assert.equal(codeOf(formatNote({ ...good, text: other })), 'CHECKPOINT_SIGNATURE')
    const foreign = formatCheckpoint({ origin: 'example.com/log', size: 1n, root, extensions: [] })
    assert.equal(codeOf(formatNote({ ...good, text: foreign })), 'CHECKPOINT_ORIGIN')
  })

  it('refuses every flipped bit, or counts fewer witnesses', () => {
    const bytes = formatNote(good)
    for (let at = 0; at < bytes.length; at++) {
      for (const bit of [1, 32]) {
        const bad = Uint8Array.from(bytes)
        bad[at] = (bad[at] ?? 0) ^ bit
        const note = parseNote(bad)
        const checked = note.ok ? checkNote(note.value, verify) : note
        if (!checked.ok) continue
        assert.equal(
          formatCheckpoint(checked.value.checkpoint),
          text,
          'the text is what was signed'
        )
        assert(checked.value.witnesses.size < 2, `byte ${at}`)
      }
    }
  })

  it('refuses what is not written in the one canonical way', () => {
    const [head = ''] = text.split('\n')
    const base64 = 'BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc='
    for (const bad of [
      `${head}\n42\n`,
      `${head}\n042\n${base64}\n`,
      `${head}\n-1\n${base64}\n`,
      `${head}\n18446744073709551616\n${base64}\n`,
      `${head}\n99999999999999999999999\n${base64}\n`,
      `${head}\n42\n${base64.slice(0, -1)}\n`,
      `${head}\n42\n${base64.replace('c=', 'd=')}\n`,
      `${head}\n42\nAAAA\n`,
      `${head}\n42\n${base64}\n\n`,
      `${head}\n42\n${base64}`,
      `\n42\n${base64}\n`,
      `${head}\n42\n${base64}\n${'x'.repeat(600)}\n`
    ])
      assert(!parseCheckpoint(bad).ok, JSON.stringify(bad))
    assert(parseCheckpoint(`${head}\n18446744073709551615\n${base64}\n`).ok)
  })

  it('refuses notes that are no notes', () => {
    const line = `\u2014 ${origin} AAAAAAAA\n`
    for (const bad of [
      '',
      '\n\n',
      text,
      `${text}\n`,
      `${text}\n${line}`.slice(0, -1),
      `${text}\n${line}${line.replace('\u2014', '-')}`,
      `${text}\n\u2014 a+b AAAAAAAA\n`,
      `${text}\n\u2014 ${origin}  AAAAAAAA\n`,
      `${text}\n\u2014 ${origin} AAAA\n`,
      `${text}\n\u2014 ${origin} AAAAAAA\n`,
      `${text}\r\n\n${line}`,
      `${text}\n${line.repeat(NOTE_SIGNATURES_MAX + 1)}`,
      `${'x\n'.repeat(20_000)}\n${line}`
    ])
      assert.equal(codeOf(utf8(bad)), 'NOTE_MALFORMED', JSON.stringify(bad.slice(0, 80)))
    assert.equal(codeOf(Uint8Array.of(0xff, 0x0a, 0x0a)), 'NOTE_MALFORMED')
  })
})
