import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { connect } from '../agents/index.ts'
import { TestnetRunningError } from './errors.ts'
import { NODES_DEFAULT } from './limits.ts'
import { readState, removeState, stateFile, writeState } from './state-file.ts'
import { Testnet } from './testnet.ts'
import { type TestnetIo, withDefaults } from './testnet-io.ts'

export type UpInit = TestnetIo & {
  readonly nodes?: number
  /** Nodes that run a liar. */
  readonly bad?: number
  /** Folder for the homes. Default: a new one under the system's temporary folder, removed in the end. */
  readonly dir?: string
  /** Listen on all interfaces, so that machines of the LAN can join. */
  readonly lan?: boolean
  readonly json?: boolean
}

/**
 * Starts a testnet and stays until the signal aborts, `down` is called, or all nodes have ended. Prints the line with which one
 * more node joins. Returns the exit status.
 */
export async function up(init: UpInit = {}): Promise<number> {
  const io = withDefaults(init)
  const path = stateFile(io.env)
  try {
    await refuseSecond(path)
    if (init.dir !== undefined) mkdirSync(init.dir, { recursive: true, mode: 0o700 })
    const testnet = await Testnet.start({
      nodes: init.nodes ?? NODES_DEFAULT,
      capability: 'text/language',
      bad: init.bad ?? 0,
      lan: init.lan ?? false,
      env: io.env,
      signal: io.signal,
      ...(init.dir === undefined ? {} : { dir: resolve(init.dir) })
    })
    try {
      await testnet.connected(io.signal)
      writeState(path, stateOf(testnet))
      announce(testnet, init)
      await ended(testnet, io.signal)
      return 0
    } finally {
      await testnet.stop()
      removeState(path, testnet.dir)
      if (init.dir === undefined) testnet.removeHomes()
    }
  } finally {
    io.release()
  }
}

/** The command with which one more node joins; for this machine, and for others when the testnet listens to them. */
export function joinCommands(testnet: Testnet): string[] {
  const { addresses } = testnet.first.status
  const local = addresses.filter(address => address.includes('/127.0.0.1/')).slice(0, 1)
  const lan = addresses.filter(address => !/\/(127\.|::1)/u.test(address)).slice(0, 1)
  return [...local, ...lan].map(
    address => `can-swarm start --network ${testnet.network} --join ${address}`
  )
}

/** A file that outlived its testnet, as after a power cut, does not count. */
async function refuseSecond(path: string): Promise<void> {
  for (const { home } of readState(path)?.nodes ?? []) {
    const client = await connect({ home }).catch(() => null)
    if (client === null) continue
    client.close()
    throw new TestnetRunningError('a testnet is up already: stop it with "can-swarm testnet down"')
  }
}

function stateOf(testnet: Testnet): Parameters<typeof writeState>[1] {
  const { dir, network } = testnet
  const nodes = testnet.nodes.map(({ name, home, did, role }) => ({
    name,
    title: role.title,
    home,
    did
  }))
  return { dir, network, nodes }
}

function announce(testnet: Testnet, init: UpInit): void {
  const { stdout } = withStreams(init)
  const commands = joinCommands(testnet)
  if (init.json === true) {
    const schema = 'can-swarm/testnet-up/1'
    stdout.write(`${JSON.stringify({ schema, ...stateOf(testnet), join: commands })}\n`)
    return
  }
  const lines = testnet.nodes.map(
    node => `${node.name}  ${node.role.title.padEnd(16)}  ${node.home}`
  )
  const [here, lan] = commands
  stdout.write(`${lines.join('\n')}\n\n`)
  stdout.write(
    `One more node joins from another terminal of this machine, with a home of its own:\n\n`
  )
  stdout.write(`  ${here} --home ./one-more\n\n`)
  if (lan !== undefined) stdout.write(`and from another machine of the LAN:\n\n  ${lan}\n\n`)
  stdout.write(
    `Talk to a node with --home, such as\n\n  can-swarm peers --home ${testnet.first.home}\n\n`
  )
  stdout.write('Ctrl-C or "can-swarm testnet down" ends it.\n')
}

function withStreams(init: UpInit): { readonly stdout: NonNullable<UpInit['stdout']> } {
  return { stdout: init.stdout ?? process.stdout }
}

/** Resolves when the signal aborts or no node is left. */
async function ended(testnet: Testnet, signal: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<void>()
  const onAbort = (): void => aborted.resolve()
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  const allGone = Promise.all(testnet.nodes.map(node => node.exited))
  await Promise.race([aborted.promise, allGone])
  signal.removeEventListener('abort', onAbort)
}
