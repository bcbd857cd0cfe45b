import { chmod, writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import {
  CONFIG_FILE,
  FLAGS,
  type FlagKey,
  type FlagValues,
  HomeUnwritableError,
  type LoadedConfig,
  makeHome
} from '../../config/index.ts'
import { addConfigOptions, configFlags } from '../config-options.ts'
import { aborted, leaveAtSecondInterrupt } from '../interrupt.ts'
import { askPassphrase } from '../prompt.ts'
import type { Session } from '../session.ts'
import { examples, type Shell } from '../shell.ts'

export function addInitCommand(program: Command, shell: Shell): void {
  const command = program
    .command('init')
    .description('Make the home of a node: its key and its settings. Keeps what is there already.')
    .option('--ask-passphrase', 'Protect the key with a passphrase, asked for on the terminal.')
    .action(shell.action(init))
  addConfigOptions(command)
  examples(command, [
    'init',
    'init --home ./node-1 --network lab --listen /ip4/0.0.0.0/tcp/4001',
    'init --ask-passphrase'
  ])
}

async function init(session: Session, options: { askPassphrase?: boolean }): Promise<void> {
  const given = absolutePaths(session, configFlags(options))
  const passphrase =
    options.askPassphrase === true ? await askPassphrase(session.io, { twice: true }) : undefined
  const loaded = session.load({
    ...given,
    ...(passphrase === undefined ? {} : { 'keystore.passphrase': passphrase })
  })
  const home = loaded.config.home.dir
  const wroteSettings = await writeSettings(loaded, given)
  const did = await makeKey(session, loaded)
  await session.out.document('init', { home, did, settings: loaded.file, wroteSettings }, () => {
    session.out.facts([
      ['home', home],
      ['did', did],
      ['settings', wroteSettings ? loaded.file : `${loaded.file} (kept)`]
    ])
    session.out.note('Start the node with "can-swarm start".')
  })
}

/** Opens a node once, which makes its key, and closes it again. */
async function makeKey(session: Session, { config }: LoadedConfig): Promise<string> {
  const { createNode } = await import('../../node/index.ts')
  session.signal.throwIfAborted()
  const leave = leaveAtSecondInterrupt(session.io)
  try {
    // Stopped also when the interrupt comes first, so that nothing stays open.
    const made = createNode(config).then(node => node.stop().then(() => node.did))
    return await Promise.race([made, aborted(session.signal)])
  } finally {
    leave()
  }
}

/** What is stored is read from other folders. */
function absolutePaths(session: Session, given: FlagValues): FlagValues {
  const file = given['keystore.passphraseFile']
  return typeof file === 'string' && file !== ''
    ? { ...given, 'keystore.passphraseFile': session.path(file) }
    : given
}

/** Writes the given settings, and only those: defaults may improve with a release. Never overwrites. */
async function writeSettings(
  loaded: LoadedConfig,
  given: Readonly<Record<string, unknown>>
): Promise<boolean> {
  const sections: Record<string, Record<string, unknown>> = {}
  for (const [key, value] of Object.entries(given)) {
    if (FLAGS[key as FlagKey].secret === true) continue
    const [section, field] = key.split('.') as [string, string]
    sections[section] ??= {}
    sections[section][field] = value
  }
  const home = loaded.config.home.dir
  await makeHome(home)
  try {
    // An existing folder may be open to others; the key will lie in it.
    await chmod(home, 0o700)
    await writeFile(loaded.file, `${JSON.stringify(sections, null, 2)}\n`, {
      mode: 0o600,
      flag: 'wx'
    })
    return true
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    if (code === 'EEXIST') return false
    throw new HomeUnwritableError(
      `cannot write ${CONFIG_FILE} in ${home} (${code}): choose another --home`,
      {},
      { cause }
    )
  }
}
