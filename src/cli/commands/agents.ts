import { type Command, InvalidArgumentError, Option } from 'commander'
import type { AgentEvent } from '../../agents/index.ts'
import { BUILTIN_CAPABILITIES } from '../../config/index.ts'
import { formatTime, parseDuration } from '../duration.ts'
import { UsageError } from '../errors.ts'
import { shortId } from '../output.ts'
import type { Session } from '../session.ts'
import { examples, type Shell } from '../shell.ts'

type AgentOptions = {
  readonly capability: string
  readonly builtin?: string
  readonly price?: string
  readonly jobTimeout: number
}

/** Time that a program has for one job when the user sets none: long enough for a model, short enough to notice a hang. */
const JOB_TIMEOUT_MS = 600_000

export function addAgentCommands(program: Command, shell: Shell): void {
  const work = program
    .command('work')
    .description(
      'Run a worker: each job gives its input to a program and takes its standard output as the result.'
    )
    .addOption(new Option('--price <CREDITS>', 'What a job costs.').argParser(parseAmount))
  addCommon(work).action(
    shell.action((session, options: AgentOptions, argv: string[]) =>
      agent(session, 'work', options, argv)
    )
  )
  examples(work, [
    'work --capability text/upper -- tr a-z A-Z',
    'work --capability text/language --builtin language --price 5'
  ])

  const verify = program
    .command('verify')
    .description(
      "Run a verifier: it runs the program again on each result's input and compares the bytes."
    )
  addCommon(verify).action(
    shell.action((session, options: AgentOptions, argv: string[]) =>
      agent(session, 'verify', options, argv)
    )
  )
  examples(verify, [
    'verify --capability text/upper -- tr a-z A-Z',
    'verify --capability text/language --builtin language'
  ])
}

function addCommon(command: Command): Command {
  return command
    .argument('[command...]', 'program and its arguments, after --')
    .requiredOption('--capability <NAME>', 'What the agent can do, such as text/upper.')
    .addOption(
      new Option('--builtin <NAME>', 'Use a builtin program instead.').choices(
        BUILTIN_CAPABILITIES.map(name => name.replace('text/', ''))
      )
    )
    .addOption(
      new Option('--job-timeout <TIME>', 'Time that the program has for one job.')
        .argParser(parseDuration)
        .default(JOB_TIMEOUT_MS, '10m')
    )
}

async function agent(
  session: Session,
  what: 'work' | 'verify',
  options: AgentOptions,
  argv: string[]
): Promise<void> {
  if ((options.builtin === undefined) === (argv.length === 0))
    throw new UsageError(
      `give a program after --, as in "can-swarm ${what} --capability ${options.capability} -- tr a-z A-Z", or --builtin`
    )
  const client = await session.client()
  const { builtinProgram, commandProgram, runVerifier, runWorker } = await import(
    '../../agents/index.ts'
  )
  const program = builtinProgram(`text/${options.builtin}`) ?? commandProgram(argv)
  session.out.note(
    `${what === 'work' ? 'Working' : 'Verifying'} ${options.capability} with ${program.name}. Ctrl-C ends it.`
  )
  const init = {
    capability: options.capability,
    program,
    signal: session.signal,
    timeoutMs: options.jobTimeout,
    onEvent: (event: AgentEvent) => show(session, event)
  }
  try {
    if (what === 'verify') await runVerifier(client, init)
    else
      await runWorker(
        client,
        options.price === undefined ? init : { ...init, price: options.price }
      )
  } catch (error) {
    // Ctrl-C is how an agent is meant to end.
    if (!session.signal.aborted) throw error
  }
}

function show(session: Session, event: AgentEvent): void {
  const atMs = Date.now()
  if (session.out.options.json) {
    const error = event.type === 'failed' ? { error: event.error.message } : {}
    return session.out.record('agent-event', { atMs, ...event, ...error })
  }
  const thread = 'thread' in event ? `  ${shortId(event.thread)}` : ''
  const detail = detailOf(event)
  session.out.line(
    `${formatTime(atMs)}  ${event.type.padEnd(13)}${thread}${detail === '' ? '' : `  ${detail}`}`
  )
}

function detailOf(event: AgentEvent): string {
  switch (event.type) {
    case 'announced':
      return event.capability
    case 'proposed':
      return `for ${event.cost}`
    case 'committed':
      return event.outputs.join(' ')
    case 'judged':
      return event.pass ? 'passes' : `fails: ${event.reasons.join(', ')}`
    case 'abstained':
    case 'yielded':
      return event.reason
    case 'failed':
      return event.error.message
    case 'refused':
      return `${event.call}: ${event.message} [${event.code}]`
    case 'ended':
      return event.phase
    default:
      return ''
  }
}

function parseAmount(text: string): string {
  if (!/^\d{1,19}$/u.test(text)) throw new InvalidArgumentError('Write a whole number of credits.')
  return text
}
