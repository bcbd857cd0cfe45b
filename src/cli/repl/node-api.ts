import { isUtf8 } from 'node:buffer'
import type { Method, MethodResult, NeedRequest, Params } from '../../rpc/index.ts'
import { resolvePeer, resolveThread } from '../ids.ts'
import { checkInput } from '../input-file.ts'
import type { Session } from '../session.ts'

/** What `node` is in the console. Everything returns a promise; ids may be parts of ids. */
export type NodeApi = ReturnType<typeof nodeApi>

/** Methods of the running node under short names. */
export function nodeApi(session: Session) {
  const call = <M extends Method>(method: M, params: Params<M>): Promise<MethodResult<M>> =>
    session.call(method, params, { long: true })
  return {
    id: () => call('node.id', {}),
    status: () => call('node.status', {}),
    doctor: () => call('node.doctor', {}),
    stop: () => call('node.stop', {}),
    peers: () => call('peers.list', {}),
    join: (address: string) => call('peers.join', { address }),
    ping: async (did: string) => call('peers.ping', { did: await resolvePeer(session, did) }),
    threads: () => call('threads.list', {}),
    thread: async (id: string) => call('thread.get', { thread: await resolveThread(session, id) }),
    plan: async (id: string) => call('plan.get', { thread: await resolveThread(session, id) }),
    evidence: () => call('evidence.list', {}),
    /** `input` is a path of this machine and may stand for inputPath. */
    need: ({ input, ...request }: NeedRequest & { input?: string }) =>
      call(
        'need.state',
        input === undefined ? request : { ...request, inputPath: session.path(input) }
      ),
    /** A new epoch for an own NEED. */
    reform: async (id: string) => call('need.reform', { thread: await resolveThread(session, id) }),
    add: async (path: string) => {
      const full = session.path(path)
      await checkInput(full)
      return call('artifacts.add', { path: full, pin: true })
    },
    /** Text where the bytes are UTF-8, otherwise the bytes. */
    cat: (cid: string) => readArtifact(session, cid),
    get: (cid: string, path: string) => call('artifacts.get', { cid, path: session.path(path) }),
    pins: () => call('pins.ls', {}),
    pin: (cid: string, name = '') => call('pins.add', { cid, name }),
    unpin: (cid: string) => call('pins.rm', { cid }),
    gc: () => call('gc.run', {}),
    /** Any method: see docs/rpc.md. */
    call
  }
}

async function readArtifact(session: Session, cid: string): Promise<string | Uint8Array> {
  const chunks: Buffer[] = []
  await session.call(
    'artifacts.cat',
    { cid },
    {
      long: true,
      onProgress: data =>
        void chunks.push(Buffer.from((data as { base64: string }).base64, 'base64'))
    }
  )
  const bytes = Buffer.concat(chunks)
  return isUtf8(bytes) ? bytes.toString('utf8') : new Uint8Array(bytes)
}
