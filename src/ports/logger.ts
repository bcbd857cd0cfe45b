/** Structured log. Nothing from the network verbatim at `info` or above; no secrets. */
export interface Logger {
  error(message: string, details?: Readonly<Record<string, unknown>>): void
  warn(message: string, details?: Readonly<Record<string, unknown>>): void
  info(message: string, details?: Readonly<Record<string, unknown>>): void
  debug(message: string, details?: Readonly<Record<string, unknown>>): void
}
