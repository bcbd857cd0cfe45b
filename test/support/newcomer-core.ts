import { systemEntropy } from '../../src/adapters/system/index.ts'
import { Swarm } from '../../src/core/swarm/index.ts'
import type { Archive, Journal } from '../../src/ports/index.ts'
import { Driver } from '../../src/runtime/index.ts'
import { testKeys, testVerify } from './swarm-cluster.ts'
import { ManualClock, RecordingNetwork, ScriptedPolicy, silent } from './virtual-world.ts'

/** The core behind its driver, of a node without peers that starts at this time, over these disks. */
export async function newcomerCore(init: {
  readonly journal: Journal
  readonly archive: Archive
  readonly nowMs: number
}) {
  const { did, sign } = testKeys(0)
  const clock = new ManualClock()
  clock.advance(init.nowMs - clock.nowMs())
  const fatal: Error[] = []
  const swarm = new Swarm({ did, sign, verify: testVerify, random: () => 0 })
  const driver = new Driver(
    {
      ...init,
      machine: swarm,
      network: new RecordingNetwork(),
      policy: new ScriptedPolicy(),
      verify: testVerify,
      signer: { did, sign },
      clock,
      entropy: systemEntropy(),
      logger: silent
    },
    { onFatal: error => fatal.push(error) }
  )
  await driver.start()
  return { driver, swarm, fatal }
}
