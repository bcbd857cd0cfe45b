// The key on disk: made once, never overwritten, and every way to fail told apart by its code.
import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  changePassphrase,
  exportKeystore,
  importKeystore,
  type Keystore,
  type KeystoreInit,
  openKeystore
} from '../../../../src/adapters/keystore/index.ts'
import { verifyReference } from '../../../../src/core/identity/index.ts'

const scryptLogN = 10
const isPosix = process.platform !== 'win32'

describe('adapters/keystore', () => {
  let folder: string
  let path: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'keystore-'))
    path = join(folder, 'home', 'key.json')
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const open = (init: Partial<KeystoreInit> = {}): Promise<Keystore> =>
    openKeystore({ path, scryptLogN, ...init })
  const read = (): Record<string, unknown> => JSON.parse(readFileSync(path, 'utf8'))
  const rejects = (promise: Promise<unknown>, code: string): Promise<void> =>
    assert.rejects(promise, { code })

  it('makes a key with create and opens the same one later', async () => {
    const made = await open({ create: true })
    const opened = await open({ create: true })
    assert.equal(made.created, true)
    assert.equal(opened.created, false)
    assert.equal(opened.did, made.did)
    assert.deepEqual(opened.seed, made.seed)
    const message = new Uint8Array([1, 2, 3])
    assert.ok(verifyReference(made.did, message, opened.signer.sign(message)))
  })

  it('makes file and folder for the owner alone, and leaves nothing else behind', async function () {
    await open({ create: true })
    assert.deepEqual(readdirSync(join(folder, 'home')), ['key.json'])
    if (!isPosix) this.skip()
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.equal(statSync(join(folder, 'home')).mode & 0o777, 0o700)
  })

  it('gives different nodes different keys', async () => {
    const one = await open({ create: true })
    const other = await openKeystore({ path: join(folder, 'other', 'key.json'), create: true })
    assert.notEqual(one.did, other.did)
  })

  it('says KEYSTORE_MISSING without create', () => rejects(open(), 'KEYSTORE_MISSING'))

  it('gives one key to processes that create at once', async () => {
    const opened = await Promise.all([1, 2, 3, 4].map(() => open({ create: true })))
    assert.equal(new Set(opened.map(keystore => keystore.did)).size, 1)
    assert.equal(opened.filter(keystore => keystore.created).length, 1)
  })

  it('never writes over a file that is no keystore', async () => {
    mkdirSync(join(folder, 'home'), { mode: 0o700 })
    writeFileSync(path, 'notes', { mode: 0o600 })
    await rejects(open({ create: true }), 'KEYSTORE_CORRUPT')
    assert.equal(readFileSync(path, 'utf8'), 'notes')
  })

  describe('with a passphrase', () => {
    const passphrase = 'Äpfel & 🐟'

    it('opens with it and hides the seed', async () => {
      const made = await open({ create: true, passphrase })
      assert.equal(made.encrypted, true)
      assert.ok(!readFileSync(path, 'utf8').includes(Buffer.from(made.seed).toString('hex')))
      assert.deepEqual((await open({ passphrase })).seed, made.seed)
    })

    it('opens with the same text in another Unicode form', async () => {
      await open({ create: true, passphrase: passphrase.normalize('NFD') })
      assert.equal((await open({ passphrase: passphrase.normalize('NFC') })).created, false)
    })

    it('tells a wrong, a missing and an empty passphrase apart from damage', async () => {
      await open({ create: true, passphrase })
      await rejects(open({ passphrase: 'wrong' }), 'WRONG_PASSPHRASE')
      await rejects(open(), 'PASSPHRASE_NEEDED')
      await rejects(open({ passphrase: null }), 'PASSPHRASE_NEEDED')
      await rejects(open({ passphrase: '' }), 'PASSPHRASE_NEEDED')
    })

    it('takes no empty passphrase for a new key', async () => {
      await rejects(open({ create: true, passphrase: '' }), 'PASSPHRASE_NEEDED')
      assert.equal(existsSync(path), false)
    })

    it('never uses a salt or nonce twice', async () => {
      await open({ create: true, passphrase })
      const before = read() as { kdf: { salt: string }; cipher: { iv: string } }
      await changePassphrase({ path, passphrase, scryptLogN }, passphrase)
      const after = read() as typeof before
      assert.notEqual(after.kdf.salt, before.kdf.salt)
      assert.notEqual(after.cipher.iv, before.cipher.iv)
    })

    it('binds the header: another owner or a cheaper derivation does not open', async () => {
      const { parseKeyFile, formatKeyFile } = await import(
        '../../../../src/adapters/keystore/format.ts'
      )
      const other = (await openKeystore({ path: join(folder, 'other', 'key.json'), create: true }))
        .did
      await open({ create: true, passphrase })
      const keyFile = parseKeyFile(path, readFileSync(path, 'utf8'))
      writeFileSync(path, formatKeyFile({ ...keyFile, did: other }))
      await rejects(open({ passphrase }), 'WRONG_PASSPHRASE')
      writeFileSync(
        path,
        formatKeyFile({
          ...keyFile,
          kdf: { ...(keyFile.kdf as NonNullable<typeof keyFile.kdf>), logN: 11 }
        })
      )
      await rejects(open({ passphrase }), 'WRONG_PASSPHRASE')
    })

    it('uses the stated cost by default', async () => {
      await openKeystore({ path, create: true, passphrase })
      const { kdf } = read() as { kdf: Record<string, unknown> }
      assert.deepEqual({ ...kdf, salt: '' }, { name: 'scrypt', logN: 17, r: 8, p: 1, salt: '' })
    })
  })

  it('changes, sets and removes the passphrase without changing the key', async () => {
    const { did } = await open({ create: true })
    await changePassphrase({ path, scryptLogN }, 'one')
    await rejects(open(), 'PASSPHRASE_NEEDED')
    await changePassphrase({ path, passphrase: 'one', scryptLogN }, 'two')
    await rejects(open({ passphrase: 'one' }), 'WRONG_PASSPHRASE')
    await rejects(
      changePassphrase({ path, passphrase: 'one', scryptLogN }, 'three'),
      'WRONG_PASSPHRASE'
    )
    await changePassphrase({ path, passphrase: 'two', scryptLogN }, null)
    const opened = await open()
    assert.equal(opened.did, did)
    assert.equal(opened.encrypted, false)
    if (isPosix) assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.deepEqual(readdirSync(join(folder, 'home')), ['key.json'])
  })

  it('exports and imports under another passphrase, never over a key', async () => {
    const { did } = await open({ create: true })
    const text = await exportKeystore({ path, scryptLogN }, 'travel')
    await rejects(importKeystore({ path, passphrase: 'travel' }, text), 'KEYSTORE_EXISTS')
    const there = join(folder, 'there', 'key.json')
    await rejects(importKeystore({ path: there, passphrase: 'wrong' }, text), 'WRONG_PASSPHRASE')
    assert.equal(existsSync(there), false)
    assert.equal((await importKeystore({ path: there, passphrase: 'travel' }, text)).did, did)
    assert.equal((await openKeystore({ path: there, passphrase: 'travel' })).did, did)
  })

  it('finds any damaged character', async () => {
    await open({ create: true, passphrase: 'p' })
    const text = readFileSync(path, 'utf8')
    for (let at = 0; at < text.length; at += 7) {
      const digit = text[at] === '0' ? '1' : '0'
      if (text[at]?.trim() === '') continue
      writeFileSync(path, text.slice(0, at) + digit + text.slice(at + 1))
      await assert.rejects(open({ passphrase: 'p' }), error => {
        const { code } = error as { code: string }
        return code === 'KEYSTORE_CORRUPT' || code === 'KEYSTORE_VERSION'
      })
    }
  })

  it('finds a file that is cut short, empty, or too long', async () => {
    await open({ create: true })
    const text = readFileSync(path, 'utf8')
    for (const damaged of ['', text.slice(0, -20), text + ' '.repeat(20_000) + text]) {
      writeFileSync(path, damaged)
      await rejects(open(), 'KEYSTORE_CORRUPT')
    }
  })

  it('never shows the seed in an error', async () => {
    const { seed } = await open({ create: true })
    const secret = Buffer.from(seed).toString('hex')
    for (const damage of [
      (text: string) => text.slice(0, -20),
      (text: string) => text.replace(secret, `${secret}0`)
    ]) {
      writeFileSync(path, damage(readFileSync(path, 'utf8')))
      await assert.rejects(open(), error => {
        const shown = `${(error as Error).stack} ${JSON.stringify(error)}`
        return (
          (error as { code: string }).code === 'KEYSTORE_CORRUPT' &&
          !shown.includes(secret.slice(0, 12))
        )
      })
    }
  })

  it('refuses a file of a later version by name', async () => {
    await open({ create: true })
    writeFileSync(path, JSON.stringify({ ...read(), version: 2 }))
    await rejects(open(), 'KEYSTORE_VERSION')
  })

  it('refuses a file or folder that is open to others, with the chmod to run', async function () {
    if (!isPosix) this.skip()
    await open({ create: true })
    for (const mode of [0o640, 0o604, 0o660, 0o620]) {
      chmodSync(path, mode)
      await assert.rejects(open(), {
        code: 'KEYSTORE_PERMISSIONS',
        message: new RegExp(`chmod 600 ${path}`, 'u')
      })
    }
    chmodSync(path, 0o600)
    chmodSync(join(folder, 'home'), 0o777)
    await assert.rejects(open(), { code: 'KEYSTORE_PERMISSIONS', message: /chmod 700/u })
    chmodSync(join(folder, 'home'), 0o755)
    await open()
  })

  it('says what the system said when the path is no file', async () => {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    chmodSync(path, 0o600)
    await rejects(open(), 'KEYSTORE_FAILED')
  })
})
