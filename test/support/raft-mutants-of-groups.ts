/**
 * Members with one planted fault each, in what goes beyond agreeing on entries: snapshots, changes of the members, quiescence. See raft-mutants.ts.
 */

import {
  type ChangeRefusal,
  type LogIndex,
  type MembersTarget,
  Raft,
  type RaftMessage,
  type Ready
} from '../../src/core/raft/index.ts'
import { RaftLog } from '../../src/core/raft/log.ts'
import { useConfiguration } from '../../src/core/raft/membership.ts'
import type { RaftState } from '../../src/core/raft/state.ts'
import type { Configuration } from '../../src/core/raft/types.ts'

/** Puts a snapshot that comes late in the place of a newer log. */
export class InstallsOldSnapshots extends Raft {
  override step(message: RaftMessage): void {
    const isLate = message.type === 'snapshot' && message.snapshot.index < this.state.log.commit
    super.step(message)
    if (!isLate || this.state.role === 'leader') return
    const { snapshot } = message
    const state = this.state as { log: RaftLog }
    state.log = new RaftLog([], { snapshot })
    this.state.snapshot = snapshot
    this.state.isSnapshotNew = true
    useConfiguration(this.state)
  }
}

/** Takes over the position of a snapshot and not the configuration: those who come after use the first one. */
export class SnapshotsWithoutConfiguration extends Raft {
  #first: Configuration | null = null

  override compact(index: LogIndex, data: Uint8Array): void {
    this.#first ??= this.state.log.configurations.at(0)
    super.compact(index, data)
    const { snapshot } = this.state
    if (snapshot !== null && this.#first.voters.length > 0)
      this.state.snapshot = { ...snapshot, configuration: this.#first }
  }
}

/** Counts by another configuration than the latest one in its log. */
abstract class CountsBy extends Raft {
  protected abstract choose(state: RaftState): Configuration

  override tick(): void {
    this.#instead(() => super.tick())
  }

  override step(message: RaftMessage): void {
    this.#instead(() => super.step(message))
  }

  override advance(): void {
    this.#instead(() => super.advance())
  }

  #instead(action: () => void): void {
    const { state } = this
    const { configuration } = state
    const used = this.choose(state)
    state.configuration = used
    action()
    // Whatever happened to the log meanwhile has put the latest one there already.
    if (state.configuration === used) state.configuration = configuration
  }
}

/** Decides by a majority of the new voters alone while both sets must agree. */
export class JointNeedsOneMajority extends CountsBy {
  override choose({ configuration }: RaftState): Configuration {
    return { ...configuration, outgoing: [] }
  }
}

/** Uses a configuration only once it is committed. */
export class ConfiguresAtCommit extends CountsBy {
  override choose({ log }: RaftState): Configuration {
    return log.configurations.at(log.commit)
  }
}

/** Lets those decide who only learn. */
export class CountsLearners extends CountsBy {
  override choose({ configuration }: RaftState): Configuration {
    const { voters, outgoing, learners } = configuration
    return { voters: [...new Set([...voters, ...learners])], outgoing, learners: [] }
  }
}

/** Goes to the new voters in one step, however many change. */
export class ChangesWithoutJoint extends Raft {
  override changeMembers(target: MembersTarget): ChangeRefusal | null {
    const refusal = super.changeMembers(target)
    const { log } = this.state
    if (refusal !== null || this.state.configuration.outgoing.length === 0) return refusal
    const entry = log.slice(log.lastIndex, log.lastIndex)[0] as { configuration: Configuration }
    entry.configuration = { ...entry.configuration, outgoing: [] }
    log.configurations.truncate(log.lastIndex)
    log.configurations.add(log.lastIndex, entry.configuration)
    useConfiguration(this.state)
    return null
  }
}

/** Moves on to the new voters before a majority of the old ones knows of the change. */
export class LeavesJointEarly extends Raft {
  override ready(): Ready | null {
    const { configuration, log, role, term } = this.state
    if (role === 'leader' && configuration.outgoing.length > 0) {
      log.append(term, new Uint8Array(0), { ...configuration, outgoing: [] })
      useConfiguration(this.state)
    }
    return super.ready()
  }
}

/** Hears nothing in its sleep. */
export class NeverWakes extends Raft {
  override step(message: RaftMessage): void {
    if (!this.state.isQuiescent) super.step(message)
  }
}

/** As a sleeping leader, leaves those alone who lost sight of it. */
export class LeadsAsleep extends Raft {
  override step(message: RaftMessage): void {
    if (!this.state.isQuiescent || this.state.role !== 'leader') super.step(message)
  }
}

/** Sends the others to sleep though one of them lacks an entry. */
export class SleepsTooEarly extends Raft {
  override quiesce(): boolean {
    const { state } = this
    const { lastIndex } = state.log
    const matches = [...state.progress.values()].map(progress => progress.match)
    for (const progress of state.progress.values()) {
      progress.match = lastIndex
      progress.owesAnswer = false
    }
    const isQuiescent = super.quiesce()
    for (const progress of state.progress.values()) progress.match = matches.shift() ?? 0
    return isQuiescent
  }
}
