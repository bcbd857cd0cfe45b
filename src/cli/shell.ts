import type { Command } from 'commander'
import type { Io } from './io.ts'
import { type GlobalOptions, Session } from './session.ts'

/** Runs the actions of commands; remembers how the run ended. */
export class Shell {
  readonly io: Io
  exitCode = 0

  constructor(io: Io) {
    this.io = io
  }

  /** Wraps a handler as a commander action: a session around it, its exit status kept. */
  action<Options>(
    handler: (session: Session, options: Options, ...args: never[]) => Promise<void>
  ): (...all: unknown[]) => Promise<void> {
    return async (...all) => {
      const command = all.pop() as Command
      const options = all.pop() as Options
      const session = new Session(this.io, command.optsWithGlobals() as GlobalOptions)
      try {
        await handler(session, options, ...(all as never[]))
        this.exitCode = session.exitCode
      } finally {
        session.end()
      }
    }
  }
}

const shown = new WeakMap<Command, readonly string[]>()

/** Ends a command's help with examples. Every command has some; a test sees to it. */
export function examples(command: Command, lines: readonly string[]): Command {
  shown.set(command, lines)
  return command.addHelpText(
    'after',
    `\nExamples:\n${lines.map(line => `  $ can-swarm ${line}`).join('\n')}`
  )
}

/** The examples of a command, for the reference. */
export function examplesOf(command: Command): readonly string[] {
  return shown.get(command) ?? []
}
