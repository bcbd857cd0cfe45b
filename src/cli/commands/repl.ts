import type { Command } from 'commander'
import { UsageError } from '../errors.ts'
import type { Session } from '../session.ts'
import { examples, type Shell } from '../shell.ts'

export function addReplCommand(program: Command, shell: Shell): void {
  examples(
    program
      .command('repl')
      .description('A JavaScript console on the running node: try "node.peers()" and the Tab key.')
      .option('--exec <EXPR>', 'Evaluate one expression, print its value as JSON, and end.')
      .action(shell.action(repl)),
    [
      'repl',
      "repl --exec 'node.status()'",
      "repl --exec '(await node.threads()).map(t => t.phase)'"
    ]
  )
}

async function repl(session: Session, options: { exec?: string }): Promise<void> {
  const { evaluate, startRepl } = await import('../repl/index.ts')
  if (options.exec !== undefined) {
    session.out.line(await evaluate(session, options.exec))
    return
  }
  // node:repl runs piped lines before the awaits of earlier ones have finished.
  if (session.io.stdin.isTTY !== true)
    throw new UsageError(
      "the console needs a terminal: in scripts use can-swarm repl --exec 'EXPRESSION'"
    )
  await startRepl(session, { terminal: true })
}
