import type { Stream, StreamMessageEvent } from '@libp2p/interface'
import { decode } from 'it-length-prefixed'
import type { Uint8ArrayList } from 'uint8arraylist'
import { FRAME_BYTES_MAX } from './limits.ts'

/**
 * The frames of a stream, each when it is asked for. Between two of them the stream is paused: what a peer sends meanwhile waits on its own
 * side, and a peer that sends in spite of that loses the stream. (libp2p's own iterator reads on and keeps everything.)
 */
export async function* pacedFrames(stream: Stream): AsyncGenerator<Uint8Array> {
  stream.maxReadBufferLength = FRAME_BYTES_MAX
  for await (const frame of decode(pacedChunks(stream), { maxDataLength: FRAME_BYTES_MAX }))
    yield frame.subarray()
}

type Chunk = Uint8Array | Uint8ArrayList

/** What comes over a stream, as it is asked for. */
export async function* pacedChunks(stream: Stream): AsyncGenerator<Chunk> {
  const chunks: Chunk[] = []
  let isOver = false
  let wake = (): void => undefined
  const onMessage = (event: StreamMessageEvent): void => {
    chunks.push(event.data)
    if (stream.readStatus === 'readable') stream.pause()
    wake()
  }
  const onEnd = (): void => {
    isOver = true
    wake()
  }
  stream.addEventListener('message', onMessage)
  stream.addEventListener('close', onEnd)
  stream.addEventListener('remoteCloseWrite', onEnd)
  try {
    for (;;) {
      const chunk = chunks.shift()
      if (chunk !== undefined) yield chunk
      else if (isOver || stream.status !== 'open') return
      else {
        const news = new Promise<void>(resolve => {
          wake = resolve
        })
        if (stream.readStatus === 'paused') stream.resume()
        if (chunks.length === 0 && !isOver) await news
      }
    }
  } finally {
    stream.removeEventListener('message', onMessage)
    stream.removeEventListener('close', onEnd)
    stream.removeEventListener('remoteCloseWrite', onEnd)
  }
}
