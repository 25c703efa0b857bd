/**
 * Recipients that each client has asked for and a backend has not answered yet, over all of the client's connections. Every one of them may be a guess, and
 * a refusal counts only when it is heard, so many connections at once would hear many more of them than the limit. So a client that has as
 * many of them on their way on one route as it has refusals left waits. By route, because a backend that is silent must not stop what its neighbours send to
 * others. Who sends to people who exist waits less: each mailbox that a message was taken for since the client's last refusal makes room for one more, up
 * to as many as may be refused in a minute, for all routes together. What is asked of a backend together goes whole where there is room for one, so it may
 * be a few more (`refusalsAtOnce`). `sender-handler` asks (by way of `refusals`) and says what is on its way; `refusals` says what was refused, and
 * `message-sink` for whom a message was taken.
 */
import type { Clock } from '../../base/clock.ts'
import type { Mailbox } from '../../mail/address.ts'

/** What is on its way of one client. */
export interface ClientGuesses {
  /** Whether one more may be asked for now. @param left  refusals that the client may still hear */
  hasRoom(route: string, left: number): boolean
  /** Resolves when something was answered, or this long after. */
  waitForAnswer(mostMs: number): Promise<void>
  begin(route: string, recipients: number): void
  /** Whoever waits looks again, once what runs now has counted what was said. */
  end(route: string, recipients: number): void
  refused(): void
  /**
   * A message was taken for recipients whom a backend accepted: that is no guess, and costs more than one.
   * @param recipients  asked for where it makes a difference
   */
  taken(recipients: () => readonly Mailbox[]): void
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

/** @param mostEarned  beyond the refusals that are left so many guesses may be on their way of one client; asked each time */
export function createGuesses(clock: Clock, mostEarned: () => number): Guesses {
  const clients = new Map<string, OneClient>()
  return {
    join(client) {
      const known = clients.get(client) ?? new OneClient(clock, mostEarned)
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
  readonly #mostEarned: () => number
  connections = 0
  /** By route; those with none are left out. */
  readonly #onWay = new Map<string, number>()
  /** Mailboxes that messages were taken for since the last refusal. */
  #earned = 0
  readonly #waiting = new Set<() => void>()

  constructor(clock: Clock, mostEarned: () => number) {
    this.#clock = clock
    this.#mostEarned = mostEarned
  }

  hasRoom(route: string, left: number): boolean {
    if ((this.#onWay.get(route) ?? 0) < left) return true
    let beyond = 0
    for (const onWay of this.#onWay.values()) beyond += Math.max(0, onWay - left)
    return beyond < this.#earned
  }

  waitForAnswer(mostMs: number): Promise<void> {
    return new Promise((done) => {
      const wake = () => {
        timer.cancel()
        this.#waiting.delete(wake)
        done()
      }
      const timer = this.#clock.after(mostMs, wake)
      this.#waiting.add(wake)
    })
  }

  begin(route: string, recipients: number): void {
    if (recipients > 0) this.#onWay.set(route, (this.#onWay.get(route) ?? 0) + recipients)
  }

  end(route: string, recipients: number): void {
    const left = (this.#onWay.get(route) ?? 0) - recipients
    if (left > 0) this.#onWay.set(route, left)
    else this.#onWay.delete(route)
    this.wake()
  }

  taken(recipients: () => readonly Mailbox[]): void {
    const most = this.#mostEarned()
    if (this.#earned < most) this.#earned = Math.min(most, this.#earned + mailboxes(recipients()))
  }

  wake(): void {
    if (this.#waiting.size > 0) for (const wake of this.#waiting) wake()
  }

  refused(): void {
    this.#earned = 0
  }
}

/** How many they are where `user+detail` (RFC 5233) is `user`: who knows one mailbox has any number of such addresses. */
const mailboxes = (recipients: readonly Mailbox[]): number =>
  recipients.length < 2 ? recipients.length : new Set(recipients.map(mailboxOf)).size

function mailboxOf({ localPart, domain }: Mailbox): string {
  const plus = localPart.indexOf('+', 1)
  return `${plus < 0 ? localPart : localPart.slice(0, plus)}@${domain}`.toLowerCase()
}
