/**
 * Members with one planted fault each. A checker is trusted while it still finds all of them. They reach into the
 * member's state, which is why that is `protected`; production code has no switch for any of this.
 */

import { Raft, type RaftMessage } from '../../src/core/raft/index.ts'
import { agreedIndex } from '../../src/core/raft/quorum.ts'

/** Commits what a majority holds whatever its term: the fault that Figure 8 is about. */
export class CommitsOldTermsByCounting extends Raft {
  override step(message: RaftMessage): void {
    super.step(message)
    this.#count()
  }

  override advance(): void {
    super.advance()
    this.#count()
  }

  #count(): void {
    if (this.state.role !== 'leader') return
    const held = [...this.state.progress.values()].map(progress => progress.match)
    this.state.log.commitTo(agreedIndex([...held, this.state.log.persisted]))
  }
}

/** Gives its vote to logs that lack what it holds. */
export class IgnoresLogsOfCandidates extends Raft {
  override step(message: RaftMessage): void {
    const isRequest = message.type === 'vote' || message.type === 'pre-vote'
    if (!isRequest || message.term < 2) super.step(message)
    else super.step({ ...message, lastTerm: message.term - 1, lastIndex: 1_000_000 })
  }
}

/** Votes for whoever asks, as often as asked. */
export class VotesTwice extends Raft {
  override step(message: RaftMessage): void {
    if (
      message.type === 'vote' &&
      message.term === this.state.term &&
      this.state.role === 'follower'
    ) {
      this.state.vote = null
      this.state.leader = null
    }
    super.step(message)
  }
}

/** Stands for election in the term it is in. */
export class StandsInOldTerm extends Raft {
  override tick(): void {
    this.#keepTerm(() => super.tick())
  }

  override step(message: RaftMessage): void {
    this.#keepTerm(() => super.step(message))
  }

  #keepTerm(action: () => void): void {
    const { term } = this.state
    action()
    if (this.state.role !== 'candidate' || this.state.term !== term + 1) return
    // Requests whose term is that of the last entry are refused as malformed: there it behaves.
    if (this.state.log.lastTerm >= term) return
    this.state.term = term
    this.state.outbox = this.state.outbox.map(sent =>
      sent.type === 'vote' ? { ...sent, term } : sent
    )
  }
}

/** Believes the leader's commit for entries that the leader never vouched for. */
export class CommitsBeyondMatch extends Raft {
  override step(message: RaftMessage): void {
    super.step(message)
    if (
      message.type === 'append' &&
      message.term === this.state.term &&
      this.state.role === 'follower'
    ) {
      this.state.log.commitTo(message.commit)
    }
  }
}

/** Tells followers by heartbeat to commit what they may not hold. */
export class HeartbeatsUnboundedCommit extends Raft {
  override tick(): void {
    super.tick()
    const { commit } = this.state.log
    this.state.outbox = this.state.outbox.map(sent =>
      sent.type === 'heartbeat' ? { ...sent, commit } : sent
    )
  }
}

/** Counts each vote that it is given twice. */
export class CountsVotesTwice extends Raft {
  override step(message: RaftMessage): void {
    super.step(message)
    if (message.type !== 'vote-reply' || !message.granted || this.state.role !== 'candidate') return
    for (const peer of this.state.peers) {
      if (!this.state.votes.has(peer)) {
        super.step({ ...message, from: peer })
        return
      }
    }
  }
}
