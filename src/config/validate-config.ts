import type { ConfigProblem } from './errors.ts'
import type { Flag } from './flag.ts'
import { type Config, FLAG_KEYS, FLAGS, type FlagKey, settingOf } from './sections.ts'

/** Items in any list setting: a node dials every one of them at start. */
export const CONFIG_LIST_ITEMS_MAX = 64
/** Characters of any text setting. */
export const CONFIG_TEXT_LENGTH_MAX = 4096

/** Everything that is wrong with the settings, each field by itself and all together. Empty when they are sound. */
export function validateConfig(
  config: Config,
  sourceOf: (key: FlagKey) => string = () => 'config'
): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  for (const key of FLAG_KEYS) {
    const message = problemOf(FLAGS[key], settingOf(config, key))
    if (message !== null) problems.push({ key, source: sourceOf(key), message })
  }
  // Relations are judged only between fields that are sound by themselves.
  if (problems.length === 0) problems.push(...crossProblems(config, sourceOf))
  return problems
}

function problemOf(flag: Flag, value: unknown): string | null {
  switch (flag.type) {
    case 'boolean':
      return typeof value === 'boolean' ? null : 'must be true or false'
    case 'number':
      if (typeof value !== 'number' || !Number.isSafeInteger(value)) return 'must be a whole number'
      return value >= flag.min && value <= flag.max
        ? null
        : `must be from ${flag.min} to ${flag.max} ${flag.unit}, not ${value}`
    case 'text':
      return typeof value === 'string' ? textProblem(flag, value) : 'must be text'
    case 'list':
      if (!Array.isArray(value)) return 'must be a list of text'
      if (value.length > CONFIG_LIST_ITEMS_MAX)
        return `has more than ${CONFIG_LIST_ITEMS_MAX} items`
      for (const item of value) {
        const problem =
          typeof item === 'string' ? textProblem(flag, item) : 'must be a list of text'
        if (problem !== null) return `"${String(item)}" ${problem}`
      }
      return null
  }
}

function textProblem(flag: Extract<Flag, { type: 'text' | 'list' }>, value: string): string | null {
  if (value.length > CONFIG_TEXT_LENGTH_MAX)
    return `is longer than ${CONFIG_TEXT_LENGTH_MAX} characters`
  if (flag.choices !== undefined && !flag.choices.includes(value))
    return `must be one of ${flag.choices.join(', ')}`
  return flag.check?.(value) ?? null
}

function crossProblems(config: Config, sourceOf: (key: FlagKey) => string): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  const { electionTicksMin, heartbeatTicks } = config.consensus
  // A follower must be able to miss one heartbeat without calling an election.
  if (electionTicksMin < 2 * heartbeatTicks)
    problems.push({
      key: 'consensus.electionTicksMin',
      source: sourceOf('consensus.electionTicksMin'),
      message: `must be at least twice consensus.heartbeatTicks (${heartbeatTicks}), not ${electionTicksMin}`
    })
  if (config.consensus.groupSize !== 4 && config.consensus.groupSize !== 7)
    problems.push({
      key: 'consensus.groupSize',
      source: sourceOf('consensus.groupSize'),
      message: `must be 4 or 7, not ${config.consensus.groupSize}`
    })
  if (config.keystore.passphrase !== '' && config.keystore.passphraseFile !== '')
    problems.push({
      key: 'keystore.passphraseFile',
      source: sourceOf('keystore.passphraseFile'),
      message: 'must be empty while keystore.passphrase is set: give one of the two'
    })
  if (config.network.listen.length === 0)
    problems.push({
      key: 'network.listen',
      source: sourceOf('network.listen'),
      message: 'must have at least one address, such as /ip4/127.0.0.1/tcp/0'
    })
  return problems
}
