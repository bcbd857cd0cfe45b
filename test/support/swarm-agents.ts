import { CID } from '../../src/core/codec/index.ts'
import { type ClusterNode, OUTPUT, type SwarmCluster, testDraft } from './swarm-cluster.ts'

export type Script = {
  readonly works?: boolean
  readonly verifies?: boolean
  readonly pass?: boolean
  readonly commits?: boolean
  /** Whether the worker takes the lease in this epoch; it does unless told otherwise. */
  readonly claims?: (epoch: number) => boolean
  readonly heartbeats?: boolean
}

/** An honest agent as a function of the thread's view, as the real ones are. */
export function script(cluster: SwarmCluster, node: ClusterNode, options: Script): void {
  const said = new Set<string>()
  const once = (key: string, run: () => void): void => {
    if (said.has(key)) return
    said.add(key)
    run()
  }
  node.agent = (self, event) => {
    if (event.type !== 'thread') return
    const view = self.swarm.view(event.thread)
    if (view === undefined) return
    const thread = CID.parse(view.thread)
    const own = view.requester === self.did && !view.solo
    if (options.works === true && !own && (view.phase === 'OPEN' || view.phase === 'BIDDING')) {
      once('propose', () =>
        cluster.command(self, {
          type: 'publish',
          draft: testDraft(cluster.nowMs, 'PROPOSE', thread, {
            need: thread,
            patch: [],
            ballot: { cost: BigInt(10 + self.index), etaMs: 1_000, bond: 0n },
            shardDependencies: [],
            standing: null
          })
        })
      )
    }
    if (options.verifies === true && !own) {
      for (const proposal of view.proposals) {
        if (proposal.worker === self.did && !view.solo) continue
        once(`attest ${proposal.id}`, () =>
          cluster.command(self, {
            type: 'publish',
            draft: testDraft(cluster.nowMs, 'ATTEST_PLAN', thread, {
              need: thread,
              proposal: CID.parse(proposal.id),
              evaluation: new Uint8Array(32),
              standing: null
            })
          })
        )
      }
      const commit = view.commit
      if (commit !== null && (commit.worker !== self.did || view.solo)) {
        const challenged = view.challenges.length
        once(`verdict ${commit.id} ${challenged}`, () =>
          cluster.command(self, {
            type: 'verdict',
            thread: view.thread,
            commit: commit.id,
            pass: options.pass ?? true,
            evaluation: new Uint8Array(32),
            reasons: options.pass === false ? ['output differs'] : []
          })
        )
      }
    }
    const task = view.decide === null ? null : CID.parse(view.decide.proposal)
    if (
      view.decide?.worker === self.did &&
      view.decide.certified &&
      view.phase === 'DECIDED' &&
      options.claims?.(view.epoch) !== false &&
      task !== null
    ) {
      once(`claim ${view.epoch} ${view.group?.applied}`, () =>
        cluster.command(self, {
          type: 'publish',
          draft: testDraft(cluster.nowMs, 'CLAIM', thread, {
            task,
            leaseTtlMs: 1_000,
            cost: 10n,
            etaMs: 10
          })
        })
      )
    }
    if (view.lease?.holder === self.did && options.commits !== false && task !== null) {
      once(`commit ${view.lease.fence.join('.')}`, () =>
        cluster.command(self, {
          type: 'publish',
          draft: testDraft(cluster.nowMs, 'COMMIT', thread, {
            task,
            outputs: [OUTPUT],
            verifyBounty: 10n,
            telemetry: {
              tokens: 0,
              cost: 10n,
              wallMs: 5,
              exitStatus: 0,
              tool: 'test',
              model: '',
              zone: ''
            }
          })
        })
      )
    }
  }
}
