/**
 * Figures that outlive the process: what the gateway tells is added up by hour and domain, backends are looked at every ten seconds, outages have a
 * beginning and an end. Written once a minute and at the end; a process that is killed loses a minute of figures and no mail. Made by `watch`.
 */
import { type Clock, Deadline } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { standings } from '../gateway/backends/standing.ts'
import type { GatewayEvent } from '../gateway/events.ts'
import type { Gauges } from '../gateway/figures/gauges.ts'
import { countFine } from '../gateway/figures/histogram.ts'
import { StoreFailure } from '../store/failure.ts'
import type { SeenExchanger } from './checked-state.ts'
import type { History } from './history.ts'
import { addTo, HourlySums } from './hourly-sums.ts'
import type { Outages } from './outages.ts'
import type { Flush } from './tables.ts'

export interface Recorder {
  tell(event: GatewayEvent): void
  /** What a check found of the exchangers of a domain. */
  looked(exchangers: readonly SeenExchanger[], atMs: number): void
  /** Looks, and writes what there is now. Never rejects for the store. */
  flush(): Promise<void>
  stop(): Promise<void>
}

export interface RecorderDeps {
  readonly clock: Clock
  readonly log: Log
  readonly history: Pick<History, 'flush'>
  readonly outages: Outages
  /** Undefined: there is no gateway here. */
  readonly read: (() => Gauges) | undefined
}

const flushMs = 60_000
const lookMs = 10_000

export function createRecorder({ clock, log, history, outages, read }: RecorderDeps): Recorder {
  const sums = new HourlySums()
  let lookedMs = clock.monotonicMs()
  let flushing: Promise<void> = Promise.resolve()
  const flushAlarm = new Deadline(clock, () => {
    void flush()
    flushAlarm.arm(flushMs)
  })
  const lookAlarm = new Deadline(clock, () => {
    look()
    lookAlarm.arm(lookMs)
  })
  flushAlarm.arm(flushMs)
  if (read) lookAlarm.arm(lookMs)

  /** What a backend was found to be is what it has been since the last look. */
  function look(): void {
    if (!read) return
    const gauges = read()
    const nowMs = clock.now()
    const sinceMs = Math.min(3 * lookMs, Math.round(clock.monotonicMs() - lookedMs))
    lookedMs = clock.monotonicMs()
    for (const [url, { serves, isUp, worst }] of standings(gauges.backends)) {
      // Taken out by a person is neither up nor down. Nor is one that has just failed, or was down before the start and has not answered yet.
      if (worst === 'out' || (serves && !isUp)) continue
      sums.addAvailable('backend', url, isUp ? sinceMs : 0, sinceMs, nowMs)
      outages.backend(url, isUp, nowMs)
    }
    if (outages.hasHeld) outages.held(gauges.heldByDomain, nowMs)
  }

  function flush(): Promise<void> {
    flushing = flushing.then(async () => {
      const taken = sums.take()
      const what: Flush = { ...taken, outages: outages.changed() }
      if (what.hours.length + what.available.length + what.outages.length === 0) return
      try {
        await history.flush(what)
      } catch (error) {
        if (!(error instanceof StoreFailure)) return log.error('figures not written', { error })
        // It goes along with the next, unless it may have been written: counted twice would be worse than not at all.
        if (!error.isUnknown) sums.putBack(taken)
        outages.notWritten(what.outages)
      }
    })
    return flushing
  }

  return {
    tell: (event) => count(event, sums, outages),
    looked(exchangers, atMs) {
      for (const { name, address, answered } of exchangers)
        if (answered !== undefined) sums.addAvailable('exchanger', `${name} ${address}`, answered ? 1 : 0, 1, atMs)
    },
    flush() {
      look()
      return flush()
    },
    async stop() {
      flushAlarm.end()
      lookAlarm.end()
      look()
      await flush()
    },
  }
}

/** Adds what the gateway tells to the sums of its hour, and to outages. */
function count(event: GatewayEvent, sums: HourlySums, outages: Outages): void {
  switch (event.kind) {
    case 'delivered':
    case 'refused':
    case 'deferred':
    case 'held':
    case 'unknown': {
      for (const domain of event.domains) {
        const hour = sums.of(domain, event.atMs)
        addTo(hour, event.kind)
        if (event.kind === 'delivered') countFine(hour.latency, event.ms)
        if (event.kind !== 'refused' && event.kind !== 'deferred') addTo(hour, 'bytes', event.bytes)
        if (event.kind === 'held' || event.kind === 'unknown') outages.heldOne(domain, event.bytes, event.atMs)
      }
      return
    }
    case 'attempt': {
      if (event.outcome !== 'delivered') return
      for (const domain of event.domains) {
        addTo(sums.of(domain, event.atMs), 'drained')
        outages.drainedOne(domain, event.heldMs)
      }
      return
    }
    case 'recipient-refused':
      if (event.domain !== undefined) addTo(sums.of(event.domain, event.atMs), 'recipientsRefused')
      return
    case 'refused-after-hold':
      if (event.domain !== undefined) addTo(sums.of(event.domain, event.atMs), 'refusedAfterHold', event.recipients)
      return
    case 'expired':
      for (const domain of event.domains) outages.expiredOne(domain)
      return
    case 'message-stopped':
    case 'recipient-deferred':
    case 'backend-state':
    case 'drain-stopped':
    case 'drain-resumed':
    case 'certificate-renewed':
    case 'connection-refused':
    case 'by-person':
    case 'alert':
  }
}
