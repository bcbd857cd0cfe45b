import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { formatBytes } from './duration.ts'
import type { Session } from './session.ts'

export type Bar = {
  /** `all`: bytes in all, where they turn out to be others than those of the path. */
  readonly update: (bytes: number, all?: number) => void
  readonly stop: () => void
}

const NO_BAR: Bar = { update: () => {}, stop: () => {} }

/** A bar of bytes on stderr, where there is a person to see it. `path`: what is being read, for the total. */
export async function progressBar(session: Session, path: string | null): Promise<Bar> {
  const { json, quiet } = session.out.options
  if (json || quiet || session.io.stderr.isTTY !== true) return NO_BAR
  const total = path === null ? 0 : await sizeOf(path)
  const { default: progress } = await import('cli-progress')
  const bar = new progress.SingleBar({
    stream: session.io.stderr as NodeJS.WriteStream,
    format: total > 0 ? '{bar} {percentage} % | {done} of {all}' : '{done}',
    barsize: 30,
    hideCursor: true,
    clearOnComplete: true,
    fps: 10
  })
  bar.start(total, 0, { done: formatBytes(0), all: formatBytes(total) })
  return {
    update: (bytes, all) => {
      if (all !== undefined) bar.setTotal(all)
      const shown = all === undefined ? {} : { all: formatBytes(all) }
      bar.update(bytes, { done: formatBytes(bytes), ...shown })
    },
    stop: () => bar.stop()
  }
}

export type CountBar = {
  /** `all`: how many there are, where that is learnt on the way. */
  readonly update: (done: number, note: string, all?: number) => void
  readonly stop: () => void
}

/** A bar of things that are counted, on stderr, where there is a person to see it. */
export async function countBar(session: Session, total: number): Promise<CountBar> {
  const { json, quiet } = session.out.options
  if (json || quiet || session.io.stderr.isTTY !== true) return { update: () => {}, stop: () => {} }
  const { default: progress } = await import('cli-progress')
  const bar = new progress.SingleBar({
    stream: session.io.stderr as NodeJS.WriteStream,
    format: '{bar} {value} of {total} | {eta_formatted} {note}',
    barsize: 30,
    hideCursor: true,
    clearOnComplete: true,
    fps: 10
  })
  bar.start(total, 0, { note: '' })
  return {
    update: (done, note, all) => {
      if (all !== undefined) bar.setTotal(all)
      bar.update(done, { note })
    },
    stop: () => bar.stop()
  }
}

async function sizeOf(path: string): Promise<number> {
  const stats = await stat(path)
  if (!stats.isDirectory()) return stats.size
  let total = 0
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) total += (await stat(join(entry.parentPath, entry.name))).size
  return total
}
