/** The virtual world of the simulator under the names that tests of the machine use, with real Ed25519 keys. */
import { ed25519Signatures, type Keys, type Signatures } from '../../src/simulator/index.ts'

const signatures: Signatures = ed25519Signatures()

export function testKeys(index: number): Keys {
  return signatures.keys(index)
}

export function testVerify(did: string, bytes: Uint8Array, signature: Uint8Array): boolean {
  return signatures.verify(did, bytes, signature)
}

export {
  CAPSULE,
  draftOf as testDraft,
  INPUT,
  OUTPUT,
  type VirtualNode as ClusterNode,
  VirtualWorld as SwarmCluster,
  type WorldInit as ClusterInit
} from '../../src/simulator/index.ts'
