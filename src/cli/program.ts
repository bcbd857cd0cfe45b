import { Command, Option } from 'commander'
import { addAgentCommands } from './commands/agents.ts'
import { addArtifactCommands } from './commands/artifacts.ts'
import { addAuditCommands } from './commands/audit.ts'
import { addCarCommands } from './commands/car.ts'
import { addCertificateCommands } from './commands/certificate.ts'
import { addCheckpointCommands } from './commands/checkpoint.ts'
import { addCompactCommand } from './commands/compact.ts'
import { addConfigCommands } from './commands/config.ts'
import { addDoctorCommand } from './commands/doctor.ts'
import { addEvidenceCommands } from './commands/evidence.ts'
import { addInitCommand } from './commands/init.ts'
import { addNeedCommand } from './commands/need.ts'
import { addNodeCommands } from './commands/node.ts'
import { addPeerCommands } from './commands/peers.ts'
import { addPinCommands } from './commands/pins.ts'
import { addPlanCommand } from './commands/plan.ts'
import { addPolicyCommands } from './commands/policy.ts'
import { addReplCommand } from './commands/repl.ts'
import { addSimulateCommand } from './commands/simulate.ts'
import { addStartCommand } from './commands/start.ts'
import { addTestnetCommands } from './commands/testnet.ts'
import { addThreadCommands } from './commands/threads.ts'
import { parseDuration } from './duration.ts'
import { examples, type Shell } from './shell.ts'
import { VERSION } from './version.ts'

/** Exit statuses of every command. */
export const EXIT_STATUSES: readonly (readonly [number, string])[] = [
  [0, 'done; for "need --wait" and "testnet demo": the thread is FINAL'],
  [1, 'failed'],
  [2, 'the command line makes no sense'],
  [3, 'not found'],
  [4, 'denied by policy or rule'],
  [5, 'not in time'],
  [69, 'the node cannot be reached'],
  [75, 'already running or in use: try again later'],
  [78, 'settings or home are unusable'],
  [130, 'interrupted']
]

/** The tree of commands. Only this file knows all of them. */
export function buildProgram(shell: Shell): Command {
  const program: Command = new Command('can-swarm')
    .description('A peer-to-peer node for agents that share work: no boss, no chain.')
    .version(VERSION, '-V, --version', 'Print the version.')
    .helpOption('-h, --help', 'Show help.')
    .helpCommand('help [COMMAND]', 'Show help of a command.')
    .addOption(new Option('--home <DIR>', 'Home of the node. [CAN_SWARM_HOME]'))
    .addOption(new Option('--json', 'Print JSON: one document, or one per line for streams.'))
    .addOption(new Option('-q, --quiet', 'Print the result only.'))
    .addOption(
      new Option('--timeout <TIME>', 'Give up after this time, such as 30s.').argParser(
        parseDuration
      )
    )
    .addOption(new Option('--no-color', 'No colours. [NO_COLOR]'))
    .configureHelp({
      showGlobalOptions: true,
      sortSubcommands: false,
      // Those of every command; not those that "need" has beside its own subcommands.
      visibleGlobalOptions: command =>
        command === program ? [] : program.options.filter(option => !option.hidden)
    })
    .configureOutput({
      writeOut: text => void shell.io.stdout.write(text),
      writeErr: text => void shell.io.stderr.write(text),
      // Errors are reported in one place, in one line or as JSON.
      outputError: () => {}
    })
    .exitOverride()
    .showSuggestionAfterError(true)
  addAll(program, shell)
  examples(program, [
    'init',
    'start --work text/language',
    'need --capability text/language --input article.txt --wait',
    'testnet demo'
  ])
  program.addHelpText(
    'after',
    () =>
      `\nExit status:\n${EXIT_STATUSES.map(([code, meaning]) => `  ${String(code).padStart(3)}  ${meaning}`).join('\n')}`
  )
  return program
}

function addAll(program: Command, shell: Shell): void {
  program.commandsGroup('Node:')
  addInitCommand(program, shell)
  addStartCommand(program, shell)
  addNodeCommands(program, shell)
  addPeerCommands(program, shell)
  addDoctorCommand(program, shell)
  addConfigCommands(program, shell)
  program.commandsGroup('Work:')
  addNeedCommand(program, shell)
  addThreadCommands(program, shell)
  addPlanCommand(program, shell)
  addAgentCommands(program, shell)
  program.commandsGroup('Artifacts:')
  addArtifactCommands(program, shell)
  addPinCommands(program, shell)
  addCarCommands(program, shell)
  program.commandsGroup('Record and tools:')
  addAuditCommands(program, shell)
  addCertificateCommands(program, shell)
  addEvidenceCommands(program, shell)
  addCheckpointCommands(program, shell)
  addCompactCommand(program, shell)
  addPolicyCommands(program, shell)
  addReplCommand(program, shell)
  addTestnetCommands(program, shell)
  addSimulateCommand(program, shell)
}
