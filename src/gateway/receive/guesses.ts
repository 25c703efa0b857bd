/**
 * Recipients that each client has asked for and a backend has not answered yet, over all of the client's connections. Every one of them may be a guess, and
 * a refusal counts only when it is heard, so many connections at once would hear many more of them than the limit. So a client that has as
 * many of them on their way as it has refusals left, and one for each recipient that was accepted since its last refusal, waits: who sends to people who
 * exist does not. What is asked of a backend together goes whole where there is room for one, so it may be a few more (`refusalsAtOnce`). Asked by
 * `accept` (by way of `refusals`), which says what is on its way; a refusal is told by `refusals`.
 */
import type { Clock } from '../../base/clock.ts'

/** What is on its way of one client. */
export interface ClientGuesses {
  readonly onWay: number
  /** Whether one more may be asked for now. @param left  refusals that the client may still hear */
  hasRoom(left: number): boolean
  /** Resolves when something was answered, or this long after. */
  waitForAnswer(mostMs: number): Promise<void>
  begin(recipients: number): void
  /** Whoever waits looks again, once what runs now has counted what was said. */
  end(recipients: number, accepted: number): void
  refused(): void
  /** Whoever waits looks again: one of them has gone. */
  wake(): void
}

export interface Guesses {
  /** Of the client of a new connection; given back when that is over. */
  join(client: string): ClientGuesses
  leave(client: string): void
  /** Clients that are remembered. */
  readonly size: number
}

export function createGuesses(clock: Clock): Guesses {
  const clients = new Map<string, OneClient>()
  return {
    join(client) {
      const known = clients.get(client) ?? new OneClient(clock)
      known.connections++
      clients.set(client, known)
      return known
    },
    leave(client) {
      const known = clients.get(client)
      if (known && --known.connections === 0) clients.delete(client)
    },
    get size() {
      return clients.size
    },
  }
}

class OneClient implements ClientGuesses {
  readonly #clock: Clock
  connections = 0
  onWay = 0
  /** Accepted since the last refusal. */
  #earned = 0
  #waiting: (() => void)[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  hasRoom(left: number): boolean {
    return this.onWay < this.#earned + left
  }

  waitForAnswer(mostMs: number): Promise<void> {
    return new Promise((done) => {
      const timer = this.#clock.after(mostMs, done)
      this.#waiting.push(() => {
        timer.cancel()
        done()
      })
    })
  }

  begin(recipients: number): void {
    this.onWay += recipients
  }

  end(recipients: number, accepted: number): void {
    this.onWay -= recipients
    this.#earned += accepted
    this.wake()
  }

  wake(): void {
    if (this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
  }

  refused(): void {
    this.#earned = 0
  }
}
