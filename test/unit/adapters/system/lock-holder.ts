// A process for home-lock.spec.ts: takes the lock, says so, and waits to be killed.
import { homeLock } from '../../../../src/adapters/system/index.ts'

homeLock(process.argv[2] ?? '')
process.send?.('locked')
setInterval(() => {}, 1000)
