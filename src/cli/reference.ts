/** The users' reference, written from the tables that the program itself runs on. `npm run docs` writes it to docs/. */
import type { Argument, Command, Option } from 'commander'
import {
  defaultConfig,
  envName,
  FLAG_KEYS,
  FLAGS,
  type FlagKey,
  optionName,
  settingOf
} from '../config/index.ts'
import { ERROR_AREAS, ERROR_KINDS, METHOD_NAMES, METHODS } from '../rpc/index.ts'
import { processIo } from './io.ts'
import { buildProgram, EXIT_STATUSES } from './program.ts'
import { examplesOf, Shell } from './shell.ts'

const NOTICE = '<!-- Written by "npm run docs" from the program. Change it there. -->'

/** Name of each file below docs/ and its text. */
export function reference(): ReadonlyMap<string, string> {
  return new Map([
    ['cli.md', cliPage()],
    ['configuration.md', configurationPage()],
    ['errors.md', errorsPage()],
    ['rpc.md', rpcPage()]
  ])
}

/** Every command that does something, below `command`. */
export function leafCommands(command: Command): Command[] {
  const below = command.commands.filter(one => one.name() !== 'help')
  return [command, ...below.flatMap(leafCommands)]
}

function cliPage(): string {
  const program = buildProgram(new Shell(processIo()))
  const commands = leafCommands(program).filter(command => command !== program)
  return page('Command line', [
    'Data goes to standard output, everything else to standard error. With `--json` standard output carries one document, or one per line for streams; each has a `schema` whose number changes when its shape does. An error is `{"error":{"code","message","hint"}}` there, with the same exit status. Thread and peer ids may be given by a beginning or end that no other has.',
    '## Options of every command',
    optionTable(program.options),
    '## Exit status',
    table(
      ['status', 'meaning'],
      EXIT_STATUSES.map(([status, meaning]) => [String(status), meaning])
    ),
    '`start`, `work` and `verify` end with 0 on Ctrl-C: that is how they are meant to end.',
    ...commands.flatMap(command => commandSection(command))
  ])
}

function commandSection(command: Command): string[] {
  const own = command.options.filter(option => !option.hidden)
  const args = command.registeredArguments.filter(argument => argument.description !== '')
  return [
    `## ${fullName(command)}`,
    command.description(),
    `    ${fullName(command)} ${usageOf(command)}`.trimEnd(),
    ...(args.length === 0 ? [] : [table(['argument', 'what'], args.map(argumentRow))]),
    ...(own.length === 0 ? [] : [optionTable(own)]),
    `Examples:\n\n${examplesOf(command)
      .map(line => `    can-swarm ${line}`)
      .join('\n')}`
  ]
}

function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`
}

function usageOf(command: Command): string {
  return command.usage().replace('[options] [command]', 'COMMAND')
}

function argumentRow(argument: Argument): string[] {
  return [`\`${argument.name()}\``, argument.description]
}

function optionTable(options: readonly Option[]): string {
  return table(
    ['option', 'what'],
    options
      .filter(option => !option.hidden)
      .map(option => [`\`${option.flags}\``, option.description])
  )
}

function configurationPage(): string {
  const defaults = defaultConfig()
  const keys = FLAG_KEYS.filter(key => FLAGS[key].hidden !== true)
  return page('Settings', [
    'Each setting comes from the first of these that has it: the command line, the environment, `config.json` in the home, the default. `can-swarm config show --origin` says which. Lists replace each other, they are not joined; in the environment their items are separated by commas. All problems are reported at once, with exit status 78.',
    'In `config.json` a setting `section.field` is a field of an object: `{"network": {"name": "lab"}}`. Secrets must not be in it.',
    ...keys.map(key =>
      settingSection(
        key,
        key === 'home.dir' ? '$XDG_DATA_HOME/can-swarm' : settingOf(defaults, key)
      )
    )
  ])
}

function settingSection(key: FlagKey, standard: unknown): string {
  const flag = FLAGS[key]
  const option = optionName(key, flag)
  const rows = [
    [
      'command line',
      option === null
        ? 'no: others can read it'
        : `\`--${option}\`${flag.type === 'boolean' ? `, \`--no-${option}\`` : ''}`
    ],
    ['environment', `\`${envName(key, flag)}\``],
    [
      'type',
      flag.type === 'number'
        ? `whole number of ${flag.unit}, ${flag.min} to ${flag.max}`
        : flag.type
    ],
    ...('choices' in flag && flag.choices !== undefined
      ? [['one of', flag.choices.join(', ')]]
      : []),
    ['default', `\`${JSON.stringify(standard)}\``]
  ]
  return `## ${key}\n\n${flag.help}\n\n${table(['', ''], rows)}`
}

function errorsPage(): string {
  const kinds = Object.entries(ERROR_KINDS).map(([kind, { rpc, exit, meaning }]) => [
    kind,
    String(exit),
    String(rpc),
    meaning
  ])
  const areas = Object.entries(ERROR_AREAS).flatMap(([area, rows]) => [
    `## ${area}`,
    table(
      ['code', 'kind', 'meaning', 'what to do'],
      rows.map(([code, kind, meaning, hint = '']) => [`\`${code}\``, kind, meaning, hint])
    )
  ])
  return page('Errors', [
    'Every error has a code that never changes its meaning. Its kind gives the exit status of the command that ends with it and the number in JSON-RPC, where the code is `error.data.code`. `REQUEST_INVALID` and `METHOD_UNKNOWN` have the numbers -32600 and -32601 that JSON-RPC reserves for them; what is not JSON has -32700.',
    table(['kind', 'exit status', 'JSON-RPC number', 'meaning'], kinds),
    ...areas
  ])
}

function rpcPage(): string {
  const rows = METHOD_NAMES.map(name => [`\`${name}\``, METHODS[name].access, METHODS[name].help])
  return page('JSON-RPC', [
    'A node listens on a Unix socket of mode 0600, `node.sock` in its home (a home whose path is too long for a socket has it in a folder of its own under `$XDG_RUNTIME_DIR` or the temporary folder; `can-swarm start` prints where). One JSON-RPC 2.0 object per line, no batches, up to 12 MiB a line. Requests run side by side.',
    'A long call sends notifications `{"method":"progress","params":{"id":<request id>,"data":...}}` before its result. `{"method":"cancel","params":{"id":<request id>}}` aborts it, and so does closing the connection. `events.subscribe` never answers; its events come as progress. A reader that falls 16 MiB behind is cut with `SLOW_READER`.',
    'Parameters and results are the type `Methods` in `src/rpc/methods.ts`: CIDs and DIDs as text, amounts as decimal text, bytes as base64.',
    '    {"jsonrpc":"2.0","id":1,"method":"thread.get","params":{"thread":"bafyrei..."}}',
    '    {"jsonrpc":"2.0","id":1,"result":{...}}\n    {"jsonrpc":"2.0","id":1,"error":{"code":-32003,"message":"...","data":{"code":"THREAD_NOT_FOUND","hint":"..."}}}',
    table(['method', 'access', 'what it does'], rows),
    "The socket gives all access to its owner. Agents in the node's own process have `write`."
  ])
}

function page(title: string, parts: readonly string[]): string {
  return `# ${title}\n\n${NOTICE}\n\n${parts.join('\n\n')}\n`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
