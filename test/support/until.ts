/** Below the time of a test, so that a failure says what did not come; far above what it takes on a machine with other work. */
const WITHIN_MS = 25_000

/** Waits for a condition of the outside world, looking often. Rejects with what was waited for when it does not come. */
export async function until(
  what: string,
  condition: () => boolean,
  options: { readonly withinMs?: number } = {}
): Promise<void> {
  const deadline = performance.now() + (options.withinMs ?? WITHIN_MS)
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`this did not happen in time: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}
