import type { Command } from 'commander'
import { type Config, ConfigInvalidError, type LoadedConfig, sourceOf } from '../../config/index.ts'
import { SwarmError } from '../../core/base/index.ts'
import { addConfigOptions, configFlags } from '../config-options.ts'
import { isPassphraseIdle } from '../key-check.ts'
import { askPassphrase } from '../prompt.ts'
import type { Session } from '../session.ts'
import { examples, type Shell } from '../shell.ts'

export function addStartCommand(program: Command, shell: Shell): void {
  const command = program
    .command('start')
    .description(
      'Run the node in the foreground. Ctrl-C stops it, a second Ctrl-C ends it at once.'
    )
    .option('--ask-passphrase', 'Ask for the passphrase of the key on the terminal.')
    .action(shell.action(start))
  addConfigOptions(command)
  examples(command, [
    'start',
    'start --work text/language --verify text/language',
    'start --join /ip4/192.0.2.1/tcp/4001/p2p/12D3KooWGzh1YtbZ5vJZ7cVYJYp1oXw2pS1vJr5CqkQ2hKk5m8aB',
    'start --home ./node-1 --json --log-level warn'
  ])
}

async function start(session: Session, options: { askPassphrase?: boolean }): Promise<void> {
  const passphrase =
    options.askPassphrase === true
      ? { 'keystore.passphrase': await askPassphrase(session.io, { twice: false }) }
      : {}
  const json = session.out.options.json ? ({ 'log.format': 'json' } as const) : {}
  const loaded = session.load({ ...json, ...configFlags(options), ...passphrase })
  for (const name of loaded.unknownEnv)
    session.out.note(`can-swarm: ${name} is not a setting and is ignored`)
  if (await isPassphraseIdle(loaded.config))
    session.out.note(
      'can-swarm: the key of this home is not encrypted: the passphrase is not used, whoever can read key.json has the key'
    )
  try {
    await runNode(session, loaded.config)
  } catch (error) {
    throw addressProblem(error, loaded) ?? error
  }
}

/** An address that does not work is a mistake of usage on the command line, and of the settings everywhere else. */
function addressProblem(error: unknown, loaded: LoadedConfig): ConfigInvalidError | null {
  if (!(error instanceof SwarmError) || error.code !== 'BAD_ADDRESS') return null
  const { address } = error.details
  const key = loaded.config.network.listen.some(one => one === address)
    ? 'network.listen'
    : 'network.join'
  if (loaded.origins[key] === 'flag') return null
  const source = sourceOf(loaded, key)
  return new ConfigInvalidError([{ key, source, message: error.message }], { cause: error })
}

/** Starts the node, says that it is ready, and stays until it is stopped from here or over RPC, or fails. */
async function runNode(session: Session, config: Config): Promise<void> {
  const { createNode } = await import('../../node/index.ts')
  const node = await createNode(config)
  const failed = Promise.withResolvers<never>()
  node.onFatal(failed.reject)
  let interrupts = 0
  const interrupted = Promise.withResolvers<void>()
  // The first interrupt stops cleanly; whoever is in a hurry asks twice.
  const leave = session.io.onInterrupt(() => {
    interrupts++
    interrupted.resolve()
    if (interrupts > 1) session.io.exitNow(130)
  })
  const letGo = onLauncherGone(session, interrupted.resolve)
  try {
    await Promise.race([node.start(), interrupted.promise, failed.promise])
    if (interrupts === 0) ready(session, node)
    await Promise.race([interrupted.promise, node.stopped, failed.promise])
    session.out.note('can-swarm: stopping')
  } finally {
    await node.stop()
    leave()
    letGo()
  }
}

/** A launcher that holds the other end of standard input takes its nodes with it, however it ends itself. */
function onLauncherGone(session: Session, listener: () => void): () => void {
  const { env, stdin } = session.io
  if (env.CAN_SWARM_EXIT_WITH_STDIN !== '1') return () => undefined
  stdin.once('end', listener).once('error', listener).resume()
  return () => void stdin.off('end', listener).off('error', listener).destroy()
}

function ready(
  session: Session,
  node: {
    readonly did: string
    readonly socketPath: string
    readonly startupMs: number
    addresses(): readonly string[]
  }
): void {
  const addresses = [...node.addresses()]
  const { did, socketPath, startupMs } = node
  if (session.out.options.json)
    session.out.record('ready', { did, addresses, socket: socketPath, startupMs, pid: process.pid })
  else session.out.line(`ready ${did} on ${addresses.join(' ')} in ${Math.round(startupMs)} ms`)
}
