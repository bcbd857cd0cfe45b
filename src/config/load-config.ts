import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Environment } from './environment.ts'
import { ConfigInvalidError, type ConfigProblem } from './errors.ts'
import { envName, type Flag, optionName } from './flag.ts'
import {
  type Config,
  configOf,
  defaultConfig,
  FLAG_KEYS,
  FLAGS,
  type FlagKey,
  type Setting,
  settingOf
} from './sections.ts'
import { validateConfig } from './validate-config.ts'

/** Name of the settings file inside the home. */
export const CONFIG_FILE = 'config.json'

/** Settings given on the command line, by key. */
export type FlagValues = { readonly [K in FlagKey]?: Setting | undefined }
export type Origin = 'default' | 'file' | 'env' | 'flag'

export type LoadedConfig = {
  readonly config: Config
  readonly origins: Readonly<Record<FlagKey, Origin>>
  /** Path of the settings file, whether or not it exists. */
  readonly file: string
  /** Environment variables that look like settings and are none. */
  readonly unknownEnv: readonly string[]
}

/** Merges defaults < file < environment < flags. Throws ConfigInvalidError with all problems at once. */
export function loadConfig(sources: { env: Environment; flags: FlagValues }): LoadedConfig {
  const { env, flags } = sources
  const defaults = defaultConfig(env)
  const home = resolve(String(flags['home.dir'] ?? (env.CAN_SWARM_HOME || defaults.home.dir)))
  const file = join(home, CONFIG_FILE)
  const problems: ConfigProblem[] = []
  const fromFile = readSettingsFile(file, problems)

  const settings = new Map<FlagKey, unknown>()
  const origins = {} as Record<FlagKey, Origin>
  for (const key of FLAG_KEYS) {
    const fromEnv = parseEnv(FLAGS[key], env[envName(key, FLAGS[key])])
    const layers: [Origin, unknown][] = [
      ['flag', flags[key]],
      ['env', fromEnv],
      ['file', fromFile.get(key)],
      ['default', settingOf(defaults, key)]
    ]
    const [origin, value] = layers.find(layer => layer[1] !== undefined) as [Origin, unknown]
    settings.set(key, key === 'home.dir' ? home : value)
    origins[key] = origin
  }
  if (isOverruled(settings, origins)) {
    settings.set('keystore.passphraseFile', '')
    origins['keystore.passphraseFile'] = 'default'
  }
  const config = configOf(settings)
  problems.push(...validateConfig(config, key => sourceName(key, origins[key], file)))
  if (problems.length > 0) throw new ConfigInvalidError(problems)
  return { config, origins, file, unknownEnv: unknownNames(env) }
}

/** A passphrase that is given for this run wins over the file that the home's settings name. */
function isOverruled(
  settings: ReadonlyMap<FlagKey, unknown>,
  origins: Readonly<Record<FlagKey, Origin>>
): boolean {
  return settings.get('keystore.passphrase') !== '' && origins['keystore.passphraseFile'] === 'file'
}

/** Where a setting's value came from, as a person would look for it. */
export function sourceOf(loaded: LoadedConfig, key: FlagKey): string {
  return sourceName(key, loaded.origins[key], loaded.file)
}

/** The configuration with its secrets replaced, for showing and logging. */
export function redactConfig(config: Config): Config {
  const settings = FLAG_KEYS.map((key): [FlagKey, Setting] => {
    const value = settingOf(config, key)
    return [key, FLAGS[key].secret === true && value !== '' ? '(secret)' : value]
  })
  return configOf(new Map(settings))
}

function sourceName(key: FlagKey, origin: Origin, file: string): string {
  switch (origin) {
    case 'flag':
      return `--${optionName(key, FLAGS[key])}`
    case 'env':
      return envName(key, FLAGS[key])
    case 'file':
      return file
    case 'default':
      return 'the defaults'
  }
}

/** Text of the environment as the setting's type. What does not parse stays text, for validation to name. */
function parseEnv(flag: Flag, text: string | undefined): unknown {
  // An empty variable is how shells unset one for a single command.
  if (text === undefined || text === '') return undefined
  switch (flag.type) {
    case 'number':
      return /^-?\d+$/u.test(text) ? Number(text) : text
    case 'boolean':
      return text === 'true' || text === '1'
        ? true
        : text === 'false' || text === '0'
          ? false
          : text
    case 'list':
      return text.split(',').map(item => item.trim())
    case 'text':
      return text
  }
}

function readSettingsFile(file: string, problems: ConfigProblem[]): Map<FlagKey, unknown> {
  const settings = new Map<FlagKey, unknown>()
  const complain = (key: string, message: string): void => {
    problems.push({ key, source: file, message })
  }
  const sections = parseFile(file, complain)
  for (const [section, fields] of Object.entries(sections)) {
    if (!isObject(fields)) {
      complain(section, 'must be an object of settings')
      continue
    }
    for (const [field, value] of Object.entries(fields)) {
      const key = `${section}.${field}`
      const flag = Object.hasOwn(FLAGS, key) ? FLAGS[key as FlagKey] : undefined
      if (flag === undefined) complain(key, 'is not a setting: see "can-swarm config show"')
      else if (key === 'home.dir') complain(key, 'cannot be set inside the home: use --home')
      else if (flag.secret === true)
        complain(key, `must not be in a file: use ${envName(key, flag)}`)
      else settings.set(key as FlagKey, value)
    }
  }
  return settings
}

function parseFile(
  file: string,
  complain: (key: string, message: string) => void
): Record<string, unknown> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code !== 'ENOENT' && code !== 'ENOTDIR') complain(CONFIG_FILE, `cannot be read (${code})`)
    return {}
  }
  try {
    const value: unknown = JSON.parse(text)
    if (isObject(value)) return value
    complain(CONFIG_FILE, 'must hold one JSON object of sections')
  } catch (error) {
    complain(CONFIG_FILE, `is not JSON: ${(error as Error).message}`)
  }
  return {}
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Variables that other parts read: where a testnet is remembered, and whether a node ends with its launcher. */
const OTHER_NAMES: ReadonlySet<string> = new Set(['CAN_SWARM_TESTNET', 'CAN_SWARM_EXIT_WITH_STDIN'])

function unknownNames(env: Environment): string[] {
  const known = new Set(FLAG_KEYS.map(key => envName(key, FLAGS[key])))
  return Object.keys(env)
    .filter(name => name.startsWith('CAN_SWARM_') && !known.has(name) && !OTHER_NAMES.has(name))
    .sort()
}
