/**
 * Which declared exchangers are down, as seen from here: each address is asked again and again whether it greets and answers EHLO. `cli` hands
 * `isDown` to the built-in DNS server, which leaves out the addresses that are down.
 *
 * To be wrong must cost nobody's mail. So an address counts as down only where we have reason to believe that it is not us: it answered before,
 * or another one of its family answers now. Port 25 outwards is closed in many networks, and then all is silent. Our own addresses are not asked:
 * who answers DNS here takes mail here, and many networks do not lead back to themselves.
 */
import type { Clock, Timer } from '../../base/clock.ts'
import type { Door } from '../../base/door.ts'
import { type IpAddress, isIpv6 } from '../../base/ip.ts'
import type { Log } from '../../base/log.ts'
import { jitter, type Random } from '../../base/random.ts'
import type { HostName } from '../../dns/name.ts'
import { freshHealth, type Health, nextHealth } from '../../routing/health.ts'
import { type Knocked, knock } from '../../smtp/knock.ts'

export interface ExchangerHealth {
  /** From now on these are asked, and no others. What is known of those that stay is kept. */
  watch(exchangers: ReadonlyMap<IpAddress, HostName>): void
  /** Whether it is known to be down. Addresses that nobody watches are not. */
  isDown(address: IpAddress): boolean
  stop(): void
}

export interface ExchangerHealthOptions {
  /** Between two questions to one address, moved by a fifth either way. */
  readonly intervalMs: number
  /** How long one question may take. */
  readonly timeoutMs: number
  readonly port: number
  /** What we call ourselves. */
  readonly hello: string
}

export interface ExchangerHealthDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly door: Door
  /** Called when `isDown` says something else of an address than before. */
  readonly changed: () => void
  readonly knock?: typeof knock
}

/** Addresses that are watched; whoever has more exchangers than these has not declared them one by one. */
export const mostWatched = 1_000
/** Questions at once. Beyond them one waits for its next turn. */
const mostAtOnce = 64
const busyMs = 1_000
/** One that did not answer is asked again sooner: three failures in a row make it down. */
const suspectPart = 1 / 4

interface Watched {
  readonly address: IpAddress
  host: HostName
  health: Health
  /** It has answered since we know it. */
  wasReached: boolean
  /** What was said of it last. */
  isTold: boolean
  timer: Timer
}

export function createExchangerHealth(options: ExchangerHealthOptions, deps: ExchangerHealthDeps): ExchangerHealth {
  const { clock, random, log } = deps
  const ask = deps.knock ?? knock
  const watched = new Map<IpAddress, Watched>()
  let asking = 0
  let isStopped = false
  let lastTooMany = 0

  const known = createKnown(watched, deps)

  function plan(one: Watched, delayMs: number): void {
    one.timer = clock.after(jitter(delayMs, 0.2, random), () => void turn(one))
  }

  async function turn(one: Watched): Promise<void> {
    if (asking >= mostAtOnce) return plan(one, busyMs)
    asking++
    const { address } = one
    const { port, hello, timeoutMs: limitMs } = options
    // The addresses are declared by whoever runs this, so private ones are meant.
    const said = await ask({ address, port, hello, limitMs, isPrivate: true }, deps).finally(() => asking--)
    if (isStopped || watched.get(address) !== one) return
    known.heard(one, said)
    const isSuspect = one.health.failures > 0 && !one.health.isDown
    plan(one, options.intervalMs * (isSuspect ? suspectPart : 1))
  }

  return {
    isDown: known.isDown,
    watch(exchangers) {
      for (const [address, { timer }] of watched) {
        if (exchangers.has(address)) continue
        timer.cancel()
        watched.delete(address)
      }
      for (const [address, host] of exchangers) {
        const before = watched.get(address)
        if (before) before.host = host
        if (before || isStopped || watched.size >= mostWatched) continue
        // Few are asked within a second, and very many not all at once.
        const withinMs = Math.min(1_000 + exchangers.size * 20, options.intervalMs)
        const first = clock.after(random.number() * withinMs, () => void turn(one))
        const one: Watched = { address, host, health: freshHealth, wasReached: false, isTold: false, timer: first }
        watched.set(address, one)
      }
      const tooMany = exchangers.size - watched.size
      if (tooMany > 0 && tooMany !== lastTooMany)
        log.warn('too many exchangers to watch: the rest count as up', { watched: watched.size, others: tooMany })
      lastTooMany = tooMany
      known.tell()
    },
    stop() {
      isStopped = true
      for (const { timer } of watched.values()) timer.cancel()
      watched.clear()
    },
  }
}

/** What is known of those that are watched, by what they say, and who hears when it is something else. */
function createKnown(
  watched: ReadonlyMap<IpAddress, Watched>,
  { log, changed }: Pick<ExchangerHealthDeps, 'log' | 'changed'>,
) {
  const isDown = (address: IpAddress) => isDownAmong(watched, address)

  function heard(one: Watched, said: Knocked): void {
    const before = one.health
    const { host, address } = one
    switch (said.kind) {
      case 'up':
        one.health = nextHealth(before, { kind: 'opened' })
        if (!one.wasReached) log.info('exchanger is reached', { host, address })
        one.wasReached = true
        break
      case 'down':
        one.health = nextHealth(before, {
          ...{ kind: 'failed', isRefused: said.isRefused, isRefusingUs: false, fault: said.why },
        })
        break
      case 'not-asked':
        log.debug('exchanger not asked', { host, address, why: said.why })
        return
    }
    tell()
    // Down, and nobody answers who would show that it is not us.
    if (one.health.isDown && !before.isDown && !isDown(address))
      log.warn('exchanger not reached, and never was: not taken for down', { host, address, why: one.health.lastFault })
  }

  /** One that answers may show that others are down. */
  function tell(): void {
    let isChanged = false
    for (const one of watched.values()) {
      const now = isDown(one.address)
      if (now === one.isTold) continue
      one.isTold = now
      isChanged = true
      const { host, address } = one
      if (now) log.alert('exchanger is down', { host, address, why: one.health.lastFault })
      else log.info('exchanger is up again', { host, address })
    }
    if (isChanged) changed()
  }

  return { isDown, heard, tell }
}

/** Whether it does not answer, and that is not for us: it has before, or another of its family does. */
function isDownAmong(watched: ReadonlyMap<IpAddress, Watched>, address: IpAddress): boolean {
  const one = watched.get(address)
  if (!one?.health.isDown) return false
  return one.wasReached || [...watched.values()].some((other) => isUp(other) && isSameFamily(other.address, address))
}

const isUp = ({ health, wasReached }: Watched) => wasReached && health.failures === 0
const isSameFamily = (one: IpAddress, other: IpAddress) => isIpv6(one) === isIpv6(other)
