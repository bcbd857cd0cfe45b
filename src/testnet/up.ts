import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
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
  const note = (line: string): void => void io.stderr.write(`${line}\n`)
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
      note,
      ...(init.dir === undefined ? {} : { dir: resolve(init.dir) })
    })
    let isOver = false
    try {
      await testnet.connected(io.signal)
      writeState(path, stateOf(testnet))
      announce(testnet, init)
      tellOfLosses(testnet, io)
      await ended(testnet, io.signal)
      isOver = true
      return 0
    } finally {
      await testnet.stop()
      removeState(path, testnet.dir)
      if (init.dir === undefined) testnet.tidy(isOver || io.signal.aborted, note)
    }
  } finally {
    io.release()
  }
}

/**
 * The command with which one more node joins; for this machine, and for others when the testnet listens to them. Both work as
 * pasted, in a clone too. A joiner of a testnet that keeps to this machine keeps to it as well.
 */
export function joinCommands(testnet: Testnet): string[] {
  const { addresses } = testnet.first.status
  const local = addresses.filter(address => address.includes('/127.0.0.1/')).slice(0, 1)
  const lan = addresses.filter(address => !/\/(127\.|::1)/u.test(address)).slice(0, 1)
  const start = `npx can-swarm start --network ${testnet.network}`
  const alone = lan.length === 0 ? ' --listen /ip4/127.0.0.1/tcp/0 --no-mdns' : ''
  const home = quoted(join(testnet.dir, 'one-more'))
  return [
    ...local.map(address => `${start} --join ${address}${alone} --home ${home}`),
    ...lan.map(address => `${start} --join ${address}`)
  ]
}

/** For a POSIX shell. */
function quoted(path: string): string {
  return /^[\w./-]+$/u.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`
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
  stdout.write(`  ${here}\n\n`)
  if (lan !== undefined) stdout.write(`and from another machine of the LAN:\n\n  ${lan}\n\n`)
  stdout.write(
    `Talk to a node with --home, such as\n\n  npx can-swarm peers --home ${quoted(testnet.first.home)}\n\n`
  )
  stdout.write('Ctrl-C or "npx can-swarm testnet down" ends it.\n')
}

function withStreams(init: UpInit): { readonly stdout: NonNullable<UpInit['stdout']> } {
  return { stdout: init.stdout ?? process.stdout }
}

/** A line for each node that dies by itself; one that is told to stop ends with status 0. */
function tellOfLosses(testnet: Testnet, { stderr, signal }: Required<TestnetIo>): void {
  for (const node of testnet.nodes)
    void node.exited.then(({ status, signal: by }) => {
      if (status === 0 || signal.aborted) return
      const how = by === null ? `with exit status ${status}` : `by ${by}`
      stderr.write(`${node.name} ended ${how}; its log is ${node.logPath}\n`)
    })
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
