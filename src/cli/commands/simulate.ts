import { type Command, InvalidArgumentError, Option } from 'commander'
import type {
  FaultName,
  SeedFailure,
  SeedsInit,
  SeedsReport,
  SignatureName
} from '../../simulator/index.ts'
import { TimeoutError } from '../errors.ts'
import { countBar } from '../progress-bar.ts'
import type { Session } from '../session.ts'
import { examples, type Shell } from '../shell.ts'

type SimulateOptions = {
  readonly seeds: number
  readonly from: number
  readonly faults?: readonly FaultName[]
  readonly signatures?: SignatureName
  readonly jobs?: number
  readonly trace: string
}

/** Every fault of the simulator; the type sees to it that none is missing. */
const FAULTS: Readonly<Record<FaultName, true>> = {
  partition: true,
  'one-way': true,
  loss: true,
  delay: true,
  duplicate: true,
  reorder: true,
  crash: true,
  torn: true,
  'slow-disk': true,
  skew: true,
  drift: true,
  jump: true,
  pause: true,
  'slow-verifier': true,
  'failed-verifier': true,
  'bad-work': true,
  stall: true,
  noise: true,
  forge: true,
  requester: true,
  leader: true,
  actor: true,
  sealer: true,
  fork: true,
  absentee: true,
  hasty: true,
  copier: true,
  omitter: true
}

/** Highest number of seeds and highest seed: the generator has 32 bits. */
const SEED_MAX = 2 ** 31
/** Threads: more than any machine of today has cores. */
const JOBS_MAX = 256

export function addSimulateCommand(program: Command, shell: Shell): void {
  const command = program
    .command('simulate')
    .description(
      'Run the consensus core in virtual worlds full of faults, and check every rule. Exit status 1 if one is broken.'
    )
    .addOption(
      new Option('--seeds <N>', 'How many worlds.').argParser(parseCount(1, SEED_MAX)).default(100)
    )
    .addOption(
      new Option('--from <S>', 'The first seed.').argParser(parseCount(0, SEED_MAX)).default(0)
    )
    .addOption(
      new Option(
        '--faults <LIST>',
        `Faults that may happen, by comma, or "none"; all by default: ${Object.keys(FAULTS).join(', ')}.`
      ).argParser(parseFaults)
    )
    .addOption(
      new Option(
        '--signatures <KIND>',
        'By default a fast stand-in, and Ed25519 in every fiftieth seed.'
      ).choices(['fast', 'ed25519'])
    )
    .addOption(
      new Option('--jobs <J>', 'Threads; one for each core by default.').argParser(
        parseCount(1, JOBS_MAX)
      )
    )
    .addOption(
      new Option('--trace <DIR>', 'Folder for the traces of seeds that failed.').default(
        'simulator-traces'
      )
    )
    .action(shell.action(runSimulate))
  examples(command, [
    'simulate --seeds 2000',
    'simulate --seeds 1 --from 4711 --json',
    'simulate --faults crash,torn,slow-disk'
  ])
}

async function runSimulate(session: Session, options: SimulateOptions): Promise<void> {
  const { runSeeds } = await import('../../simulator/index.ts')
  const bar = await countBar(session, options.seeds)
  const { seeds, from, faults, signatures, jobs } = options
  const init: SeedsInit = {
    seeds,
    from,
    traceDir: session.path(options.trace),
    signal: session.signal,
    ...(faults === undefined ? {} : { faults }),
    ...(signatures === undefined ? {} : { signatures }),
    ...(jobs === undefined ? {} : { jobs }),
    onSeed: ({ done, failed }) => bar.update(done, failed === 0 ? '' : `${failed} failed`)
  }
  const report = await runSeeds(init).finally(() => bar.stop())
  const isWhole = report.seeds === seeds
  session.exitCode = report.failures.length > 0 ? 1 : isWhole ? 0 : earlyExitCode(session)
  await session.out.document('simulate', documentOf(report), () => {
    for (const failure of report.failures) showFailure(session, failure)
    showSummary(session, report, seeds)
  })
}

/** What was done is told in any case; the status says that it was not all. */
function earlyExitCode({ signal }: Session): number {
  return signal.reason instanceof TimeoutError ? 5 : 130
}

function documentOf(report: SeedsReport): object {
  const { failures, ...rest } = report
  return {
    ...rest,
    violations: failures.flatMap(({ seed, violations, plan, trace, command }) =>
      violations.map(violation => ({ seed, ...violation, trace, command, plan }))
    )
  }
}

function showFailure(
  session: Session,
  { seed, violations, plan, trace, command }: SeedFailure
): void {
  const { out } = session
  out.line(`${out.style('red', 'FAILED')}  seed ${seed}`)
  for (const { rule, message, atMs } of violations) out.line(`  ${atMs} ms  ${rule}: ${message}`)
  out.facts([
    ['  options', JSON.stringify(plan)],
    ['  trace', trace],
    ['  again', command]
  ])
}

function showSummary(session: Session, report: SeedsReport, asked: number): void {
  const { out } = session
  const { seeds, from, failures, simulatedMs, realMs, ends } = report
  const isWhole = seeds === asked
  const mark =
    failures.length > 0
      ? out.style('red', 'FAILED')
      : isWhole
        ? out.style('green', 'ok')
        : out.style('yellow', 'interrupted')
  const hours = (simulatedMs / 3_600_000).toFixed(1)
  const how = Object.entries(ends)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([end, count]) => `${count} ${end}`)
  out.line(
    `${mark}  ${seeds} ${isWhole ? '' : `of ${asked} `}seeds from ${from}: ${failures.length} failed; ${hours} virtual hours in ${(realMs / 1000).toFixed(1)} s`
  )
  if (how.length > 0) out.note(`threads: ${how.join(', ')}`)
}

function parseCount(min: number, max: number): (text: string) => number {
  return text => {
    const value = Number(text)
    if (!/^\d+$/u.test(text) || value < min || value > max)
      throw new InvalidArgumentError(`Write a whole number from ${min} to ${max}.`)
    return value
  }
}

function parseFaults(text: string): readonly FaultName[] {
  const names = text === 'none' ? [] : text.split(',').map(name => name.trim())
  for (const name of names)
    if (!Object.hasOwn(FAULTS, name))
      throw new InvalidArgumentError(
        `There is no fault "${name}": choose from ${Object.keys(FAULTS).join(', ')}.`
      )
  return names as FaultName[]
}
