import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { InterruptedError, UsageError } from './errors.ts'
import type { Io } from './io.ts'

/** Asks for a passphrase on the terminal without showing it. `twice`: for a new one. */
export async function askPassphrase(io: Io, options: { readonly twice: boolean }): Promise<string> {
  if (io.stdin.isTTY !== true)
    throw new UsageError(
      '--ask-passphrase needs a terminal: use CAN_SWARM_PASSPHRASE or --passphrase-file instead'
    )
  const first = await ask(io, 'Passphrase: ')
  if (first === '')
    throw new UsageError(
      'the passphrase is empty: leave --ask-passphrase out for a key without one'
    )
  if (options.twice && (await ask(io, 'Again: ')) !== first)
    throw new UsageError('the two passphrases differ: nothing was changed')
  return first
}

async function ask(io: Io, question: string): Promise<string> {
  io.stderr.write(question)
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input: io.stdin, output: silent, terminal: true })
  try {
    return await terminal.question('')
  } catch (cause) {
    // The terminal turns Ctrl-C into a key, so no signal comes.
    throw new InterruptedError('interrupted', '', { cause })
  } finally {
    terminal.close()
    io.stderr.write('\n')
  }
}
