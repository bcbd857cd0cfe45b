/** The logger port on pino: JSON lines for machines, short lines for people, always on stderr. */
export { type PinoLoggerInit, pinoLogger } from './pino-logger.ts'
