/** Instructions that run equally often in every run that ends normally. Paid at once, before the first of them. */
export type Segment = { cost: number }

export type Frame = {
  readonly kind: 'function' | 'block' | 'loop' | 'if' | 'else'
  /** Operands below it. */
  readonly height: number
  /** 1 when it leaves a value, else 0. */
  readonly results: number
  /** The segment that ran into it. */
  readonly segment: Segment
  /** Whether a branch leads to its end. A loop's branches lead to its start. */
  isTargeted: boolean
  /** Index of the outermost frame that a branch inside of it names. */
  outermost: number
}

/**
 * Follows the structure of one body: which segment an instruction belongs to, and whether it can be reached at all.
 *
 * A new segment starts where the count of runs may change: in a loop, in each arm of an if, after a conditional branch, and
 * after the end of a construct that some inner branch may leave for a construct further out. After any other end the segment
 * from before the construct goes on: if the one runs, so does the other.
 */
export class Control {
  readonly frames: Frame[] = []
  segment: Segment
  /** What follows cannot be reached. */
  isDead = false
  height = 0
  heightMax = 0
  readonly #onSegment: (segment: Segment) => void

  /** `onSegment` is told of each segment where its charge belongs. */
  constructor(entryCost: number, results: number, onSegment: (segment: Segment) => void) {
    this.#onSegment = onSegment
    this.segment = { cost: entryCost }
    onSegment(this.segment)
    this.#push('function', results)
  }

  /** Takes and leaves operands. */
  move(pops: number, pushes: number): void {
    this.height += pushes - pops
    this.heightMax = Math.max(this.heightMax, this.height)
  }

  open(kind: 'block' | 'loop' | 'if', results: number): void {
    this.#push(kind, results)
    if (kind !== 'block') this.#start()
  }

  else(): boolean {
    const frame = this.frames.pop()
    if (frame?.kind !== 'if') return false
    // A branch to the end from the first arm counts, and so does that arm when it runs into the end.
    this.frames.push({ ...frame, kind: 'else', isTargeted: frame.isTargeted || !this.isDead })
    this.isDead = false
    this.height = frame.height
    this.#start()
    return true
  }

  /** Ends the innermost construct. Returns it, or null when there is none. */
  end(): Frame | null {
    const index = this.frames.length - 1
    const frame = this.frames.pop()
    if (frame === undefined) return null
    const parent = this.frames.at(-1)
    if (parent !== undefined) parent.outermost = Math.min(parent.outermost, frame.outermost)
    this.height = frame.height + frame.results
    // An if without else is passed by when its condition is 0.
    const isJoined = frame.isTargeted || frame.kind === 'if'
    const wasDead = this.isDead
    this.isDead = wasDead && !isJoined
    if (this.isDead) return frame
    this.heightMax = Math.max(this.heightMax, this.height)
    if (parent === undefined) return frame
    if (frame.outermost >= index) this.segment = frame.segment
    else if (isJoined) this.#start()
    return frame
  }

  /** Notes branches to labels; false when there is no such label. */
  branch(labels: readonly number[]): boolean {
    for (const label of labels) {
      const index = this.frames.length - 1 - label
      const target = this.frames[index]
      const inner = this.frames.at(-1)
      if (target === undefined || inner === undefined) return false
      if (target.kind !== 'loop') target.isTargeted = true
      inner.outermost = Math.min(inner.outermost, index)
    }
    return true
  }

  /** After a conditional branch. */
  continue(): void {
    this.#start()
  }

  #start(): void {
    this.segment = { cost: 0 }
    this.#onSegment(this.segment)
  }

  #push(kind: Frame['kind'], results: number): void {
    this.frames.push({
      kind,
      height: this.height,
      results,
      segment: this.segment,
      isTargeted: false,
      outermost: this.frames.length
    })
  }
}
