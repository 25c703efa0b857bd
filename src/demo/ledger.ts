/**
 * The books of the demo: which message was taken from the sender (250), and how often each arrived in a mailbox. So the end can be proven by
 * counting and not by trust: every message that was taken has arrived once, or is held. Written by `sender` and `mailbox`.
 */

export interface Ledger {
  /** The number of a new message, or undefined at the ceiling. */
  next(): number | undefined
  /** Its sender heard 250 after this long: it is ours now. */
  taken(id: number, waitedMs: number): void
  /** Its sender heard something else than 250, or nothing, and comes again. */
  turnedAway(): void
  /** It is in a mailbox. */
  arrived(id: number): void
  readonly counts: Counts
  /** The longest that a sender waited for its 250 of late. */
  readonly longestWaitMs: number
}

export interface Counts {
  /** Messages whose sender heard 250. */
  readonly taken: number
  /** Of those, in exactly one mailbox, exactly once. */
  readonly arrivedOnce: number
  readonly arrivedTwice: number
  /** Of those, in no mailbox: each must be held. */
  readonly missing: number
  /** Times that a sender heard something else than 250. */
  readonly turnedAway: number
}

/** An octet each: a demo that has sent as many sends no more. */
export const mostMessages = 1_000_000
const takenBit = 0x80
const mostArrivals = 0x7f
const waitsKept = 20

/** @param most  messages, 1–1,000,000 */
export function createLedger(most: number = mostMessages): Ledger {
  const books = new Uint8Array(most)
  const waits: number[] = []
  let used = 0
  let turnedAway = 0
  let taken = 0
  /** Of those that were taken, by how often they arrived: not at all, once, more often. */
  const arrived = [0, 0, 0]

  const place = (page: number) => Math.min(2, page & mostArrivals)
  const move = (by: number, page: number) => {
    arrived[place(page)] = (arrived[place(page)] ?? 0) + by
  }

  return {
    next: () => (used < most ? used++ : undefined),
    taken(id, waitedMs) {
      const page = books[id]
      if (page === undefined || page & takenBit) return
      books[id] = page | takenBit
      taken++
      move(1, page)
      waits.push(waitedMs)
      if (waits.length > waitsKept) waits.shift()
    },
    turnedAway: () => void turnedAway++,
    arrived(id) {
      const page = books[id]
      if (page === undefined || (page & mostArrivals) === mostArrivals) return
      books[id] = page + 1
      if (!(page & takenBit)) return
      move(-1, page)
      move(1, page + 1)
    },
    get counts() {
      const [missing = 0, arrivedOnce = 0, arrivedTwice = 0] = arrived
      return { taken, arrivedOnce, arrivedTwice, missing, turnedAway }
    },
    get longestWaitMs() {
      return Math.max(0, ...waits)
    },
  }
}
