/** How long the event loop of this thread stands still while something else goes on. */

/** Time between two looks, in ms. */
const LOOK_MS = 2

/**
 * The most CPU time, in ms, that this thread spent between two looks: what a callback keeps the loop from going on. Unlike time on the clock
 * it does not grow when other processes want the machine.
 */
export async function standstillOf(work: () => Promise<unknown>): Promise<number> {
  let most = 0
  let last = process.threadCpuUsage()
  const look = (): void => {
    const { user, system } = process.threadCpuUsage(last)
    most = Math.max(most, (user + system) / 1000)
    last = process.threadCpuUsage()
  }
  const timer = setInterval(look, LOOK_MS)
  try {
    await work()
    look()
  } finally {
    clearInterval(timer)
  }
  return Math.round(most)
}
