import { InvalidArgumentError } from 'commander'

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
/** ms in the longest duration that a command takes: a day, the life of an envelope. */
const DURATION_MS_MAX = 24 * 3_600_000

/** `500ms`, `30s`, `2m`, `1h` as ms. A bare number would be a guess about its unit, so it is refused. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/u.exec(text)
  const ms =
    match === null
      ? Number.NaN
      : Math.round(Number(match[1]) * (UNIT_MS[match[2] as string] as number))
  if (Number.isNaN(ms))
    throw new InvalidArgumentError('Write a number and a unit, such as 500ms, 30s, 2m or 1h.')
  if (ms > DURATION_MS_MAX) throw new InvalidArgumentError('It must be at most 24h.')
  return ms
}

/** ms for people: `850 ms`, `12.3 s`, `5 min`, `3.2 h`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 120_000) return `${(ms / 1000).toFixed(1)} s`
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`
  return `${(ms / 3_600_000).toFixed(1)} h`
}

/** Bytes for people, in binary units. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}

/** Local wall time of an event with ms: `14:03:07.120`. */
export function formatTime(atMs: number): string {
  const at = new Date(atMs)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`
}
