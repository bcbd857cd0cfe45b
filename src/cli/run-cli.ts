import { CommanderError } from 'commander'
import { UsageError } from './errors.ts'
import type { Io } from './io.ts'
import { buildProgram } from './program.ts'
import { Shell } from './shell.ts'

/** Runs one command line; returns its exit status. Never throws. */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  const shell = new Shell(io)
  const program = buildProgram(shell)
  try {
    await program.parseAsync(argv.length === 0 ? ['--help'] : [...argv], { from: 'user' })
    return shell.exitCode
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    return report(error instanceof CommanderError ? usageError(error) : error, argv, io)
  }
}

/** One line on stderr; with --json a document on stdout as well. */
async function report(error: unknown, argv: readonly string[], io: Io): Promise<number> {
  const { describeError, exitCodeOf } = await import('../rpc/index.ts')
  const { code, message, hint } = describeError(error)
  if (asksForJson(argv)) io.stdout.write(`${JSON.stringify({ error: { code, message, hint } })}\n`)
  else io.stderr.write(`can-swarm: ${oneLine(withAdvice(message, hint))} [${code}]\n`)
  if ((code === 'INTERNAL' || code === 'ASSERTION') && error instanceof Error)
    io.stderr.write(`${error.stack}\n`)
  return exitCodeOf(code)
}

/** What commander complains about, in one line with its suggestion. */
function usageError(error: CommanderError): UsageError {
  // A group without a command prints its help and ends here.
  const isHelp = error.code === 'commander.help'
  const message = error.message.replace(/^error: /u, '').replaceAll(/\s*\n\s*/gu, ' ')
  return new UsageError(isHelp ? 'say which command: see the list above' : message)
}

/** The command line may be too broken to parse, so the words are looked at. */
function asksForJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return argv.slice(0, end < 0 ? argv.length : end).includes('--json')
}

/** Most messages say "what was wrong: what to do"; the hint is for those that only say the first. */
function withAdvice(message: string, hint: string): string {
  return hint === '' || message.includes(': ') || says(message, hint)
    ? message
    : `${message} (${hint})`
}

/** Whether the message gives the advice already, if perhaps it ends otherwise. */
function says(message: string, hint: string): boolean {
  const [advice = hint] = hint.split(/[,;.](?:\s|$)/u)
  return message.toLowerCase().includes(advice.toLowerCase())
}

/** What strangers and damaged files say may be in a message. */
function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/gu, ' ').replaceAll(/\p{Cc}/gu, ' ')
}
