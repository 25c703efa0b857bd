/**
 * Watching: its table of contents. It builds the parts and wires them; what each does stands in its own file.
 *
 *   gateway events, gauges → gateway-conditions ─┐
 *   domains → rounds (checks) → tell-changes ────┤→ alerting → broadcast → a sending each → mail, webhook, program
 *                    ↘ history (store) ↙                       ↘ ping, as long as all is alive
 *   gateway events → recorder (hours, availability, outages) → history → report
 *
 * `cli` makes one within `serve`, and one without a gateway for `waypost watch`.
 */
import type { Clock } from '../base/clock.ts'
import type { Door } from '../base/door.ts'
import type { HostLookup } from '../base/host-lookup.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import type { SecretReader } from '../base/secret.ts'
import type { Checked } from '../checks/check-domain.ts'
import type { GatewayEvent } from '../gateway/events.ts'
import type { Gauges } from '../gateway/figures/gauges.ts'
import type { GatewaySettings } from '../gateway/settings.ts'
import type { HostName } from '../mail/address.ts'
import type { Recipient } from '../mail/message.ts'
import type { Declaration } from '../publish/declare/declaration.ts'
import { declaredDomain } from '../routing/destinations.ts'
import { type Alerting, type AlertingOptions, createAlerting } from './alerts/alerting.ts'
import { type BroadcastSettings, createBroadcast } from './alerts/broadcast.ts'
import type { OpenCondition } from './alerts/open-conditions.ts'
import { createUnsent } from './alerts/unsent.ts'
import type { CheckedState } from './checked-state.ts'
import type { Condition } from './condition.ts'
import { backendOf, createGatewayConditions, type GatewayConditions } from './gateway-conditions.ts'
import { createGlance, type Glance } from './glance.ts'
import type { History } from './history.ts'
import { createOutages } from './outages.ts'
import { createRecorder } from './recorder.ts'
import { createRounds } from './rounds.ts'
import type { WatchedDomain, WatchingSettings } from './settings.ts'
import type { OutageRow } from './tables.ts'
import { createToldConditions } from './told-conditions.ts'

export interface Watch {
  /** Give it what the gateway tells. */
  tell(event: GatewayEvent): void
  /** Something is wrong, or in order again, that only the caller knows of. */
  raise(condition: Condition): void
  /** @param now  what is so instead: one printable line */
  clear(key: string, now: string): void
  /** URLs of the backends that were down when the last process ended. */
  readonly downBefore: readonly string[]
  /** What stands, worst first. What is in order again has `clearedMs`, until it is told to be over. */
  conditions(): readonly OpenCondition[]
  /** What the last check of a domain found; undefined where there was none. */
  domain(name: string): Promise<CheckedState | undefined>
  /** The same for all domains that were checked since the start, up to 5,000: findings by severity, certificates. */
  states(): ReadonlyMap<string, CheckedState>
  /** Sums for monitoring, cheap to ask for. */
  glance(): Glance
  /** Those that are checked. */
  domains(): readonly WatchedDomain[]
  /** Checks a domain now. */
  checkNow(name: HostName): Promise<CheckedState>
  /** Tells whatever is to be told, and waits until each way has been tried once: for a process that ends. */
  tellNow(): Promise<void>
  readonly history: History
  /** Writes the figures of the last minute now: before a report is made. */
  flush(): Promise<void>
  /** New settings from now on. */
  apply(settings: WatchedSettings): void
  stop(): Promise<void>
}

/** What of a configuration concerns watching. */
export interface WatchedSettings extends WatchingSettings {
  readonly gateway: Pick<GatewaySettings, 'hostname' | 'destinations' | 'tls'>
  readonly declarations: readonly Declaration[]
}

export interface WatchDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly door: Door
  readonly history: History
  /** Of the hosts of channels. */
  readonly lookupHost: HostLookup
  readonly readSecret: SecretReader
  readonly readText: (path: string) => Promise<string>
  /** Of a running gateway; undefined where there is none in this process. */
  readonly read: (() => Gauges) | undefined
  /** One check; the checker is `cli`'s, who knows resolver and flags. */
  readonly check: (domain: WatchedDomain, probe: WatchingSettings['watch']['probe']) => Promise<Checked>
  /** Why the machine under all this is not well, such as a store that cannot be written; undefined: it is. */
  readonly whyNotWell: () => string | undefined
}

const tidyMs = 3_600_000
const beatMs = 60_000

/** Rejects with a `StoreFailure` where the store cannot be read. */
export async function createWatch(initial: WatchedSettings, deps: WatchDeps): Promise<Watch> {
  const { clock, random, log, history, read } = deps
  let settings = initial
  const [before, openOutages, left] = await Promise.all([history.conditions(), history.openOutages(), history.unsent()])
  const domainsNow = createDomainsNow(() => settings)
  const heart = createHeart(history, { clock, log, whyNotWell: deps.whyNotWell })
  const broadcast = createBroadcast(broadcastOf(initial), {
    ...deps,
    whyNotAlive: heart.whyNotAlive,
    unsent: createUnsent(left, {
      ...{ clock, rows: history },
      newId: () => Buffer.from(random.bytes(12)).toString('base64url'),
    }),
  })
  const alerting: Alerting = createAlerting(() => alertingOptions(settings), before, {
    ...{ clock, log, send: broadcast.send, saved: history.save },
  })
  const conditions = createToldConditions({ clock, alerting, history })
  const declaredOf = (domain: string) => declaredDomain(settings.gateway.destinations, somebodyAt(domain))
  const recorder = createRecorder({
    ...{ clock, log, history, read },
    outages: createOutages(openOutages, declaredOf, random),
  })
  const gateway: GatewayConditions | undefined =
    read &&
    createGatewayConditions({
      ...{ clock, log, alerting, conditions, history, read, readText: deps.readText },
      watched: () => ({
        queueOlderThanMs: settings.watch.queueOlderThan,
        certificateEndsWithinMs: settings.watch.certificateEndsWithin,
        certificate: settings.gateway.tls?.certificate,
        routes: settings.gateway.destinations.routes,
      }),
    })
  const rounds = createRounds({
    ...{ clock, random, log, alerting, history, looked: recorder.looked },
    everyMs: () => settings.watch.checks ?? 0,
    domains: domainsNow,
    check: (domain) => deps.check(domain, settings.watch.probe),
  })
  const glance = createGlance({
    ...{ clock, states: rounds.states, open: alerting.open },
    ownCertificate: () => gateway?.certificate(),
  })

  return {
    tell(event) {
      recorder.tell(event)
      gateway?.tell(event)
    },
    downBefore: backendsDownIn(before, openOutages),
    raise: conditions.raise,
    clear: conditions.clear,
    conditions: () => alerting.open(),
    async domain(name) {
      const known = rounds.states().get(name)
      if (known) return known
      const kept = await history.seen(name)
      return kept && (JSON.parse(kept.value) as CheckedState)
    },
    states: () => rounds.states(),
    glance,
    domains: domainsNow,
    checkNow: (name) => rounds.checkNow(name),
    async tellNow() {
      alerting.tellNow()
      await broadcast.tried()
    },
    history,
    flush: () => recorder.flush(),
    apply(next) {
      settings = next
      broadcast.apply(broadcastOf(next))
      rounds.changed()
    },
    async stop() {
      heart.stop()
      gateway?.stop()
      alerting.stop()
      broadcast.close()
      rounds.stop()
      await recorder.stop()
      await history.settled()
    },
  }
}

/** The alert stands from the first moment, the outage in the report from the next look. */
const backendsDownIn = (conditions: readonly OpenCondition[], outages: readonly OutageRow[]): readonly string[] => [
  ...new Set([
    ...conditions.flatMap(({ condition: { kind, key }, clearedMs }) =>
      kind === 'backend-down' && clearedMs === undefined ? [backendOf(key)] : [],
    ),
    ...outages.flatMap(({ kind, name }) => (kind === 'backend' ? [name] : [])),
  ]),
]

const broadcastOf = ({ alerts, gateway: { hostname } }: WatchedSettings): BroadcastSettings => ({ alerts, hostname })

/** Whose domain is asked for: anybody's there. */
const somebodyAt = (domain: string): Recipient => ({
  localPart: 'somebody',
  domain: domain as HostName,
  literal: undefined,
  text: `somebody@${domain}`,
})

interface Heart {
  /** Why the ping is not to say that all is well: the machine under it is not, or this has not been looked at for minutes. */
  whyNotAlive(): string | undefined
  stop(): void
}

/** Beats once a minute, and from time to time takes away what is too old in the history. */
function createHeart(history: Pick<History, 'tidy'>, deps: Pick<WatchDeps, 'clock' | 'log' | 'whyNotWell'>): Heart {
  const { clock, log, whyNotWell } = deps
  let lastBeatMs = clock.monotonicMs()
  let tidiedMs = lastBeatMs
  let timer = clock.after(beatMs, beat)

  function beat(): void {
    lastBeatMs = clock.monotonicMs()
    timer = clock.after(beatMs, beat)
    if (lastBeatMs - tidiedMs >= tidyMs) void tidy()
  }

  async function tidy(): Promise<void> {
    tidiedMs = clock.monotonicMs()
    try {
      for (let turn = 0; turn < 20 && (await history.tidy(clock.now())); turn++);
    } catch (error) {
      log.debug('history not tidied', { error })
    }
  }

  return {
    whyNotAlive: () =>
      clock.monotonicMs() - lastBeatMs > 5 * beatMs ? 'nothing has been looked at for minutes' : whyNotWell(),
    stop: () => timer.cancel(),
  }
}

function alertingOptions({ watch, alerts }: WatchedSettings): AlertingOptions {
  const { email, webhook, command } = alerts
  return {
    isHeard: email.length + webhook.length + command.length > 0,
    groupMs: alerts.group,
    intervalMs: alerts.interval,
    repeatMs: alerts.repeat ?? 86_400_000,
    settleMs: watch.settle,
    afterMs: ({ kind }) => (kind === 'backend-down' ? watch.backendDownFor : 0),
    quiet: alerts.quiet,
  }
}

/** Made once for each load of the settings, because there may be very many. */
function createDomainsNow(settings: () => WatchedSettings): () => readonly WatchedDomain[] {
  let last: { readonly of: WatchedSettings; readonly domains: readonly WatchedDomain[] } | undefined
  return () => {
    if (last?.of !== settings()) last = { of: settings(), domains: watchedDomains(settings()) }
    return last.domains
  }
}

/** Domains whose mail we take or whose records we publish; one that covers subdomains has no records of its own to check. */
function watchedDomains({ gateway: { destinations }, declarations }: WatchedSettings): readonly WatchedDomain[] {
  const found = new Map<HostName, WatchedDomain>()
  for (const { name, subdomains } of destinations.domains)
    if (!subdomains) found.set(name, { name, declaration: undefined })
  for (const declaration of declarations) found.set(declaration.domain, { name: declaration.domain, declaration })
  return [...found.values()]
}
