/** A cluster of etcd on this machine, and put-if-absent transactions on it: what a user would run instead of a swarm. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

export const HOW_TO_GET_ETCD = `etcd was not found, so it was not measured. Put it on the PATH, or name it in ETCD=/path/to/etcd. To get it:
  apt-get install etcd-server      (Debian, Ubuntu)
or with Go:
  mkdir etcd && cd etcd && go mod init etcd-for-bench && go get go.etcd.io/etcd/server/v3@v3.5.17 && go build -o etcd go.etcd.io/etcd/server/v3`

const MEMBERS = 3
const START_TIMEOUT_MS = 20_000
/** Connections to each member: enough for all transactions in flight not to queue in the client. */
const SOCKETS_PER_MEMBER = 350

/** The program, or null when there is none on this machine. */
export function findEtcd(): string | null {
  const path = process.env['ETCD'] ?? 'etcd'
  try {
    execFileSync(path, ['--version'], { stdio: 'ignore' })
    return path
  } catch {
    return null
  }
}

type Member = { readonly child: ChildProcess; readonly port: number }

export class EtcdCluster {
  readonly #members: readonly Member[]
  readonly #agent = new Agent({ keepAlive: true, maxSockets: SOCKETS_PER_MEMBER })
  #puts = 0

  private constructor(members: readonly Member[]) {
    this.#members = members
  }

  /** Starts three members with their data below `dir`. fsync stays on, which is etcd's default. */
  static async start(program: string, dir: string): Promise<EtcdCluster> {
    const ports = await freePorts(2 * MEMBERS)
    const peers = ports.slice(MEMBERS).map((port, index) => `m${index}=http://127.0.0.1:${port}`)
    const members = ports.slice(0, MEMBERS).map((port, index) => {
      const client = `http://127.0.0.1:${port}`
      const peer = `http://127.0.0.1:${ports[MEMBERS + index]}`
      const log = openSync(join(dir, `m${index}.log`), 'a')
      const child = spawn(
        program,
        [
          ['--name', `m${index}`],
          ['--data-dir', join(dir, `m${index}`)],
          ['--listen-client-urls', client],
          ['--advertise-client-urls', client],
          ['--listen-peer-urls', peer],
          ['--initial-advertise-peer-urls', peer],
          ['--initial-cluster', peers.join()],
          ['--log-level', 'error']
        ].flat(),
        { stdio: ['ignore', log, log] }
      )
      closeSync(log)
      return { child, port }
    })
    const cluster = new EtcdCluster(members)
    try {
      await cluster.#ready()
      return cluster
    } catch (error) {
      await cluster.stop()
      throw error
    }
  }

  async stop(): Promise<void> {
    this.#agent.destroy()
    await Promise.all(
      this.#members.map(async ({ child }) => {
        if (child.exitCode !== null || child.signalCode !== null) return
        const exited = new Promise(resolve => child.once('exit', resolve))
        child.kill('SIGKILL')
        await exited
      })
    )
  }

  /** Puts a key that is not there yet, in one transaction. Resolves with ms from asking to knowing. */
  async putIfAbsent(): Promise<number> {
    this.#puts += 1
    const key = base64(`need-${this.#puts}`)
    const { port } = this.#members[this.#puts % MEMBERS] as Member
    const start = performance.now()
    const answer = await this.#post(port, '/v3/kv/txn', {
      compare: [{ key, target: 'CREATE', result: 'EQUAL', create_revision: '0' }],
      success: [{ request_put: { key, value: base64(`proposal-${this.#puts}`) } }]
    })
    if (answer['succeeded'] !== true) throw new Error(`etcd refused: ${JSON.stringify(answer)}`)
    return performance.now() - start
  }

  async #ready(): Promise<void> {
    const deadline = performance.now() + START_TIMEOUT_MS
    for (;;) {
      try {
        for (let put = 0; put < MEMBERS; put += 1) await this.putIfAbsent()
        return
      } catch (error) {
        const ended = this.#members.some(({ child }) => child.exitCode !== null)
        if (ended || performance.now() > deadline)
          throw new Error('the etcd cluster did not start', { cause: error })
        await delay(50)
      }
    }
  }

  #post(port: number, path: string, body: object): Promise<Record<string, unknown>> {
    const text = JSON.stringify(body)
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': text.length }
      const asked = request(
        { host: '127.0.0.1', port, path, method: 'POST', agent: this.#agent, headers },
        response => {
          let answer = ''
          response.setEncoding('utf8')
          response.on('data', chunk => {
            answer += chunk
          })
          response.on('end', () => resolve(JSON.parse(answer)))
          response.on('error', reject)
        }
      )
      asked.on('error', reject)
      asked.end(text)
    })
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

/** Ports that nobody used a moment ago; all held at once, so that they differ. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer()
      await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
      return server
    })
  )
  const ports = servers.map(server => (server.address() as { port: number }).port)
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
  return ports
}
