/**
 * What the operating system gives: time, randomness, and the lock of a home.
 */
export { type HomeLock, HomeLockedError, HomeLockFailedError, homeLock } from './home-lock.ts'
export { systemClock } from './system-clock.ts'
export { systemEntropy } from './system-entropy.ts'
