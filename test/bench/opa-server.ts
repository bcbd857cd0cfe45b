import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { createServer } from 'node:net'
import { OPA_VERSION } from '../../src/policy/index.ts'

const START_MS_MAX = 20_000
const POLL_MS = 50

/** OPA's own server over loopback, with the sources of the base capsule: what it would cost to ask it instead. */
export class OpaServer {
  readonly #child: ChildProcess
  readonly #port: number
  /** One connection that stays, as a client that asks all the time would have. */
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.#port = port
  }

  /** Null when `opa` is not on the PATH; says how to get it. */
  static async start(folder: string): Promise<OpaServer | null> {
    const port = await freePort()
    const ignored = ['--ignore', '*_test.rego', '--ignore', '*.json']
    const listen = ['--addr', `127.0.0.1:${port}`, '--skip-version-check']
    const argv = ['run', '--server', ...listen, ...ignored, folder]
    const child = spawn('opa', argv, { stdio: 'ignore' })
    const failed = once(child, 'error').then(() => false)
    const server = new OpaServer(child, port)
    if (await Promise.race([server.#ready(), failed])) return server
    console.error(
      `opa is not on the PATH, so its server is not measured: go install github.com/open-policy-agent/opa@${OPA_VERSION}`
    )
    return null
  }

  /** The answer to a question as JSON text. */
  ask(path: string, input: string): Promise<string> {
    return this.#send('POST', `/v1/data/${path}`, `{"input":${input}}`)
  }

  async stop(): Promise<void> {
    this.#agent.destroy()
    const exited = once(this.#child, 'exit')
    this.#child.kill()
    await exited
  }

  async #ready(): Promise<boolean> {
    const endsAt = performance.now() + START_MS_MAX
    for (;;) {
      if (await this.#send('GET', '/health', '').catch(() => null)) return true
      if (this.#child.exitCode !== null || performance.now() > endsAt)
        throw new RangeError('opa run --server did not start')
      await new Promise(resolve => setTimeout(resolve, POLL_MS))
    }
  }

  #send(method: string, path: string, body: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const options = { host: '127.0.0.1', port: this.#port, agent: this.#agent, method, path }
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body)
    }
    const sent = request({ ...options, headers }, response => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', chunk => {
        text += chunk
      })
      response.on('end', () => resolve(text))
      response.on('error', reject)
    })
    sent.on('error', reject)
    sent.end(body)
    return promise
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return port
}
