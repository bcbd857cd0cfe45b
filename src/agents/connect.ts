import { defaultConfig, type Environment, socketPath } from '../config/index.ts'
import { connect as connectSocket, type SwarmClient } from '../rpc/index.ts'

export type ConnectInit = {
  /** Home of the node. Default: `CAN_SWARM_HOME`, then the default home. */
  readonly home?: string
  /** Path of its socket, when it is not the one that belongs to the home. */
  readonly socket?: string
}

/** Connects to the node that runs on this machine. Rejects with NODE_NOT_RUNNING when there is none. */
export function connect(init: ConnectInit = {}): Promise<SwarmClient> {
  const env: Environment = process.env
  const home = init.home ?? (env.CAN_SWARM_HOME || defaultConfig(env).home.dir)
  return connectSocket(init.socket ?? socketPath(home))
}
