import type { Standing } from '../envelope/index.ts'
import type { Context } from './context.ts'

/** Most tags that a standing names; the base capsule allows a manifest no more. */
const TAGS_MAX = 16

/** What this node's own manifest says of it, as its bids and findings repeat it. Null while it has published none. */
export function standingOf({ manifests, did }: Context): Standing | null {
  const own = manifests.get(did)
  if (own === undefined) return null
  const { roles, tags, zone, org, stake } = own.envelope.payload
  return { manifest: own.cid, roles, tags: tags.slice(0, TAGS_MAX), zone, org, stake }
}
