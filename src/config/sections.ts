import { type AgentsConfig, agentsDefaults, agentsFlags } from './agents.ts'
import { type ConsensusConfig, consensusDefaults, consensusFlags } from './consensus.ts'
import type { Environment } from './environment.ts'
import type { Flag } from './flag.ts'
import { type HistoryConfig, historyDefaults, historyFlags } from './history.ts'
import { type HomeConfig, homeDefaults, homeFlags } from './home.ts'
import { type KeystoreConfig, keystoreDefaults, keystoreFlags } from './keystore.ts'
import { type LogConfig, logDefaults, logFlags } from './log.ts'
import { type NetworkConfig, networkDefaults, networkFlags } from './network.ts'
import { type NodeConfig, nodeDefaults, nodeFlags } from './node.ts'
import { type RuntimeConfig, runtimeDefaults, runtimeFlags } from './runtime.ts'

/** All settings of a node. Plain data. */
export type Config = {
  readonly home: HomeConfig
  readonly network: NetworkConfig
  readonly agents: AgentsConfig
  readonly keystore: KeystoreConfig
  readonly log: LogConfig
  readonly runtime: RuntimeConfig
  readonly consensus: ConsensusConfig
  readonly history: HistoryConfig
  readonly node: NodeConfig
}

const flags = {
  ...homeFlags,
  ...networkFlags,
  ...agentsFlags,
  ...keystoreFlags,
  ...logFlags,
  ...runtimeFlags,
  ...consensusFlags,
  ...historyFlags,
  ...nodeFlags
}

/** `section.field` of every setting. */
export type FlagKey = keyof typeof flags

export const FLAGS: Readonly<Record<FlagKey, Flag>> = flags
export const FLAG_KEYS: readonly FlagKey[] = Object.keys(flags) as FlagKey[]

/** Settings of a node that nobody configured. Only the home depends on the environment. */
export function defaultConfig(env: Environment = {}): Config {
  return {
    home: homeDefaults(env),
    network: networkDefaults,
    agents: agentsDefaults,
    keystore: keystoreDefaults,
    log: logDefaults,
    runtime: runtimeDefaults,
    consensus: consensusDefaults,
    history: historyDefaults,
    node: nodeDefaults
  }
}

export type Setting = string | number | boolean | readonly string[]

/** One setting by its key. */
export function settingOf(config: Config, key: FlagKey): Setting {
  const [section, field] = key.split('.') as [keyof Config, string]
  return (config[section] as unknown as Record<string, Setting>)[field] as Setting
}

/** Builds a configuration from settings by key; every key must be present. */
export function configOf(settings: ReadonlyMap<FlagKey, unknown>): Config {
  const config: Record<string, Record<string, unknown>> = {}
  for (const [key, value] of settings) {
    const [section, field] = key.split('.') as [string, string]
    config[section] ??= {}
    config[section][field] = value
  }
  return config as unknown as Config
}
