import type { Payload } from '../core/envelope/index.ts'
import { RefusedError } from '../rpc/index.ts'
import { draftOf } from './drafts.ts'
import type { NodeParts } from './node-parts.ts'
import { KEM_TAG } from './second-key.ts'

type Role = Payload<'MANIFEST'>['roles'][number]

/** How often the manifest is said anew, in ms: well within the life of an envelope. */
const RENEW_MS = 6 * 3600 * 1000

/** What this node offers: its own roles and what its agents announced. Every node is a requester and a voter. */
export class ManifestKeeper {
  readonly #parts: NodeParts
  readonly #capabilities = new Set<string>()
  readonly #roles = new Set<Role>(['requester', 'voter'])
  #published: string | null = null
  #timer: NodeJS.Timeout | null = null

  constructor(parts: NodeParts) {
    this.#parts = parts
    const { work, verify } = parts.config.agents
    for (const capability of [...work, ...verify]) this.#capabilities.add(capability)
    if (work.length > 0) this.#roles.add('worker')
    if (verify.length > 0) this.#roles.add('verifier')
  }

  async start(): Promise<void> {
    const { kemKey, artifacts, network } = this.#parts
    // Whoever seals a file to this node fetches it by the CID in the manifest.
    if (kemKey !== null) {
      await artifacts.putBlock(kemKey.cid, kemKey.bytes)
      await artifacts.pin(kemKey.cid, 'key: ml-kem-768')
    }
    await this.#publish()
    if (this.#roles.has('voter')) network.announceVoter()
    this.#timer = setInterval(() => {
      this.#publish().catch((error: unknown) =>
        this.#parts.logger.warn('the manifest could not be renewed', { error: String(error) })
      )
    }, RENEW_MS)
    this.#timer.unref()
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
  }

  /** Adds what an agent can do; publishes only when that is news. Returns the manifest's id. */
  async announce(capabilities: readonly string[], roles: readonly Role[]): Promise<string> {
    const before = this.#capabilities.size + this.#roles.size
    for (const capability of capabilities) this.#capabilities.add(capability)
    for (const role of roles) this.#roles.add(role)
    const isNews = this.#capabilities.size + this.#roles.size > before
    return isNews || this.#published === null ? this.#publish() : this.#published
  }

  /** Names of hosted and announced capabilities. */
  capabilities(): string[] {
    return [...this.#capabilities].sort()
  }

  async #publish(): Promise<string> {
    const { org, zone, tags } = this.#parts.config.agents
    const { kemKey } = this.#parts
    const payload: Payload<'MANIFEST'> = {
      capabilities: this.capabilities(),
      roles: [...this.#roles].sort(),
      tags: [...tags, ...(kemKey === null ? [] : [`${KEM_TAG}${kemKey.cid}`])],
      zone,
      org,
      price: 1n,
      stake: 0n,
      agent: 'can-swarm'
    }
    const result = await this.#parts.driver.command({
      type: 'announce',
      draft: draftOf('MANIFEST', null, payload)
    })
    if (!result.ok) throw new RefusedError(result.refusal)
    this.#published = (result.value as { envelope: string }).envelope
    return this.#published
  }
}
