/** Entry of the program: bin/can-swarm.js imports it. */
import { processIo } from './io.ts'
import { runCli } from './run-cli.ts'

/** How long a finished command may linger for its last output, in ms. */
const LINGER_MS = 2_000

const io = processIo()
// `can-swarm cat CID | head` closes the pipe early; that is the reader's right and no failure.
process.stdout.on('error', error =>
  process.exit((error as NodeJS.ErrnoException).code === 'EPIPE' ? 0 : 1)
)
runCli(process.argv.slice(2), io).then(
  code => {
    process.exitCode = code
    // The command is done. What a library left open (a socket after a failed stop) must not keep the process, once a slow
    // reader has the last of the output; the timer itself does not keep it.
    setInterval(() => process.stdout.writableLength === 0 && process.exit(), LINGER_MS).unref()
  },
  error => {
    console.error(error)
    process.exit(1)
  }
)
