/** What `sender-handler` is handed by `gateway`, and what all that answers for one connection has in common. */
import type { Clock } from '../../base/clock.ts'
import type { RateCounter } from '../../base/limits.ts'
import type { Log } from '../../base/log.ts'
import type { MessageIds } from '../../mail/trace.ts'
import type { Peer } from '../../smtp/server/handler.ts'
import type { CutThroughDeps } from '../carry/cut-through-deps.ts'
import type { Tell } from '../events.ts'
import type { HoldForSenders } from '../hold/hold-for-senders.ts'
import type { GatewaySettings } from '../settings.ts'
import type { ConnectionPlaces, Place } from './connection-places.ts'
import type { Etrn } from './etrn.ts'
import type { Guesses } from './guesses.ts'
import type { BodyBudgets } from './incoming-body.ts'
import type { OwnProbes } from './own-probes.ts'
import type { RepeatMemory } from './repeat-memory.ts'
import type { ToldRefusals } from './told-refusals.ts'

export interface SenderHandlerDeps {
  readonly clock: Clock
  readonly log: Log
  readonly tell?: Tell | undefined
  readonly ids: MessageIds
  /** The settings now; a session keeps the ones that it began with. */
  readonly settings: () => GatewaySettings
  /** What carries a transaction, with the budgets of a sender who waits. */
  readonly cutThroughDeps: (settings: GatewaySettings) => CutThroughDeps
  readonly places: ConnectionPlaces
  /** Recipients that were refused within a minute. */
  readonly refusedByClient: RateCounter
  readonly guesses: Guesses
  /** Recipients that nobody here knows, by client and address. */
  readonly strangers: RateCounter
  readonly toldRefusals: ToldRefusals
  /** Whether it is ourselves that have connected: a route leads back to us. */
  readonly isOurs: (peer: Peer) => boolean
  readonly repeats: RepeatMemory
  readonly bodies: BodyBudgets
  /** Where the file of a large body goes. */
  readonly spoolPath: (id: string) => string
  /** Undefined: nothing is held. */
  readonly holdForSenders: HoldForSenders | undefined
  readonly ownProbes: Pick<OwnProbes, 'take'>
  /** Undefined: nothing is held, so nobody can ask for it. */
  readonly etrn: Etrn | undefined
}

/** One connection of a sender. */
export interface SenderConnection {
  readonly peer: Peer
  readonly place: Place
  /** Those that it began with. */
  readonly settings: GatewaySettings
  readonly deps: SenderHandlerDeps
}
