/**
 * Watching: its table of contents. It builds the parts and wires them; what each does stands in its own file.
 *
 *   gateway events, gauges → gateway-conditions ─┐
 *   domains → rounds (checks) ───────────────────┤→ alerting → sending → mail, webhook, program
 *                    ↘ history (store) ↙          ↘ ping, as long as all is alive
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
import type { Severity } from '../checks/finding.ts'
import type { GatewayEvent } from '../gateway/events.ts'
import type { Gauges } from '../gateway/figures/figures.ts'
import type { GatewaySettings } from '../gateway/settings.ts'
import type { HostName } from '../mail/address.ts'
import type { Declaration } from '../publish/declaration.ts'
import { declaredDomain } from '../routing/destinations.ts'
import { type Alerting, type AlertingOptions, createAlerting, type OpenCondition } from './alerts/alerting.ts'
import { createChannels } from './alerts/channels.ts'
import type { ChannelDeps } from './alerts/http-channel.ts'
import { createPing, type Ping } from './alerts/ping.ts'
import { createSending, type Sending } from './alerts/sending.ts'
import type { Condition } from './condition.ts'
import type { DomainState } from './domain-state.ts'
import { createGatewayConditions, type GatewayConditions } from './gateway-conditions.ts'
import type { History } from './history.ts'
import { createOutages } from './outages.ts'
import { createRecorder } from './recorder.ts'
import { createRounds, type WatchedDomain } from './rounds.ts'
import type { WatchingSettings } from './settings.ts'

export interface Watch {
  /** Give it what the gateway tells. */
  tell(event: GatewayEvent): void
  /** Something is wrong, or in order again, that only the caller knows of. */
  raise(condition: Condition): void
  clear(key: string): void
  /** What is wrong now, worst first: for the dashboard and for metrics. */
  conditions(): readonly OpenCondition[]
  /** What the last check of a domain found; undefined where there was none. */
  domain(name: string): Promise<DomainState | undefined>
  /** The same for all domains that were checked since the start, up to 5,000: findings by severity, certificates. */
  states(): ReadonlyMap<string, DomainState>
  /** Sums for monitoring, cheap to ask for. */
  glance(): Glance
  /** Those that are checked. */
  domains(): readonly WatchedDomain[]
  /** Checks a domain now. */
  checkNow(name: HostName): Promise<DomainState>
  /** Tells whatever is to be told, and waits until each way has been tried once: for a process that ends. */
  tellNow(): Promise<void>
  readonly history: History
  /** Writes the figures of the last minute now: before a report is made. */
  flush(): Promise<void>
  /** New settings from now on. */
  apply(settings: WatchedSettings): void
  stop(): Promise<void>
}

export interface Glance {
  /** Of the last checks, over all domains that were checked since the start (5,000 at most). */
  readonly findings: Readonly<Record<Severity, number>>
  readonly checkedDomains: number
  /** Of the oldest of those checks; undefined: there was none. */
  readonly oldestCheckMs: number | undefined
  /** What is wrong now, told or not. */
  readonly conditions: Readonly<Record<Severity, number>>
  /** Ours, by its path, and those that exchangers showed; at most 200, the first to end first. */
  readonly certificates: readonly { readonly name: string; readonly endsMs: number }[]
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
const mostCertificates = 200
/** Pages ask each second; findings change by the hour. */
const glanceMs = 5_000
const tickMs = 60_000

/** Rejects with a `StoreFailure` where the store cannot be read. */
export async function createWatch(initial: WatchedSettings, deps: WatchDeps): Promise<Watch> {
  const { clock, random, log, history, read } = deps
  let settings = initial
  const [before, openOutages] = await Promise.all([history.conditions(), history.openOutages()])
  let ways = openWays(settings, deps, whyNotAlive)
  let declared: { readonly of: WatchedSettings; readonly domains: readonly WatchedDomain[] } | undefined
  let lastTickMs = clock.monotonicMs()
  let glanced: { readonly atMs: number; readonly is: Glance } | undefined

  const alerting: Alerting = createAlerting(() => alertingOptions(settings), before, {
    clock,
    send(message) {
      for (const sending of ways.sendings) sending.send(message)
    },
    saved: history.save,
  })
  const recorder = createRecorder({
    clock,
    log,
    history,
    outages: createOutages(openOutages, declaredOf, random),
    read,
  })
  const gateway: GatewayConditions | undefined =
    read &&
    createGatewayConditions({
      clock,
      log,
      alerting,
      history,
      read,
      readText: deps.readText,
      watched: () => ({
        queueOlderThanMs: settings.watch.queueOlderThan,
        certificateEndsWithinMs: settings.watch.certificateEndsWithin,
        certificate: settings.gateway.tls?.certificate,
        routes: settings.gateway.destinations.routes,
      }),
    })
  const rounds = createRounds({
    clock,
    random,
    log,
    alerting,
    history,
    everyMs: () => settings.watch.checks ?? 0,
    domains: domainsNow,
    check: (domain) => deps.check(domain, settings.watch.probe),
    looked: recorder.looked,
  })
  let timer = clock.after(tickMs, tick)

  function tick(): void {
    lastTickMs = clock.monotonicMs()
    timer = clock.after(tickMs, tick)
    if (lastTickMs - tidiedMs >= tidyMs) void tidy()
  }

  let tidiedMs = clock.monotonicMs()
  async function tidy(): Promise<void> {
    tidiedMs = clock.monotonicMs()
    try {
      for (let turn = 0; turn < 20 && (await history.tidy(clock.now())); turn++);
    } catch (error) {
      log.debug('history not tidied', { error })
    }
  }

  function whyNotAlive(): string | undefined {
    if (clock.monotonicMs() - lastTickMs > 5 * tickMs) return 'nothing has been looked at for minutes'
    return deps.whyNotWell()
  }

  function domainsNow(): readonly WatchedDomain[] {
    if (declared?.of !== settings) declared = { of: settings, domains: watchedDomains(settings) }
    return declared.domains
  }

  function declaredOf(domain: string): string | undefined {
    const somebody = {
      localPart: 'somebody',
      domain: domain as HostName,
      literal: undefined,
      text: `somebody@${domain}`,
    }
    return declaredDomain(settings.gateway.destinations, somebody)
  }

  return {
    tell(event) {
      recorder.tell(event)
      gateway?.tell(event)
    },
    raise(condition) {
      if (alerting.raise(condition)) noteCondition(condition, 'began')
    },
    clear(key) {
      const found = alerting.open().find(({ condition }) => condition.key === key)
      if (found && alerting.clear(key)) noteCondition(found.condition, 'over')
    },
    conditions: () => alerting.open(),
    async domain(name) {
      const known = rounds.states().get(name)
      if (known) return known
      const kept = await history.seen(name)
      return kept && (JSON.parse(kept.value) as DomainState)
    },
    states: () => rounds.states(),
    glance,
    domains: domainsNow,
    checkNow: (name) => rounds.checkNow(name),
    async tellNow() {
      alerting.tellNow()
      await Promise.all(ways.sendings.map((sending) => sending.tried()))
    },
    history,
    flush: () => recorder.flush(),
    apply(next) {
      const old = settings
      settings = next
      if (
        JSON.stringify(old.alerts) !== JSON.stringify(next.alerts) ||
        old.gateway.hostname !== next.gateway.hostname
      ) {
        closeWays(ways)
        ways = openWays(next, deps, whyNotAlive)
      }
      rounds.changed()
    },
    async stop() {
      timer.cancel()
      gateway?.stop()
      alerting.stop()
      closeWays(ways)
      await rounds.stop()
      await recorder.stop()
      await history.settled()
    },
  }

  function glance(): Glance {
    const nowMs = clock.monotonicMs()
    if (!glanced || nowMs - glanced.atMs >= glanceMs) glanced = { atMs: nowMs, is: lookOver() }
    return glanced.is
  }

  function lookOver(): Glance {
    const findings = { notice: 0, warning: 0, error: 0 }
    const conditions = { notice: 0, warning: 0, error: 0 }
    const certificates = new Map<string, number>()
    let oldestCheckMs: number | undefined
    for (const state of rounds.states().values()) {
      for (const { severity } of state.findings) findings[severity]++
      // Several addresses of a host may show several: the first to end is what matters.
      for (const { exchanger, endsMs } of state.certificates)
        certificates.set(exchanger, Math.min(endsMs, certificates.get(exchanger) ?? endsMs))
      oldestCheckMs = Math.min(state.atMs, oldestCheckMs ?? state.atMs)
    }
    for (const { condition, clearedMs } of alerting.open())
      if (clearedMs === undefined) conditions[condition.severity]++
    const own = gateway?.certificate()
    const seen = [...certificates].map(([name, endsMs]) => ({ name, endsMs }))
    return {
      findings,
      conditions,
      checkedDomains: rounds.states().size,
      oldestCheckMs,
      certificates: [...(own ? [own] : []), ...seen]
        .sort((one, other) => one.endsMs - other.endsMs)
        .slice(0, mostCertificates),
    }
  }

  function noteCondition({ kind, severity, domain, title, detail }: Condition, what: 'began' | 'over'): void {
    const isOver = what === 'over'
    history.note({
      atMs: clock.now(),
      kind: isOver ? `${kind}-over` : kind,
      severity: isOver ? 'notice' : severity,
      domain: domain ?? null,
      title: isOver ? `over: ${title}` : title,
      detail: isOver ? '' : detail,
    })
  }
}

interface Ways {
  readonly sendings: readonly Sending[]
  readonly ping: Ping | undefined
}

function openWays({ alerts, gateway }: WatchedSettings, deps: WatchDeps, whyNotAlive: () => string | undefined): Ways {
  const { clock, random, log, door, lookupHost, readSecret, readText } = deps
  const channelDeps: ChannelDeps = { clock, door, lookupHost, readSecret, readText }
  const channels = createChannels(alerts, { hostname: gateway.hostname }, channelDeps)
  return {
    sendings: channels.map((channel) => createSending(channel, alerts.tries, { clock, random, log })),
    ping: alerts.ping && createPing(alerts.ping, { ...channelDeps, random, log, whyNotAlive }),
  }
}

function closeWays({ sendings, ping }: Ways): void {
  for (const sending of sendings) sending.stop()
  ping?.stop()
}

function alertingOptions({ watch, alerts }: WatchedSettings): AlertingOptions {
  return {
    groupMs: alerts.group,
    intervalMs: alerts.interval,
    repeatMs: alerts.repeat ?? 86_400_000,
    settleMs: watch.settle,
    afterMs: ({ kind }) => (kind === 'backend-down' ? watch.backendDownFor : 0),
    quiet: alerts.quiet,
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
