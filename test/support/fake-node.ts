import { join } from 'node:path'
import { type Handlers, type RpcServer, rpcServer } from '../../src/rpc/index.ts'
import { type CliInit, type CliResult, runCommand } from './cli-runner.ts'
import { FakeEvents, fakeHandlers } from './fake-handlers.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** A node that is only its control socket, for the tests of one `describe`; call inside it. */
export function fakeNode(): {
  readonly home: string
  readonly events: FakeEvents
  serve(handlers: Partial<Handlers>): Promise<RpcServer>
  /** Runs a command against this home. */
  run(argv: readonly string[], init?: CliInit): Promise<CliResult>
} {
  const folder = temporaryFolder()
  const events = new FakeEvents()
  let server: RpcServer | null = null
  afterEach(async () => {
    await server?.stop()
    server = null
  })
  return {
    get home() {
      return folder.path
    },
    events,
    async serve(handlers) {
      const all = fakeHandlers({
        'events.subscribe': (_params, context) => events.subscribe(context),
        ...handlers
      })
      server = rpcServer({ socketPath: join(folder.path, 'node.sock'), handlers: all })
      await server.start()
      return server
    },
    run(argv, init = {}) {
      const env = { CAN_SWARM_HOME: folder.path, ...init.env }
      return runCommand(argv, { cwd: folder.path, ...init, env })
    }
  }
}
