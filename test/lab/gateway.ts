/**
 * The gateway, in this process, with its log collected: `lab.gateway()`. The one place of the lab that knows how a gateway is made.
 */
import type { Clock } from '../../src/base/clock.ts'
import { type Door, systemDoor } from '../../src/base/door.ts'
import { createHostLookup, type HostLookup } from '../../src/base/host-lookup.ts'
import { type Random, systemRandom } from '../../src/base/random.ts'
import type { GatewayEvent } from '../../src/gateway/events.ts'
import { createGateway, type Gateway } from '../../src/gateway/gateway.ts'
import type { GatewaySettings, Listener } from '../../src/gateway/settings.ts'
import type { Queue } from '../../src/queue/queue.ts'
import { steadyClock } from './fast-clock.ts'
import { openLabHolding } from './holding.ts'
import { type CollectedLog, collectLog } from './log.ts'
import type { GatewayWords } from './settings.ts'

export interface LabGateway extends CollectedLog {
  readonly address: string
  readonly port: number
  readonly state: string
  /** Reloads with these words, over those that it was started with. */
  apply(words: GatewayWords): Promise<readonly Listener[]>
  readonly backends: Gateway['backends']
  readonly setOut: Gateway['setOut']
  readonly heldMail: Gateway['heldMail']
  /** What it has told so far. */
  readonly events: readonly GatewayEvent[]
  /** The hold, where a domain has one. */
  readonly queue: Queue
  /** Messages that are held now. */
  held(): number
  /** Stops it gracefully, as SIGTERM does; the lab does so at its end. */
  stop(): Promise<void>
}

/** What a test may hand in instead of the machine's own. */
export interface GatewayParts {
  readonly random?: Random
  readonly door?: Door
  /** Default: `steadyClock`. */
  readonly clock?: Clock
  /** Its state folder, made already: one that another gateway has left, or on a disk of its own. */
  readonly state?: string
  /** Backends that were down when the last process ended. */
  readonly doubted?: readonly string[]
  /** Default: this machine's. */
  readonly lookupHost?: HostLookup
}

export async function startGateway(
  settings: (words: GatewayWords) => GatewaySettings,
  words: GatewayWords,
  parts: GatewayParts,
): Promise<LabGateway> {
  const collected = collectLog()
  const first = settings(words)
  const isHolding = first.destinations.domains.some(({ hold }) => hold.holdMs > 0)
  const holding = isHolding
    ? await openLabHolding(first.state, {
        log: collected.log,
        clock: parts.clock ?? steadyClock,
        limits: first.holdLimits,
      })
    : undefined
  const events: GatewayEvent[] = []
  const gateway = createGateway(first, {
    holding,
    tell: (event) => void events.push(event),
    clock: parts.clock ?? steadyClock,
    random: parts.random ?? systemRandom,
    log: collected.log,
    door: parts.door ?? systemDoor,
    lookupHost: parts.lookupHost ?? createHostLookup(steadyClock),
  })
  gateway.doubt(parts.doubted ?? [])
  const [place] = await gateway.start()
  if (!place) throw new Error('the gateway listens nowhere')
  let stopping: Promise<void> | undefined
  return {
    ...collected,
    address: place.address,
    port: place.port,
    state: first.state,
    // The listener is named as before, port 0 included, so it stays bound.
    apply: (changed) => gateway.apply(settings({ ...words, ...changed })),
    backends: () => gateway.backends(),
    setOut: (url, isOut) => gateway.setOut(url, isOut),
    heldMail: gateway.heldMail,
    events,
    get queue() {
      if (!holding) throw new Error('no domain of this gateway has a hold')
      return holding.queue
    },
    held: () => holding?.queue.totals.messages ?? 0,
    async stop() {
      stopping ??= gateway.stop().finally(() => holding?.close())
      await stopping
    },
  }
}
