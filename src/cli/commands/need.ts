import { type Command, InvalidArgumentError, Option } from 'commander'
import type { NeedRequest } from '../../rpc/index.ts'
import { parseDuration } from '../duration.ts'
import { InputEmptyError, UsageError } from '../errors.ts'
import { type FollowInit, follow, type RefusedEvent, verbLine } from '../follow.ts'
import { resolveThread } from '../ids.ts'
import { checkInput } from '../input-file.ts'
import { NeedRefusals } from '../need-refusals.ts'
import type { Session } from '../session.ts'
import { examples, type Shell } from '../shell.ts'
import { readAll } from '../standard-input.ts'
import { isGood, showOutcome } from '../thread-text.ts'
import { addTermsOptions, type TermsOptions, termsOf } from './need-terms.ts'

type NeedOptions = {
  readonly capability?: string
  readonly input?: string
  readonly inputCid?: string
  readonly slot?: string
  readonly budget?: string
  readonly verifyBounty?: string
  readonly kPlan?: number
  readonly kResult?: number
  readonly ttl?: number
  readonly capsule?: string
  readonly open?: boolean
  readonly solo?: boolean
  readonly wait?: boolean
} & TermsOptions &
  Readonly<Partial<Record<WindowName, number>>>

/** Option of each window of a NEED, and what it is. */
const WINDOWS = {
  bid: ['bidMs', 'how long bids are taken'],
  lease: ['leaseTtlMs', 'life of a lease without a heartbeat'],
  verify: ['verifyMs', 'from the result to the end of sealing, at the latest'],
  seal: ['sealMs', 'how long more seals are taken after the last one needed'],
  reveal: ['revealMs', 'how long verdicts are revealed, at the latest'],
  challenge: ['challengeMs', 'how long the verified result may be challenged']
} as const
type WindowName = keyof typeof WINDOWS

export function addNeedCommand(program: Command, shell: Shell): void {
  const command = program
    .command('need')
    .description('State a NEED: work that you want done.')
    .option('--capability <NAME>', 'What is wanted, such as text/language.')
    .option('--input <PATH>', 'File or folder to work on; - reads standard input.')
    .option('--input-cid <CID>', 'Artifact to work on, instead of --input.')
    .option('--slot <NAME>', 'Unit of exclusivity; by default its own.')
    .option('--budget <CREDITS>', 'Most that the work may cost.')
    .option('--verify-bounty <CREDITS>', 'What the verifiers share.')
    .addOption(new Option('--k-plan <N>', 'Attestations that a bid needs.').argParser(parseCount))
    .addOption(
      new Option('--k-result <N>', 'Passing verdicts that a result needs.').argParser(parseCount)
    )
    .addOption(new Option('--ttl <TIME>', 'When to give up.').argParser(parseDuration))
    .option('--capsule <CID>', 'Policy that judges bids and the result; see "can-swarm policy".')
    .option('--open', 'The result is not deterministic: verifiers judge it instead of comparing.')
    .option('--solo', 'Decide alone when no one else is there; the certificate says so.')
    .option(
      '--wait',
      'Follow the thread to its end; exit status 0 only when it is FINAL and not void, 4 when nodes refuse it and none takes it up.'
    )
    .action(shell.action(need))
  for (const [name, [, help]] of Object.entries(WINDOWS))
    command.addOption(new Option(`--${name} <TIME>`, `Window: ${help}.`).argParser(parseDuration))
  addTermsOptions(command)
  addReform(command, shell)
  examples(
    command,
    [
      'need --capability text/language --input article.txt --wait',
      'echo hello | can-swarm need --capability text/upper --input - --budget 50 --wait',
      'need --capability text/language --input-cid bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku --challenge 2s --json'
    ].map(line => line.replace(/^echo hello \| can-swarm /u, ''))
  )
}

function addReform(command: Command, shell: Shell): void {
  examples(
    command
      .command('reform')
      .description(
        'Give up the group of an own NEED and form another. What was decided stays decided; not once there is a result.'
      )
      .argument('<id>', 'thread id, or a beginning or end of it')
      .hook('preAction', refuseNeedOptions)
      .action(shell.action((session, _options: object, id: string) => reform(session, id))),
    ['need reform soitae', 'need reform soitae --json']
  )
}

/** The NEED is stated already: an option of `need` would be taken and do nothing. */
function refuseNeedOptions({ parent }: Command): void {
  const given = parent?.options.find(
    option => parent.getOptionValueSource(option.attributeName()) === 'cli'
  )
  if (given !== undefined)
    throw new UsageError(`${given.long} is for a new NEED: "need reform" takes none of its options`)
}

async function reform(session: Session, id: string): Promise<void> {
  const thread = await resolveThread(session, id)
  const { epoch } = await session.call('need.reform', { thread })
  await session.out.document('reform', { thread, epoch }, () =>
    session.out.line(`epoch ${epoch} begins`)
  )
}

async function need(session: Session, options: NeedOptions): Promise<void> {
  const request = await requestOf(session, options)
  if (options.wait !== true) {
    const { thread } = await session.call('need.state', request, {
      long: request.inputPath !== undefined
    })
    return session.out.document('need', { thread }, () => session.out.line(thread))
  }
  // Subscribed before the NEED exists, so that no verb of it is missed.
  const events = (await session.client()).events(session.signal)
  const { thread } = await session.call('need.state', request, { long: true })
  session.out.note(`thread ${thread}`)
  const refusals = new NeedRefusals(session, thread)
  const onRefused = (event: RefusedEvent): Promise<void> => refusals.take(event)
  await refusals.race(showVerbs(session, { thread, events, onRefused }))
  const view = await session.call('thread.get', { thread }, { long: true })
  session.exitCode = isGood(view) ? 0 : 1
  await session.out.document('thread', view, () => showOutcome(session.out, view))
}

async function showVerbs(session: Session, init: FollowInit): Promise<void> {
  for await (const verb of follow(session, init))
    if (!session.out.options.json && !session.out.options.quiet)
      session.out.line(verbLine(session.out, verb))
}

async function requestOf(session: Session, options: NeedOptions): Promise<NeedRequest> {
  const { capability } = options
  if (capability === undefined) throw new UsageError('say what is wanted: --capability NAME')
  if ((options.input === undefined) === (options.inputCid === undefined))
    throw new UsageError('give exactly one of --input and --input-cid')
  const windows = Object.fromEntries(
    Object.entries(WINDOWS).flatMap(([name, [field]]) =>
      options[name as WindowName] === undefined ? [] : [[field, options[name as WindowName]]]
    )
  )
  const request: NeedRequest = {
    capability,
    ...(options.slot === undefined ? {} : { slot: options.slot }),
    ...(options.budget === undefined ? {} : { budget: options.budget }),
    ...(options.verifyBounty === undefined ? {} : { verifyBounty: options.verifyBounty }),
    ...(options.kPlan === undefined ? {} : { kPlan: options.kPlan }),
    ...(options.kResult === undefined ? {} : { kResult: options.kResult }),
    ...(options.ttl === undefined ? {} : { ttlMs: options.ttl }),
    ...(options.capsule === undefined ? {} : { capsule: options.capsule }),
    ...(options.open === true ? { taskClass: 'open' as const } : {}),
    ...(options.solo === true ? { solo: true } : {}),
    ...(Object.keys(windows).length === 0 ? {} : { windows }),
    ...termsOf(options)
  }
  return { ...request, ...(await inputOf(session, options)) }
}

async function inputOf(
  session: Session,
  options: NeedOptions
): Promise<Pick<NeedRequest, 'inputCid' | 'inputPath'>> {
  if (options.inputCid !== undefined) return { inputCid: options.inputCid }
  if (options.input === '-') return { inputCid: await addStdin(session) }
  const inputPath = session.path(options.input as string)
  await checkInput(inputPath)
  return { inputPath }
}

async function addStdin(session: Session): Promise<string> {
  const { INLINE_BYTES_MAX } = await import('../../rpc/index.ts')
  const bytes = await readAll(session.io.stdin, INLINE_BYTES_MAX)
  if (bytes.length === 0)
    throw new InputEmptyError('standard input is empty: there is nothing to work on')
  const { cid } = await session.call(
    'artifacts.addBytes',
    { base64: bytes.toString('base64'), pin: true, name: 'stdin' },
    { long: true }
  )
  return cid
}

function parseCount(text: string): number {
  if (!/^\d{1,3}$/u.test(text)) throw new InvalidArgumentError('Write a whole number.')
  return Number(text)
}
