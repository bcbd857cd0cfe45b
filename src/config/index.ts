/**
 * Settings of a node: one file per section holds its type, defaults and flags; everything else (command-line options,
 * environment variables, checks, docs/configuration.md) is derived from them.
 *
 * 1. Precedence: defaults < `config.json` in the home < environment `CAN_SWARM_*` < flags.
 * 2. `loadConfig` reports all problems at once as ConfigInvalidError (CONFIG_INVALID, exit status 78).
 * 3. A configuration is plain data; show or log it only through `redactConfig`.
 */
export { type AgentsConfig, BUILTIN_CAPABILITIES } from './agents.ts'
export type { ConsensusConfig } from './consensus.ts'
export type { Environment } from './environment.ts'
export { ConfigInvalidError, type ConfigProblem, HomeUnwritableError } from './errors.ts'
export { envName, type Flag, optionName } from './flag.ts'
export type { KeystoreConfig } from './keystore.ts'
export {
  CONFIG_FILE,
  type FlagValues,
  type LoadedConfig,
  loadConfig,
  type Origin,
  redactConfig,
  sourceOf
} from './load-config.ts'
export type { LogConfig, LogFormat, LogLevel } from './log.ts'
export { makeHome } from './make-home.ts'
export type { NetworkConfig } from './network.ts'
export { PARTS } from './node.ts'
export { readPassphrase } from './passphrase.ts'
export {
  type Config,
  defaultConfig,
  FLAG_KEYS,
  FLAGS,
  type FlagKey,
  type Setting,
  settingOf
} from './sections.ts'
export { hasOwnSocketFolder, SOCKET_PATH_BYTES_MAX, socketPath } from './socket-path.ts'
export { validateConfig } from './validate-config.ts'
