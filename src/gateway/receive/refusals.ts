/**
 * Counts the recipients that one connection was refused, there and by client, because whoever collects them is guessing addresses; what of that has no
 * answer yet, `guesses` knows, and `refusal-log` tells each. Made by `sender-handler`.
 */
import { isPostmaster } from '../../mail/address.ts'
import type { Recipient } from '../../mail/message.ts'
import { isPermanent, isPositive, type Reply, reply } from '../../mail/reply.ts'
import { declaredDomain } from '../../routing/destinations.ts'
import { isTrusted } from '../settings.ts'
import type { ClientGuesses } from './guesses.ts'
import type { RefusalLog } from './refusal-log.ts'
import type { SenderConnection } from './sender-handler-deps.ts'
import type { SenderTransaction } from './sender-transaction.ts'

/** Recipients that may be refused in one group: a backend counts them against us as errors. */
const refusalsAtOnce = 5

export class Refusals {
  readonly #connection: SenderConnection
  readonly #guesses: ClientGuesses
  readonly #log: RefusalLog
  /** A filter in front of us passes on what others guess: who is turned away for that would be everybody. */
  readonly #isTrusted: boolean
  #refusedHere = 0

  /** @param guesses  of this client, over all of its connections */
  constructor(connection: SenderConnection, guesses: ClientGuesses, log: RefusalLog) {
    this.#connection = connection
    this.#guesses = guesses
    this.#log = log
    this.#isTrusted = isTrusted(connection.settings, connection.peer.address)
  }

  /** Whether the client has collected so many of late, here and elsewhere, that nothing more is said to it of who exists. */
  get isGuessing(): boolean {
    return this.#refusalsLeft <= 0
  }

  /** Whether one more guess may be asked for now on this route, beside those of this client that are not answered yet. */
  hasRoom(route: string): boolean {
    // One is left for sure where this is asked, which mostly says it.
    return this.#guesses.hasRoom(route, 1) || this.#guesses.hasRoom(route, this.#refusalsLeft)
  }

  /** Refusals that this client may still hear. */
  get #refusalsLeft(): number {
    if (this.#isTrusted) return Number.POSITIVE_INFINITY
    const { deps, place, settings } = this.#connection
    return settings.limits.refusedPerMinute - deps.refusedByClient.recent(place.client)
  }

  /** How many recipients may be asked for together: nothing that could be a guess of an address is asked for in bulk. */
  get roomAtOnce(): number {
    return Math.max(1, refusalsAtOnce - this.#refusedHere)
  }

  /** Counts what a recipient's sender hears, where that is no yes. @returns what it hears, which is the end for who has collected too many */
  count(recipient: Recipient, said: Reply, transaction: SenderTransaction): Reply {
    if (isPositive(said)) return said
    const { deps, place, settings } = this.#connection
    deps.tell?.({
      kind: isPermanent(said) ? 'recipient-refused' : 'recipient-deferred',
      atMs: deps.clock.now(),
      domain: declaredDomain(settings.destinations, recipient),
      code: said.code,
    })
    this.#log.recipient(recipient, said, transaction)
    if (!isPermanent(said) || this.#isTrusted || this.#isOurPostmaster(recipient)) return said
    this.#refusedHere++
    this.#guesses.refused()
    deps.refusedByClient.count(place.client)
    return this.#refusedHere >= settings.limits.refusedPerConnection ? tooManyRefused : said
  }

  /**
   * Counts one that nobody could be asked for, that nobody here knows, and that was put off for it: beside those that are taken it says who exists. The
   * same one again says nothing new, and a sender that is put off comes again. It ends no connection, because it may be somebody new.
   */
  countStranger({ text }: Recipient): void {
    if (this.#isTrusted) return
    const { deps, place } = this.#connection
    const name = `${place.client} ${text}`
    if (deps.strangers.recent(name) > 0) return
    deps.strangers.count(name)
    this.#guesses.refused()
    deps.refusedByClient.count(place.client)
  }

  /** RFC 5321 §4.5.1 asks for the postmaster of the domains that we serve; anybody else's is a name like any other. */
  #isOurPostmaster(recipient: Recipient): boolean {
    if (!isPostmaster(recipient)) return false
    const { kind } = this.#connection.settings.destinations.find(recipient)
    return kind === 'postmaster' || kind === 'route'
  }
}

const tooManyRefused = reply(421, '4.7.0', 'Too many refused recipients, closing')
