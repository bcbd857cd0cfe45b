import { type Command, Option } from 'commander'
import {
  envName,
  FLAG_KEYS,
  FLAGS,
  type Flag,
  type FlagKey,
  type FlagValues,
  optionName
} from '../config/index.ts'

/** Adds an option for every setting to a command. `--home` is global and not among them. */
export function addConfigOptions(command: Command): Command {
  for (const key of keysWithOption()) {
    const flag = FLAGS[key]
    for (const option of optionsOf(key, flag)) {
      if (flag.hidden === true) option.hideHelp()
      command.addOption(option)
    }
  }
  return command
}

/** The settings among a command's parsed options. */
export function configFlags(options: Readonly<Record<string, unknown>>): FlagValues {
  const flags: Record<string, unknown> = {}
  for (const key of keysWithOption()) {
    const name = optionsOf(key, FLAGS[key])[0]?.attributeName()
    if (name !== undefined && options[name] !== undefined) flags[key] = options[name]
  }
  return flags as FlagValues
}

function keysWithOption(): FlagKey[] {
  return FLAG_KEYS.filter(key => key !== 'home.dir' && optionName(key, FLAGS[key]) !== null)
}

function optionsOf(key: FlagKey, flag: Flag): Option[] {
  const name = `--${optionName(key, flag)}`
  const help = `${flag.help}${flag.type === 'number' ? ` In ${flag.unit}.` : ''}${choicesOf(flag)} [${envName(key, flag)}]`
  switch (flag.type) {
    case 'boolean':
      return [new Option(name, help), new Option(name.replace('--', '--no-'), 'The opposite.')]
    case 'list':
      return [new Option(`${name} <${flag.unit}>`, `${help} Repeatable.`).argParser(collect)]
    case 'number':
      // Text that is no number stays, for validation to name it together with everything else that is wrong.
      return [
        new Option(`${name} <N>`, help).argParser(text =>
          /^-?\d+$/u.test(text) ? Number(text) : text
        )
      ]
    case 'text':
      return [new Option(`${name} <${flag.unit}>`, help)]
  }
}

function choicesOf(flag: Flag): string {
  return 'choices' in flag && flag.choices !== undefined
    ? ` One of ${flag.choices.join(', ')}.`
    : ''
}

/** Gathers a repeatable option. */
export function collect(item: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), item]
}
