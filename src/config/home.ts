import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Environment } from './environment.ts'
import type { FlagsFor } from './flag.ts'

/** Where a node keeps its key, journal, artifacts and socket. One node per home. */
export type HomeConfig = { readonly dir: string }

/** `$XDG_DATA_HOME/can-swarm`, by default `~/.local/share/can-swarm`. */
export function homeDefaults(env: Environment): HomeConfig {
  const data = env.XDG_DATA_HOME
  // The XDG specification says that a relative path is to be ignored.
  const base = data?.startsWith('/') ? data : join(homedir(), '.local', 'share')
  return { dir: join(base, 'can-swarm') }
}

export const homeFlags: FlagsFor<'home', HomeConfig> = {
  'home.dir': {
    type: 'text',
    option: 'home',
    env: 'CAN_SWARM_HOME',
    unit: 'DIR',
    help: 'Folder of the node: key, journal, artifacts, socket.',
    check: value => (value === '' ? 'must name a folder' : null)
  }
}
