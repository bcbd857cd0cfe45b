/**
 * Streams for plan sync between peers: one in each direction, whole frames, one at a time. A frame counts as sent when the peer has
 * answered it, so what is under way to a peer is never more than one frame.
 */
export interface PlanStreams {
  /** Resolves when the peer has answered the frame: it is ready for the next. Rejects when it cannot be reached, does not speak the protocol, or takes too long. */
  send(did: string, frame: Uint8Array): Promise<void>
  /** Frames of one peer, in order; the next one is read when the listener's promise has settled. */
  onFrame(listener: (from: string, frame: Uint8Array) => Promise<void>): void
  /** Ends the streams of a peer and takes no new ones for a while. */
  ban(did: string): void
  isBanned(did: string): boolean
}
