/**
 * How a setting is described: the type decides what may be written, the rest is for people. Command-line options,
 * environment variables, checks and docs/configuration.md are all derived from these records.
 */
type FlagBase = {
  /** One sentence. */
  readonly help: string
  /** Spelling on the command line without dashes; null keeps the setting off the command line. Default: from the key. */
  readonly option?: string | null
  /** Name of the environment variable. Default: from the key. */
  readonly env?: string
  /** Left out of help and documents: for tests only. */
  readonly hidden?: true
  /** Never shown, logged or written. */
  readonly secret?: true
}

export type TextFlag = FlagBase & {
  readonly type: 'text'
  readonly choices?: readonly string[]
  /** Placeholder in help, such as DIR. */
  readonly unit: string
  /** What is wrong with a value, or null. */
  readonly check?: (value: string) => string | null
}
export type ListFlag = FlagBase & {
  readonly type: 'list'
  readonly choices?: readonly string[]
  readonly unit: string
  /** What is wrong with one item, or null. */
  readonly check?: (item: string) => string | null
}
export type NumberFlag = FlagBase & {
  readonly type: 'number'
  readonly unit: string
  readonly min: number
  readonly max: number
}
export type BooleanFlag = FlagBase & { readonly type: 'boolean' }
export type Flag = TextFlag | ListFlag | NumberFlag | BooleanFlag

type FlagOf<T> = [T] extends [boolean]
  ? BooleanFlag
  : [T] extends [number]
    ? NumberFlag
    : [T] extends [readonly string[]]
      ? ListFlag
      : TextFlag

/** One flag for every field of a section; a missing or misspelt one does not compile. */
export type FlagsFor<Section extends string, Settings> = {
  readonly [K in keyof Settings & string as `${Section}.${K}`]-?: FlagOf<Settings[K]>
}

/** `network.mdns` -> `network-mdns`; or the spelling that the flag asks for. */
export function optionName(key: string, flag: Flag): string | null {
  return flag.option === undefined ? kebab(key) : flag.option
}

/** `consensus.precisionMs` -> `CAN_SWARM_CONSENSUS_PRECISION_MS`; or the name that the flag asks for. */
export function envName(key: string, flag: Flag): string {
  return flag.env ?? `CAN_SWARM_${kebab(key).replaceAll('-', '_').toUpperCase()}`
}

function kebab(key: string): string {
  return key.replaceAll('.', '-').replaceAll(/[A-Z]/gu, letter => `-${letter.toLowerCase()}`)
}
