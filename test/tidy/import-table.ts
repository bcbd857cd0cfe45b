/**
 * Which room may import which, as data. A room is a folder of src/; `core/*` and `adapters/*` are rooms each. A room not
 * listed here does not exist. Within its own room a file imports what it likes.
 */
const CORE = {
  'core/base': [],
  'core/codec': ['core/base'],
  'core/identity': ['core/base', 'core/codec'],
  'core/envelope': ['core/base', 'core/codec', 'core/identity'],
  // Wasm in, wasm out: knows nothing of what policies decide.
  'core/metering': ['core/base', 'core/codec'],
  'core/merkle': ['core/base', 'core/codec'],
  'core/checkpoint': ['core/base', 'core/codec', 'core/identity', 'core/merkle'],
  'core/ledger': ['core/base', 'core/codec', 'core/merkle'],
  'core/policy': ['core/base', 'core/codec', 'core/envelope'],
  'core/plan': ['core/base', 'core/codec', 'core/envelope'],
  // Knows nothing of NEEDs: consensus over opaque bytes.
  'core/raft': ['core/base'],
  'core/roster': ['core/base', 'core/codec', 'core/identity', 'core/envelope', 'core/merkle'],
  // The log of ended threads: what may be checkpointed, and how others judge it.
  'core/history': [
    'core/base',
    'core/codec',
    'core/identity',
    'core/envelope',
    'core/merkle',
    'core/checkpoint',
    'core/roster',
    'core/need'
  ],
  'core/need': [
    'core/base',
    'core/codec',
    'core/identity',
    'core/envelope',
    'core/ledger',
    'core/policy',
    'core/plan',
    'core/roster'
  ],
  'core/swarm': [
    'core/base',
    'core/codec',
    'core/identity',
    'core/envelope',
    'core/ledger',
    'core/policy',
    'core/plan',
    'core/raft',
    'core/roster',
    'core/need'
  ]
} as const

const ANY_CORE = Object.keys(CORE)
/** An adapter wraps one outside thing for one port; it knows neither another adapter nor the runtime. */
const ADAPTER = [...ANY_CORE, 'ports']
const ANY_ADAPTER = [
  'automerge',
  'ed25519',
  'helia',
  'keystore',
  'level',
  'libp2p',
  'memory',
  'opa',
  'pino',
  'sealed',
  'sha256',
  'system',
  'wal'
].map(name => `adapters/${name}`)

export const IMPORT_TABLE: Readonly<Record<string, readonly string[]>> = {
  ...CORE,
  ports: ANY_CORE,
  runtime: [...ANY_CORE, 'ports'],
  ...Object.fromEntries(ANY_ADAPTER.map(room => [room, ADAPTER])),
  config: ['core/base'],
  rpc: [...ANY_CORE, 'ports', 'config'],
  agents: [...ANY_CORE, 'rpc', 'config'],
  simulator: [
    ...ANY_CORE,
    'ports',
    'runtime',
    'replay',
    'adapters/ed25519',
    'adapters/memory',
    'adapters/sha256'
  ],
  // Verifies and evaluates on a machine that runs no node: the same verifier and policy engine, nothing else of the shell.
  replay: [
    ...ANY_CORE,
    'ports',
    'runtime',
    'policy',
    'adapters/ed25519',
    'adapters/opa',
    'adapters/sha256'
  ],
  // Checkpoints of ended threads: the log on disk, witnesses, and a newcomer's way to what others know.
  history: [...ANY_CORE, 'ports'],
  // Policies are made, tested and explained on a machine that runs no node.
  policy: [...ANY_CORE, 'ports', 'adapters/opa'],
  node: [
    ...ANY_CORE,
    'ports',
    'runtime',
    'config',
    'rpc',
    'agents',
    'replay',
    'policy',
    'history',
    ...ANY_ADAPTER
  ],
  testnet: [...ANY_CORE, 'config', 'rpc', 'agents', 'node', 'replay'],
  cli: [
    ...ANY_CORE,
    'ports',
    'config',
    'rpc',
    'agents',
    'node',
    'policy',
    'replay',
    'simulator',
    'testnet'
  ]
}

/** Rooms whose files may be imported for their types only: what they hold at run time is not for that room. */
export const TYPES_ONLY: readonly { readonly room: string; readonly of: string }[] = [
  // A command that only asks the node must not load its state machine first.
  { room: 'cli', of: 'core/swarm' },
  { room: 'rpc', of: 'core/swarm' },
  { room: 'cli', of: 'ports' },
  { room: 'rpc', of: 'ports' }
]

/** npm packages of the core, by room. What is not listed is not allowed there. */
export const CORE_PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'core/base': ['uint8arrays'],
  'core/codec': ['@ipld/dag-cbor', '@noble/hashes', 'multiformats', 'cborg'],
  'core/identity': ['@noble/ed25519', '@noble/hashes', 'multiformats'],
  'core/envelope': ['multiformats', 'valibot'],
  // Certificate files and evidence come from strangers: their shapes are schemas, as those of envelopes are.
  'core/roster': ['valibot'],
  'core/checkpoint': ['valibot'],
  'core/history': ['valibot']
}

/** Packages that belong to one concern: only these rooms may import them. */
export const OWNED_PACKAGES: Readonly<Record<string, readonly string[]>> = {
  '@automerge/automerge': ['adapters/automerge'],
  '@chainsafe/libp2p-gossipsub': ['adapters/libp2p'],
  'blockstore-fs': ['adapters/helia'],
  'cli-progress': ['cli'],
  'cli-table3': ['cli'],
  commander: ['cli'],
  helia: ['adapters/helia'],
  libp2p: ['adapters/libp2p'],
  pino: ['adapters/pino']
}
