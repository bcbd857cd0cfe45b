import { SwarmError } from '../core/base/index.ts'

/** One thing that is wrong with the settings. */
export type ConfigProblem = {
  /** The setting, or the file, that is wrong. */
  readonly key: string
  /** Where the value came from, as a person would look for it. */
  readonly source: string
  readonly message: string
}

/** The settings cannot be used. Lists every problem, so that one round of editing is enough. */
export class ConfigInvalidError extends SwarmError {
  readonly code = 'CONFIG_INVALID'
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[], options?: ErrorOptions) {
    super(problems.map(describe).join('; '), { problems }, options)
    this.problems = problems
  }
}

function describe(problem: ConfigProblem): string {
  return `${problem.key} ${problem.message} (from ${problem.source})`
}

/** The home could not be made or written. */
export class HomeUnwritableError extends SwarmError {
  readonly code = 'HOME_UNWRITABLE'
}
