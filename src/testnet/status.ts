import { connect } from '../agents/index.ts'
import type { NodeStatus } from '../rpc/index.ts'
import { currentState, removeState, stateFile, type TestnetState } from './state-file.ts'
import { type TestnetIo, withDefaults } from './testnet-io.ts'

export type StatusInit = TestnetIo & { readonly json?: boolean }

/** Shows the nodes of the testnet that is up. Returns the exit status. */
export async function status(init: StatusInit = {}): Promise<number> {
  const io = withDefaults(init)
  try {
    const state = currentState(stateFile(io.env))
    const nodes = await Promise.all(state.nodes.map(statusOf))
    if (init.json === true) {
      const { dir, network } = state
      const schema = 'can-swarm/testnet-status/1'
      io.stdout.write(`${JSON.stringify({ schema, dir, network, nodes })}\n`)
    } else {
      io.stdout.write(`${state.network} in ${state.dir}\n`)
      for (const node of nodes) io.stdout.write(`${lineOf(node)}\n`)
    }
    return nodes.every(node => node.status !== null) ? 0 : 1
  } finally {
    io.release()
  }
}

export type DownInit = TestnetIo & { readonly json?: boolean }

/** Stops the testnet that is up; its launcher then ends by itself. Returns the exit status. */
export async function down(init: DownInit = {}): Promise<number> {
  const io = withDefaults(init)
  try {
    const path = stateFile(io.env)
    const state = currentState(path)
    const stopped = await Promise.all(state.nodes.map(({ home }) => stop(home)))
    const count = stopped.filter(one => one).length
    // A launcher that was killed could not tidy up.
    removeState(path, state.dir)
    if (init.json === true) {
      const schema = 'can-swarm/testnet-down/1'
      io.stdout.write(`${JSON.stringify({ schema, stopped: count })}\n`)
    } else io.stdout.write(`stopped ${count} node(s)\n`)
    return 0
  } finally {
    io.release()
  }
}

type NodeLine = TestnetState['nodes'][number] & { readonly status: NodeStatus | null }

async function statusOf(node: TestnetState['nodes'][number]): Promise<NodeLine> {
  const client = await connect({ home: node.home }).catch(() => null)
  if (client === null) return { ...node, status: null }
  try {
    return { ...node, status: await client.call('node.status', {}) }
  } catch {
    return { ...node, status: null }
  } finally {
    client.close()
  }
}

function lineOf({ name, title, status: now }: NodeLine): string {
  const head = `${name.padEnd(8)}  ${title.padEnd(16)}`
  if (now === null) return `${head}  not running`
  const { open, ended } = now.threads
  const megabytes = Math.round(now.rssBytes / 1e6)
  return `${head}  ${now.peers} peers  ${open} open and ${ended} ended threads  ${megabytes} MB  pid ${now.pid}`
}

/** Over RPC and not by process id, which may belong to another process by now. */
async function stop(home: string): Promise<boolean> {
  const client = await connect({ home }).catch(() => null)
  if (client === null) return false
  try {
    await client.call('node.stop', {})
    return true
  } catch {
    return false
  } finally {
    client.close()
  }
}
