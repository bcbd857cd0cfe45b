/**
 * Every limit of the network adapter, with unit and reason. Peers are strangers: nothing that they cause is unbounded.
 */

/** Connections of one node. A laptop serves these many streams and gossip scores without noticing. */
export const CONNECTIONS_MAX = 128
/** Inbound connections accepted per second and remote host. libp2p's 5 turns away a testnet on one machine. */
export const INBOUND_CONNECTIONS_PER_SECOND = 1000
/** Inbound connections that have not finished their handshake. */
export const INBOUND_PENDING_MAX = 64
/** Peers that a node dials by itself: up to here a swarm is a full mesh, above it a random graph with this degree. */
export const PEERS_WANTED = 12
/** Peers remembered as worth dialling, besides the ones that the user named. */
export const CANDIDATES_MAX = 64
/** Dials at once. */
export const DIALS_MAX = 8
/** One dial with handshake, in ms. A LAN needs milliseconds; a dead host must not hold a place for long. */
export const DIAL_MS_MAX = 5000
/** From an open connection until the peer has said which protocols it speaks, in ms. libp2p's own limit is the same. */
export const IDENTIFY_MS_MAX = 5000
/** Attempts at a peer that was only heard of. Discovery names it again if it is alive. */
export const CANDIDATE_ATTEMPTS_MAX = 3
/** Time after which a lost peer that nobody named is given up, in ms. It comes back by itself when it lives. */
export const LOST_PEER_MS_MAX: number = 10 * 60_000
/** Delay between redials, in ms: a tenth of the outage so far within these bounds, jittered by a quarter. */
export const REDIAL_MS_MIN = 200
export const REDIAL_MS_MAX = 15_000
/** Addresses that a peer store entry keeps without a sign of life, in ms: a laptop may sleep for a week. */
export const PEER_AGE_MS_MAX: number = 7 * 24 * 3600_000

/** Delays of the lookups for more peers after something changed, in ms; the last one repeats while peers are wanted. */
export const LOOKUP_DELAYS_MS: readonly number[] = [50, 300, 800, 2000, 5000, 30_000]
/** One lookup for peers, in ms. */
export const LOOKUP_MS_MAX = 5000
/**
 * Delays of the announcements of a voter, in ms; the last one repeats. Who keeps them changes as a swarm grows, and nodes forget those that
 * are two days old.
 */
export const VOTER_DELAYS_MS: readonly number[] = [1000, 5000, 30_000, 600_000]
/** Least time between two lookups for voters, in ms. */
export const VOTERS_LOOKUP_MS_MIN = 2000
/** Voters dialled after one lookup: a roster and some to spare. */
export const VOTERS_DIALED_MAX = 16
/** Peers up to which voters are dialled although PEERS_WANTED are there: half of the connections, so that others still find a place. */
export const PEERS_SOUGHT_MAX = 64

/** Bytes of one gossip RPC, which may carry many envelopes when a peer catches up. */
export const GOSSIP_RPC_BYTES_MAX: number = 2 * 1024 * 1024
/** Bytes that wait for one slow gossip peer before messages to it are dropped. */
export const GOSSIP_BUFFER_BYTES_MAX: number = 16 * 1024 * 1024
/** Time for which a message id counts as seen, in ms. The door's replay window is longer; this only saves work. */
export const GOSSIP_SEEN_MS = 120_000
/** Messages or ids in one gossip RPC. */
export const GOSSIP_ITEMS_MAX = 5000
/**
 * Time for which an accepted message is not forwarded where everybody is probably a neighbour of its author, in ms: they have it from there, and say so
 * meanwhile. Above what a busy node takes to say it; a swarm that is not the full mesh it could be waits so long for each further hop.
 */
export const FORWARD_MS = 100
/** How long words that a message need not be forwarded (IDONTWANT) wait to leave together, in ms: half of what forwards wait for them. */
export const WORD_MS = 50
/** Bytes of a frame with such words and nothing else: its length takes one byte. */
export const WORD_BYTES_MAX = 127
/** Bytes of such words that wait for one neighbour. */
export const WORDS_BYTES_MAX = 4096
/** Gossip streams per connection and direction: one, plus the one that replaces it. */
export const GOSSIP_STREAMS_MAX = 4
/** Time that a connected peer may be without a gossip stream or an identity before it is redialled, in ms. */
export const MUTE_MS_MAX = 6000
/** How often that is checked, in ms. */
export const WATCH_INTERVAL_MS = 2000
/** Least time between two resets of one peer's connections, in ms; doubles each time up to the second figure. */
export const RESET_MS_MIN = 30_000
export const RESET_MS_MAX = 600_000

/** Messages and bytes that wait for one peer; the newest is dropped above either. */
export const QUEUE_MESSAGES_MAX = 1024
export const QUEUE_BYTES_MAX: number = 8 * 1024 * 1024
/** Peers with a queue of their own. Queues of peers that are neither connected nor in use leave first. */
export const QUEUES_MAX = 512
/** Bytes of small messages that are written at once. */
export const BATCH_BYTES_MAX: number = 64 * 1024
/** Time in which a peer must take what was written, in ms. */
export const DRAIN_MS_MAX = 15_000
/** Time for which messages to a peer that could not be reached are dropped without a new dial, in ms. */
export const UNREACHABLE_MS = 500
/**
 * Frames of one connection that are encrypted and written at once, in bytes: most of what a turn of the event loop brings,
 * and within one message of the encryption (65 519 bytes). Larger writes pay for themselves.
 */
export const GATHERED_BYTES_MAX: number = 32 * 1024
/** Bytes of a stream that were read before its sender is told, of the 256 KiB that it may have on their way at least. */
export const WINDOW_UPDATE_BYTES: number = 64 * 1024
/** Streams of one connection that a window update waits for. */
export const WINDOW_UPDATES_MAX = 64
/** Direct streams per connection and direction: one, plus ones that replace a broken one. */
export const DIRECT_STREAMS_MAX = 4

/** One ping, in ms. */
export const PING_MS_MAX = 5000
/** Ping streams per connection and direction: one for each part that pings, and some to spare. */
export const PING_STREAMS_MAX = 8
/** The whole of `stop`, in ms. Connections that do not close in time are cut. */
export const STOP_MS_MAX = 2000

/** Bytes of one frame of plan sync: a thread's id and a sync message of 1 MiB. */
export const FRAME_BYTES_MAX: number = 1024 * 1024 + 64
/** Time in which a peer must have answered a frame, in ms. The envelopes of the one before may have to wait for their author's rate. */
export const FRAME_MS_MAX = 60_000
/** Plan streams per connection and direction: one, plus the one that replaces it. */
export const PLAN_STREAMS_MAX = 2
/** Time for which a peer that lied in plan sync is not spoken to there, in ms. Thread sync goes on. */
export const BANNED_MS: number = 10 * 60_000
/** Such peers that are remembered. */
export const BANNED_MAX = 4096

/** Questions of one peer that are answered at once, and streams of the exchange per connection and direction. */
export const QUESTIONS_PER_PEER_MAX = 4
/** Questions of all peers that are answered at once: each may read a part of the log from disk. */
export const QUESTIONS_MAX = 32
/** Time for a question and its answer, in ms. A witness reads what is new in a log before it answers. */
export const QUESTION_MS_MAX = 30_000
