import type { Logger } from '../../ports/index.ts'
import type { Dialer } from './dialer.ts'
import type { Host } from './host.ts'
import {
  LOOKUP_MS_MAX,
  VOTER_DELAYS_MS,
  VOTERS_DIALED_MAX,
  VOTERS_LOOKUP_MS_MIN
} from './limits.ts'
import type { Members } from './members.ts'
import type { Names } from './names.ts'

/** What finding voters works with. */
export type VotersInit = {
  readonly host: Host
  readonly members: Members
  readonly dialer: Dialer
  /** The key under which voters of this network say that they are there. */
  readonly key: Names['voters']
  readonly logger: Logger
}

/**
 * Voters beyond those that happen to be connected. A node that votes says so in the DHT, and one that has too few voters looks there and dials
 * some. What the DHT answers is a rumour: who votes is known by the signed manifest that a peer sends when it is connected (R8).
 */
export class Voters {
  readonly #init: VotersInit
  #signal = AbortSignal.abort()
  #isVoter = false
  /** Index into VOTER_DELAYS_MS of the next announcement. */
  #round = 0
  #timer: NodeJS.Timeout | null = null
  #soughtAt = Number.NEGATIVE_INFINITY

  constructor(init: VotersInit) {
    this.#init = init
  }

  /** Begins; until `signal` fires. */
  start(signal: AbortSignal): void {
    this.#signal = signal
    signal.addEventListener('abort', () => this.#disarm())
    this.#arm()
  }

  /** Says from now on that this node votes. */
  announce(): void {
    if (this.#isVoter) return
    this.#isVoter = true
    this.#arm()
  }

  /** Looks for voters and dials those that are not connected; not more often than every VOTERS_LOOKUP_MS_MIN. Never rejects. */
  async seek(): Promise<void> {
    const now = performance.now()
    if (this.#signal.aborted || now - this.#soughtAt < VOTERS_LOOKUP_MS_MIN) return
    this.#soughtAt = now
    await this.#quietly(this.#lookup(), 'look for voters')
  }

  async #lookup(): Promise<void> {
    const { host, members, dialer, key } = this.#init
    const found = new Map<string, Parameters<Host['peerStore']['merge']>>()
    for await (const event of host.services.dht.findProviders(key, { signal: this.#timed() })) {
      if (event.name !== 'PROVIDER') continue
      for (const { id, multiaddrs } of someOf(event.providers))
        if (members.get(id) === undefined && !id.equals(host.peerId))
          found.set(id.toString(), [id, { multiaddrs }])
    }
    for (const [id, data] of someOf([...found.values()])) {
      await host.peerStore.merge(id, data)
      dialer.seek(id)
    }
  }

  #arm(): void {
    this.#disarm()
    if (this.#signal.aborted || !this.#isVoter) return
    const delay = VOTER_DELAYS_MS[Math.min(this.#round, VOTER_DELAYS_MS.length - 1)] as number
    this.#timer = setTimeout(() => this.#say(), delay * (0.75 + Math.random() / 2))
    this.#timer.unref()
  }

  #disarm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  /** A node without peers has nobody to tell. */
  #say(): void {
    if (this.#init.members.all().length > 0) {
      this.#round++
      void this.#quietly(this.#provide(), 'announce a voter')
    }
    this.#arm()
  }

  async #provide(): Promise<void> {
    const { host, key } = this.#init
    // The query runs while its events are taken.
    for await (const _ of host.services.dht.provide(key, { signal: this.#timed() }));
  }

  #timed(): AbortSignal {
    return AbortSignal.any([this.#signal, AbortSignal.timeout(LOOKUP_MS_MAX)])
  }

  #quietly(work: Promise<void>, what: string): Promise<void> {
    return work.catch(error => this.#init.logger.debug(`cannot ${what}`, { error: String(error) }))
  }
}

/** Some at random: nobody is found by everybody, and one peer that names a thousand does not outweigh the others. */
function someOf<T>(all: readonly T[]): readonly T[] {
  const shuffled = all.map(one => ({ one, at: Math.random() })).sort((a, b) => a.at - b.at)
  return shuffled.slice(0, VOTERS_DIALED_MAX).map(({ one }) => one)
}
