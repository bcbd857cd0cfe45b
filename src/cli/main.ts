/** Entry of the program: bin/can-swarm.js imports it. */
import { processIo } from './io.ts'
import { runCli } from './run-cli.ts'

const io = processIo()
// `can-swarm cat CID | head` closes the pipe early; that is the reader's right and no failure.
process.stdout.on('error', error =>
  process.exit((error as NodeJS.ErrnoException).code === 'EPIPE' ? 0 : 1)
)
runCli(process.argv.slice(2), io).then(
  code => {
    process.exitCode = code
  },
  error => {
    console.error(error)
    process.exit(1)
  }
)
