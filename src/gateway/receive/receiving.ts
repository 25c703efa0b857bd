/** The senders' side, put together: who may connect, what they are told, and what is remembered of them. Made by `gateway`. */
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { createBudget, createKeyedBudget, createRateCounter } from '../../base/limits.ts'
import type { Log } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import type { MessageIds } from '../../mail/trace.ts'
import type { Endpoint } from '../../routing/backend.ts'
import type { OnConnect, Peer } from '../../smtp/server/handler.ts'
import type { CutThroughDeps } from '../carry/cut-through-deps.ts'
import type { Tell } from '../events.ts'
import type { HoldParts } from '../hold-parts.ts'
import type { GatewaySettings } from '../settings.ts'
import { createConnectionPlaces } from './connection-places.ts'
import { createEtrn, type Etrn } from './etrn.ts'
import { createGuesses } from './guesses.ts'
import { prepareSpool } from './incoming-body.ts'
import { createOwnProbes } from './own-probes.ts'
import { createRepeatMemory } from './repeat-memory.ts'
import { createSenderHandlers } from './sender-handler.ts'
import { createToldRefusals } from './told-refusals.ts'

export interface Receiving {
  readonly onConnect: OnConnect
  /** Senders that are connected now. */
  readonly connections: number
  /** See `Gateway.ownProbeWord`. */
  ownProbeWord(): string
  /** Makes the folder for large bodies, and empties it. */
  start(): Promise<void>
  /** Says what is still to be said. */
  stop(): void
}

export interface ReceivingDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly tell?: Tell | undefined
  readonly ids: MessageIds
  readonly cutThroughDeps: (settings: GatewaySettings) => CutThroughDeps
  /** Whether it is ourselves that have connected. */
  readonly isOurs: (peer: Peer) => boolean
  /** Endpoints that were met. */
  readonly met: () => Iterable<Endpoint>
  /** Undefined: nothing is held. */
  readonly holdParts: HoldParts | undefined
}

export function createReceiving(settings: () => GatewaySettings, deps: ReceivingDeps): Receiving {
  const { clock, random, log, tell, ids, cutThroughDeps, isOurs, holdParts } = deps
  const places = createConnectionPlaces({ clock, log, tell, limits: () => settings().limits })
  const refusedPerMinute = () => settings().limits.refusedPerMinute
  const toldRefusals = createToldRefusals({ clock, log, most: refusedPerMinute })
  const ownProbes = createOwnProbes({ clock, random })
  const spool = () => join(settings().state, 'spool')
  const onConnect = createSenderHandlers({
    ...{ clock, log, tell, ids, settings, cutThroughDeps, isOurs, places, toldRefusals, ownProbes },
    refusedByClient: createRateCounter(clock, 60_000),
    guesses: createGuesses(clock, refusedPerMinute),
    strangers: createRateCounter(clock, 60_000, 10_000),
    repeats: createRepeatMemory(clock),
    holdForSenders: holdParts?.forSenders,
    etrn: holdParts && etrnOf(holdParts),
    // One network has a quarter of each.
    bodies: {
      memory: createBudget(() => settings().limits.bodyMemory),
      memoryPerNetwork: createKeyedBudget(() => settings().limits.bodyMemory / 4),
      spool: createBudget(() => settings().limits.spool),
      spoolPerNetwork: createKeyedBudget(() => settings().limits.spool / 4),
    },
    spoolPath: (id) => join(spool(), id),
  })

  function etrnOf({ forSenders, ways, guard, probeAndDrain }: HoldParts): Etrn {
    const { queue } = forSenders
    return createEtrn({ clock, log, queue, ways, guard, settings, met: deps.met, probeAndDrain })
  }

  return {
    onConnect,
    get connections() {
      return places.used
    },
    ownProbeWord: ownProbes.issue,
    start: () => prepareSpool(spool()),
    stop: toldRefusals.stop,
  }
}
