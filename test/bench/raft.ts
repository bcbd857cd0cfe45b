/**
 * Bench `raft`: proposals a second through a group of four members in one process, without disk, network or encoding: the cost of the
 * state machine alone. `node test/bench/raft.ts` prints JSON lines.
 */
import { pathToFileURL } from 'node:url'
import { type MemberId, Raft } from '../../src/core/raft/index.ts'

export type BenchLine = {
  readonly bench: string
  readonly metric: string
  readonly value: number
  readonly unit: string
  readonly n: number
  readonly note: string
}

const MEMBERS = ['a', 'b', 'c', 'd']
/** An entry about as large as a small envelope. */
const ENTRY_BYTES = 512
const ENTRIES = 20_000
const ROUNDS = 9

/** Medians over ROUNDS runs after one for warm-up. */
export function benchRaft(): BenchLine[] {
  return [1, 64].map(batch => {
    commitAll(batch)
    const rates = Array.from({ length: ROUNDS }, () => ENTRIES / commitAll(batch)).sort(
      (a, b) => a - b
    )
    return {
      bench: 'raft',
      metric: `proposals_per_s_batch_${batch}`,
      value: Math.round(rates[(ROUNDS - 1) / 2] as number),
      unit: '1/s',
      n: ROUNDS,
      note: `4 members in one process, ${ENTRY_BYTES} B entries, ${batch} proposals between batches, each committed on all members`
    }
  })
}

/** Seconds to commit ENTRIES entries on all members. */
function commitAll(batch: number): number {
  const group = new Map<MemberId, Raft>(
    MEMBERS.map(id => [
      id,
      new Raft({ id, members: MEMBERS, electionTicksMin: 10, heartbeatTicks: 1, random: () => 0 })
    ])
  )
  const leader = group.get('a') as Raft
  leader.campaign()
  let applied = pump(group)
  const data = new Uint8Array(ENTRY_BYTES)
  const start = performance.now()
  for (let sent = 0; sent < ENTRIES; sent += batch) {
    for (let i = 0; i < batch; i++) leader.propose(data)
    applied += pump(group)
  }
  const seconds = (performance.now() - start) / 1000
  const expected = MEMBERS.length * (1 + Math.ceil(ENTRIES / batch) * batch)
  if (applied !== expected) throw new RangeError(`${applied} of ${expected} entries were applied`)
  return seconds
}

/** Runs all members until nobody has work; returns how many entries were handed out. */
function pump(group: ReadonlyMap<MemberId, Raft>): number {
  let applied = 0
  for (let worked = true; worked; ) {
    worked = false
    for (const raft of group.values()) {
      const ready = raft.ready()
      if (ready === null) continue
      worked = true
      applied += ready.committed.length
      raft.advance()
      for (const message of ready.messages) group.get(message.to)?.step(message)
    }
  }
  return applied
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const line of benchRaft()) process.stdout.write(`${JSON.stringify(line)}\n`)
}
