import { createHash } from 'node:crypto'
import { type GossipsubOpts, StrictNoSign } from '@chainsafe/libp2p-gossipsub'
import {
  GOSSIP_BUFFER_BYTES_MAX,
  GOSSIP_ITEMS_MAX,
  GOSSIP_RPC_BYTES_MAX,
  GOSSIP_SEEN_MS,
  GOSSIP_STREAMS_MAX
} from './limits.ts'

/**
 * Gossip for small and middling swarms, R5: no libp2p signatures (the envelope is signed), one topic, and a message id
 * over the complete bytes, so that two envelopes that differ in their signature alone are two messages.
 */
export function gossipOptions(topic: string): Partial<GossipsubOpts> {
  return {
    // Four neighbours are enough below 30 nodes; own messages go to every neighbour at once.
    D: 4,
    Dlo: 3,
    Dhi: 8,
    Dout: 1,
    Dscore: 2,
    Dlazy: 4,
    floodPublish: true,
    // An own message is encoded once, not once for each neighbour.
    batchPublish: true,
    heartbeatInterval: 700,
    mcacheLength: 6,
    mcacheGossip: 3,
    seenTTL: GOSSIP_SEEN_MS,
    globalSignaturePolicy: StrictNoSign,
    msgIdFn: message => messageId(message.topic, message.data),
    allowedTopics: [topic],
    fallbackToFloodsub: false,
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    emitSelf: false,
    doPX: false,
    ...gossipLimits(),
    ...gossipScores(topic)
  }
}

/** SHA-256 of the topic and the complete bytes (R5). */
export function messageId(topic: string, data: Uint8Array): Uint8Array {
  return createHash('sha256').update(topic).update(data).digest()
}

function gossipLimits(): Partial<GossipsubOpts> {
  return {
    maxInboundStreams: GOSSIP_STREAMS_MAX,
    maxOutboundStreams: GOSSIP_STREAMS_MAX,
    maxInboundDataLength: GOSSIP_RPC_BYTES_MAX,
    maxOutboundBufferSize: GOSSIP_BUFFER_BYTES_MAX,
    // One topic of a hundred bytes or so; the entry itself is charged a kibibyte.
    maxTopicBytesPerPeer: 8 * 1024,
    decodeRpcLimits: {
      maxSubscriptions: 8,
      maxMessages: GOSSIP_ITEMS_MAX,
      maxControlMessages: 64,
      maxIhaveMessageIDs: GOSSIP_ITEMS_MAX,
      maxIwantMessageIDs: GOSSIP_ITEMS_MAX,
      maxIdontwantMessageIDs: 512,
      maxPeerInfos: 0
    }
  }
}

/**
 * Scores: a peer that forwards what the door rejects is ignored after about five such messages and forgiven within a
 * minute. Many honest peers share one IP address here, so that does not count; nor does being quiet.
 */
function gossipScores(topic: string): Partial<GossipsubOpts> {
  return {
    scoreParams: {
      IPColocationFactorWeight: 0,
      appSpecificScore: () => 0,
      appSpecificWeight: 1,
      behaviourPenaltyWeight: -1,
      behaviourPenaltyThreshold: 6,
      behaviourPenaltyDecay: 0.9,
      decayInterval: 1000,
      decayToZero: 0.01,
      retainScore: 600_000,
      topics: { [topic]: topicScores }
    },
    scoreThresholds: {
      gossipThreshold: -40,
      publishThreshold: -80,
      graylistThreshold: -160,
      acceptPXThreshold: 10,
      opportunisticGraftThreshold: 2
    }
  }
}

const topicScores = {
  topicWeight: 1,
  timeInMeshWeight: 0.01,
  timeInMeshQuantum: 1000,
  timeInMeshCap: 300,
  firstMessageDeliveriesWeight: 0.5,
  firstMessageDeliveriesDecay: 0.9,
  firstMessageDeliveriesCap: 50,
  meshMessageDeliveriesWeight: 0,
  meshMessageDeliveriesDecay: 0.5,
  meshMessageDeliveriesCap: 100,
  meshMessageDeliveriesThreshold: 20,
  meshMessageDeliveriesWindow: 10,
  meshMessageDeliveriesActivation: 5000,
  meshFailurePenaltyWeight: 0,
  meshFailurePenaltyDecay: 0.5,
  invalidMessageDeliveriesWeight: -20,
  invalidMessageDeliveriesDecay: 0.9
}
