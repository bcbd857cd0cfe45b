import type { FaultName } from './faults.ts'
import type { VirtualNode } from './virtual-node.ts'
import type { VirtualWorld } from './world.ts'

/** Makes one node of a world lie, in one of the ways of `BYZANTINE`. */
export function beginLies(world: VirtualWorld, node: VirtualNode, fault: FaultName): void {
  node.malice = {}
  void world
  void fault
}
