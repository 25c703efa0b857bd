/**
 * What may be wrong with a running gateway: backends that are down, mail that waits too long or cannot be held, a drain that stopped, our certificate near
 * its end, and all that the log marks as an alert. Looked at every few seconds and whenever a backend changes. Made by `watch`, which hands in what it knows.
 */
import { type Clock, Deadline } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { printable } from '../base/printable.ts'
import { lengthText } from '../base/time-text.ts'
import { type Standing, standings, standingText } from '../gateway/backends/standing.ts'
import { type AlertEvent, type CertificateEvent, type GatewayEvent, heardAlerts } from '../gateway/events.ts'
import type { Gauges } from '../gateway/figures/gauges.ts'
import type { LaneSummary } from '../queue/queue.ts'
import type { Route } from '../routing/backend.ts'
import type { Alerting } from './alerts/alerting.ts'
import type { Condition, Note } from './condition.ts'
import type { History } from './history.ts'
import { createOwnCertificate } from './own-certificate.ts'
import type { IsWell, ToldConditions } from './told-conditions.ts'

export interface GatewayConditions {
  tell(event: GatewayEvent): void
  /** Looks now. */
  look(): void
  /** The certificate that senders are shown, by its path, as it was read last. */
  certificate(): { readonly name: string; readonly endsMs: number } | undefined
  stop(): void
}

export interface WatchedGateway {
  readonly queueOlderThanMs: number
  readonly certificateEndsWithinMs: number
  /** Path of the PEM that senders are shown. */
  readonly certificate: string | undefined
  readonly routes: readonly Route[]
}

export interface GatewayConditionsDeps {
  readonly clock: Clock
  readonly log: Log
  readonly alerting: Pick<Alerting, 'note'>
  readonly conditions: ToldConditions
  readonly history: Pick<History, 'note'>
  readonly read: () => Gauges
  readonly watched: () => WatchedGateway
  readonly readText: (path: string) => Promise<string>
}

const lookMs = 5_000
const soonMs = 100
/** What is looked at may be long, and what happens may happen a hundred times a second. */
const apartMs = 500

/** Alerts of the log that are conditions here, with a beginning and an end. */
const conditionsAlready: ReadonlySet<string> = new Set([
  heardAlerts.mailIsHeld,
  heardAlerts.drainStopped,
  heardAlerts.storeNotWritten,
  heardAlerts.certificateUnusable,
])

export function createGatewayConditions(deps: GatewayConditionsDeps): GatewayConditions {
  const { clock, log, alerting, conditions, history, read, watched } = deps
  const looks = createLooks(clock, () => lookAt(read(), watched(), conditions, clock.now()))
  const certificate = createOwnCertificate({
    ...{ clock, log, conditions, readText: deps.readText },
    path: () => watched().certificate,
    endsWithinMs: () => watched().certificateEndsWithinMs,
  })

  function tellAlert(event: AlertEvent): void {
    if (conditionsAlready.has(event.event)) return
    // Of one domain's share alone, or of a message that was too long for the room left, it is no condition.
    if (event.event === heardAlerts.messageNotHeld && read().whyNotKept !== undefined) {
      looks.soon()
      return
    }
    const note = noteOf(event)
    const { kind, severity, title, detail, domain } = note
    alerting.note(note)
    history.note({ atMs: event.atMs, kind, severity, title, detail, domain: domain ?? null })
  }

  function renewed({ atMs, certificate: path }: CertificateEvent): void {
    history.note({
      atMs,
      kind: 'certificate-renewed',
      severity: 'notice',
      domain: null,
      title: 'our certificate was read anew',
      detail: printable(path, 300),
    })
    certificate.lookSoon()
  }

  return {
    tell(event) {
      switch (event.kind) {
        case 'backend-state':
          // Several addresses go at once, and a message is on its way here.
          return looks.soon()
        case 'drain-stopped':
          return conditions.raise(drainStopped(event.backend, event.why ?? ''))
        case 'drain-resumed':
          return conditions.clear(
            drainStopped(event.backend, '').key,
            `the drain to ${printable(event.backend, 300)} goes on`,
          )
        case 'certificate-renewed':
          return renewed(event)
        case 'alert':
          return tellAlert(event)
        default:
      }
    },
    look: looks.now,
    certificate: () => certificate.last,
    stop() {
      looks.stop()
      certificate.stop()
    },
  }
}

/** When it is looked: every few seconds, and soon where something has happened; not at all once it is stopped. */
function createLooks(clock: Clock, look: () => void) {
  let isStopped = false
  let isSoon = false
  let lookedMs = Number.NEGATIVE_INFINITY
  const alarm = new Deadline(clock, () => {
    lookedMs = clock.monotonicMs()
    isSoon = false
    look()
    alarm.arm(lookMs)
  })
  alarm.arm(lookMs)
  return {
    now() {
      if (!isStopped) look()
    },
    /** Once for all that comes until then: whoever comes last must neither put it off nor have it done again. */
    soon() {
      if (isSoon || isStopped) return
      isSoon = true
      alarm.armAt(Math.max(clock.monotonicMs() + soonMs, lookedMs + apartMs))
    },
    stop() {
      isStopped = true
      alarm.end()
    },
  }
}

/** Raises what is wrong now, and clears what is not any more. */
function lookAt(gauges: Gauges, watched: WatchedGateway, conditions: ToldConditions, nowMs: number): void {
  const { routes, queueOlderThanMs } = watched
  const standing = standings(gauges.backends)
  /**
   * @param now  what is so instead of one that is over. @param unsure  keys of what stays as it is, open or not.
   * @param isWell  of one that is over, whether that is good; where it is not said, it is */
  function raiseOnly(
    prefix: string,
    found: readonly Condition[],
    now: (condition: Condition) => string,
    { unsure = [], isWell }: { readonly unsure?: readonly string[]; readonly isWell?: IsWell } = {},
  ): void {
    for (const condition of found) conditions.raise(condition)
    conditions.clearAllBut(prefix, new Set([...found.map(({ key }) => key), ...unsure]), now, isWell)
  }
  raiseOnly(backendPrefix, backendsDown(gauges, routes), backendsNow(gauges, routes), {
    unsure: notUpYet(gauges),
    isWell: ({ key }) => standing.get(backendOf(key))?.worst === 'up',
  })
  const old = lanesOlderThan(queueOlderThanMs, gauges.heldByLane, nowMs)
  raiseOnly(lanePrefix, old, ({ key }) => laneNow(key.slice(lanePrefix.length), gauges.heldByLane))
  const closed = gauges.whyNotKept === undefined ? [] : [cannotHold(gauges.whyNotKept)]
  raiseOnly('hold', closed, () => 'mail can be held again')
}

function backendsDown(gauges: Gauges, routes: readonly Route[]): readonly Condition[] {
  const found = standings(gauges.backends)
  const isUp = (url: string) => found.get(url)?.serves ?? true
  return [...found].flatMap(([url, standing]) =>
    // Who is taken out by a person does not serve, and nobody need be told.
    standing.serves || standing.worst === 'out' ? [] : [backendDown(url, standing, lossOf(url, routes, isUp))],
  )
}

/** What a backend that is down is missed for, by the worst off of its routes: `all` has no other server, a `spare` had no mail now. */
type Loss = 'all' | 'shared' | 'spare' | 'last-spare'

function lossOf(url: string, routes: readonly Route[], isUp: (url: string) => boolean): Loss {
  const losses = routes.flatMap(({ entries }): Loss[] => {
    const own = entries.find(({ backend }) => backend.url === url)
    if (!own) return []
    const preferences = entries.filter(({ backend }) => isUp(backend.url)).map(({ preference }) => preference)
    const [best] = preferences.toSorted((one, other) => one - other)
    if (best === undefined) return ['all']
    if (best >= own.preference) return ['shared']
    return preferences.every((preference) => preference === best) ? ['last-spare'] : ['spare']
  })
  const fromWorst: readonly Loss[] = ['all', 'shared', 'last-spare', 'spare']
  return fromWorst.find((loss) => losses.includes(loss)) ?? 'shared'
}

const lossText: Readonly<Record<Loss, string>> = {
  all: 'A route has no other server that takes its mail now: it is held here.',
  shared: 'Other servers of its routes take its mail meanwhile.',
  spare: 'It had no mail now: servers that are tried before it take it, and others stand in if they fail.',
  'last-spare': 'It had no mail now: servers that are tried before it take it, but nothing stands in if they fail.',
}

/** Those that may serve and of which none is known to: what was down is over when it answers, and not because a new process has not asked it yet. */
const notUpYet = (gauges: Gauges): readonly string[] =>
  [...standings(gauges.backends)].flatMap(([url, { serves, isUp }]) => (serves && !isUp ? [backendKey(url)] : []))

/** Of a backend that was down, what it is instead: up, taken out by a person, or nobody's any more. */
function backendsNow(gauges: Gauges, routes: readonly Route[]): (condition: Condition) => string {
  const found = standings(gauges.backends)
  return ({ key }) => {
    const url = backendOf(key)
    const standing = found.get(url)
    const name = printable(url, 300)
    if (standing) return `${name} ${standing.worst === 'up' ? 'is up again' : standingText(standing)}`
    const isDeclared = routes.some(({ entries }) => entries.some(({ backend }) => backend.url === url))
    return isDeclared ? `${name} is not down any more` : `no route leads to ${name} any more`
  }
}

/** Of a way where mail waited too long, how it is instead. */
function laneNow(lane: string, lanes: readonly LaneSummary[]): string {
  const found = lanes.find((each) => each.lane === lane)
  const waits = found?.oldestMs === undefined ? 'no mail waits' : 'no mail waits too long'
  return `${waits} on the way ${printable(lane, 300)} any more`
}

function lanesOlderThan(mostMs: number, lanes: readonly LaneSummary[], nowMs: number): readonly Condition[] {
  return lanes.flatMap(({ lane, oldestMs, ready, waiting, unknown }) => {
    if (oldestMs === undefined || nowMs - oldestMs < mostMs) return []
    return [mailWaits(lane, ready + waiting + unknown, nowMs - oldestMs)]
  })
}

function noteOf({ event, about }: AlertEvent): Note {
  const { remedy, why, id, ...rest } = about
  const of = Object.entries(rest).map(([name, value]) => `${name} ${printable(value, 300)}`)
  const title = of.length > 0 ? `${event}: ${of.join(', ')}` : event
  const detail = [
    why && `${why}${why.endsWith('.') ? '' : '.'}`,
    id && `Message ${id}.`,
    remedy && `What to do: ${remedy}`,
  ].filter((text) => text !== undefined && text !== '')
  const { backend, route, lane, domain } = about
  return {
    // Many domains may share a route, and what is wrong with one is no word on another.
    key: `${event} ${backend ?? (route && `${route} ${domain ?? ''}`) ?? lane ?? ''}`,
    kind: 'gateway-alert',
    severity: 'error',
    domain,
    title: printable(title, 500),
    detail: printable(detail.join(' '), 1_000),
  }
}

const backendPrefix = 'backend '
const lanePrefix = 'queue '
const backendKey = (url: string) => `${backendPrefix}${url}`

/** URL of the backend that a condition of kind `backend-down` is about. @param key  of the condition */
export const backendOf = (key: string): string => key.slice(backendPrefix.length)

const backendDown = (url: string, standing: Standing, loss: Loss): Condition => ({
  key: backendKey(url),
  kind: 'backend-down',
  severity: loss === 'all' ? 'error' : 'warning',
  domain: undefined,
  title: `${printable(url, 300)} ${standingText(standing)}`,
  detail: `${printable(standing.lastError ?? whyNotServing(standing), 500)}. ${lossText[loss]}`,
  remedy:
    standing.remedy === undefined
      ? 'See to the server; it is tried again at least every half minute, and gets mail as soon as it answers.'
      : printable(`${standing.remedy.slice(0, 1).toUpperCase()}${standing.remedy.slice(1)}.`, 500),
})

const whyNotServing = ({ worst }: Standing) =>
  worst === 'slow' ? 'several messages wait for its answer for over a minute' : 'no answer'

function mailWaits(lane: string, held: number, ageMs: number): Condition {
  const blank = lane.lastIndexOf(' ')
  return {
    key: `${lanePrefix}${lane}`,
    kind: 'queue-old',
    severity: 'warning',
    domain: blank > 0 ? printable(lane.slice(blank + 1), 300) : undefined,
    title: `mail waits on the way ${printable(lane, 300)}`,
    detail: `${held} ${held === 1 ? 'message is' : 'messages are'} held; the oldest has waited for ${lengthText(ageMs)}.`,
    remedy: '"waypost backend list" says which server is away, "waypost queue list" what each message waits for.',
  }
}

const cannotHold = (why: string): Condition => ({
  key: 'hold',
  kind: 'hold-closed',
  severity: 'error',
  domain: undefined,
  title: 'mail cannot be held',
  detail: `${printable(why, 300)}. What a backend takes goes on; while none does, senders are asked to come again.`,
  remedy: 'See to the disk of the state folder and to "limits.hold"; it is tried again at least every half minute.',
})

const drainStopped = (backend: string, why: string): Condition => ({
  key: `drain ${backend}`,
  kind: 'drain-stopped',
  severity: 'error',
  domain: undefined,
  title: `the drain to ${printable(backend, 300)} has stopped`,
  detail: `${printable(why, 500)}. It looks as if the server had come back without its users.`,
  remedy: `Look whether the server knows its users, then: waypost queue resume ${printable(backend, 300)}`,
})
