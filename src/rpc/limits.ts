/** Limits of the control socket. */

/** Bytes of one line, either way. The largest is `artifacts.addBytes`: 8 MiB of input as base64 and its frame. */
export const LINE_BYTES_MAX: number = 12 * 1024 * 1024
/** Bytes of inline input: what a pipe gives; anything larger is a file and goes by path. */
export const INLINE_BYTES_MAX: number = 8 * 1024 * 1024
/** Connections at once. Each is a local program of this user. */
export const CONNECTIONS_MAX = 256
/** Requests at once on one connection. */
export const REQUESTS_PER_CONNECTION_MAX = 256
/** Bytes that wait for a reader before it is cut as too slow: minutes of events, and well within memory. */
export const OUTGOING_BYTES_MAX: number = 16 * 1024 * 1024
/** Bytes that wait before `drained` holds a streaming handler back. */
export const OUTGOING_BYTES_HIGH: number = 1024 * 1024
/** ms that a cut or stopping connection has to read its last lines. */
export const CLOSE_GRACE_MS = 1000
/** ms to find out whether somebody answers on an existing socket. */
export const LIVE_CHECK_MS = 1000
/** Events that wait in a client for their consumer. */
export const EVENTS_WAITING_MAX = 10_000
