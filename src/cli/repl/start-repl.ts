import { join } from 'node:path'
import { type REPLServer, start } from 'node:repl'
import { SwarmError } from '../../core/base/index.ts'
import type { Session } from '../session.ts'
import { VERSION } from '../version.ts'
import { nodeApi } from './node-api.ts'

/** File in the home that keeps what was typed, mode 0600. */
const HISTORY_FILE = 'repl-history'

export type ReplOptions = {
  /** With line editing, completion and history. */
  readonly terminal: boolean
}

/** Runs the console until its user leaves. Ctrl-C belongs to the line that is being typed. */
export async function startRepl(session: Session, options: ReplOptions): Promise<void> {
  const server = await openRepl(session, options)
  await new Promise<void>(resolve => server.once('exit', resolve))
}

/** Greets, and gives a console that takes lines. */
export async function openRepl(session: Session, options: ReplOptions): Promise<REPLServer> {
  const node = nodeApi(session)
  const [{ did }, peers] = await Promise.all([node.id(), node.peers()])
  session.out.line(`can-swarm ${VERSION}, ${did}, ${peers.length} peer(s)`)
  session.out.line('node.peers()  node.threads()  node.thread(id)  node.need({...})  .help  .exit')
  const server = start({
    prompt: 'can-swarm> ',
    input: session.io.stdin,
    output: session.io.stdout,
    terminal: options.terminal,
    useGlobal: false,
    ignoreUndefined: true,
    // Previews evaluate what is being typed: here they would call the node.
    preview: false
  })
  const fill = (): void =>
    void Object.defineProperty(server.context, 'node', { value: node, enumerable: true })
  fill()
  server.on('reset', fill)
  awaitResults(server)
  shortenFailures(server)
  completeNode(server, Object.keys(node))
  addCommands(server, node)
  if (options.terminal)
    await keepHistory(server, join(session.load().config.home.dir, HISTORY_FILE))
  return server
}

/** A promise as a result is awaited, as in the consoles of other nodes: `node.peers()` shows peers. */
function awaitResults(server: REPLServer): void {
  const { eval: evaluate } = server
  const awaiting: typeof evaluate = function (this: REPLServer, code, context, file, done) {
    evaluate.call(this, code, context, file, (error, value) => {
      if (error !== null || !isThenable(value)) return done(error, value)
      value.then(
        result => done(null, result),
        failure =>
          done(failure instanceof Error ? failure : new TypeError(String(failure)), undefined)
      )
    })
  }
  Object.assign(server, { eval: awaiting })
}

/** Completes `node.` anywhere in a line: node:repl gives up where an `await` stands before it. */
function completeNode(server: REPLServer, names: readonly string[]): void {
  const complete = server.completer as unknown as Completer
  const withNode: Completer = (line, done) => {
    const typed = /(?:^|[^\w.])(node\.\w*)$/u.exec(line)?.[1]
    if (typed === undefined) complete.call(server, line, done)
    else
      done(null, [names.map(name => `node.${name}`).filter(name => name.startsWith(typed)), typed])
  }
  Object.assign(server, { completer: withNode })
}

type Completer = (
  line: string,
  done: (error: Error | null, result: [string[], string]) => void
) => void

/** A failure of the node is for reading, in one line: its message and code, no stack and no fields. */
function shortenFailures(server: REPLServer): void {
  const { writer } = server
  const brief = (value: unknown): string =>
    value instanceof SwarmError ? `${value.message} [${value.code}]` : writer.call(server, value)
  Object.assign(server, { writer: brief })
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'then' in value &&
    typeof value.then === 'function'
  )
}

function addCommands(server: REPLServer, node: ReturnType<typeof nodeApi>): void {
  const show = (name: string, help: string, read: () => Promise<readonly object[]>): void =>
    server.defineCommand(name, {
      help,
      action() {
        read()
          .then(rows => writeRows(server, rows))
          .catch(error => server.output.write(`${(error as Error).message}\n`))
          .finally(() => server.displayPrompt())
      }
    })
  show('peers', 'Connected peers', async () =>
    (await node.peers()).map(({ did, rttMs, direction, inMesh }) => ({
      did,
      rttMs,
      direction,
      inMesh
    }))
  )
  show('threads', 'Known threads', async () =>
    (await node.threads()).map(({ thread, phase, task, reason, void: voided }) => ({
      thread,
      phase: voided === null ? phase : `${phase} VOID`,
      task,
      reason: voided?.reason ?? reason
    }))
  )
}

function writeRows(server: REPLServer, rows: readonly object[]): void {
  for (const row of rows) server.output.write(`${Object.values(row).join('  ')}\n`)
  if (rows.length === 0) server.output.write('none\n')
}

function keepHistory(server: REPLServer, file: string): Promise<void> {
  return new Promise(resolve => {
    server.setupHistory(file, error => {
      // A console without history is still a console.
      if (error !== null) server.output.write(`history is off: ${error.message}\n`)
      resolve()
    })
  })
}
