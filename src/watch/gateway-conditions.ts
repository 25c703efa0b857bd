/**
 * What may be wrong with a running gateway: backends that are down, mail that waits too long or cannot be held, a drain that stopped, our certificate near
 * its end, and all that the log marks as an alert. Looked at every few seconds and whenever a backend changes. Made by `watch`, which hands in what it knows.
 */
import { X509Certificate } from 'node:crypto'
import { type Clock, Deadline } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { printable } from '../base/printable.ts'
import type { Severity } from '../checks/finding.ts'
import type { AlertEvent, GatewayEvent } from '../gateway/events.ts'
import type { Gauges } from '../gateway/figures/figures.ts'
import type { LaneSummary } from '../queue/queue.ts'
import type { Route } from '../routing/backend.ts'
import type { Alerting } from './alerts/alerting.ts'
import { lengthText, timeText } from './alerts/wording.ts'
import type { Condition } from './condition.ts'
import type { History } from './history.ts'
import { backendStates } from './recorder.ts'

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
  readonly alerting: Alerting
  readonly history: Pick<History, 'note'>
  readonly read: () => Gauges
  readonly watched: () => WatchedGateway
  readonly readText: (path: string) => Promise<string>
}

const lookMs = 5_000
const soonMs = 100
const certificateMs = 3_600_000
const dayMs = 86_400_000

/** Alerts of the log that are conditions here, with a beginning and an end. */
const conditionsAlready: ReadonlySet<string> = new Set([
  'mail is held',
  'drain stopped',
  'the store cannot be written',
  'certificate not usable, the old one stays',
])

export function createGatewayConditions(deps: GatewayConditionsDeps): GatewayConditions {
  const { clock, log, alerting, history, read, watched } = deps
  let isStopped = false
  let own: { readonly name: string; readonly endsMs: number } | undefined
  const alarm = new Deadline(clock, () => {
    look()
    alarm.arm(lookMs)
  })
  const certificateAlarm = new Deadline(clock, () => {
    void lookAtCertificate()
      .catch((error: unknown) => log.error('certificate not looked at', { error }))
      .finally(() => {
        if (!isStopped) certificateAlarm.arm(certificateMs)
      })
  })
  alarm.arm(lookMs)
  certificateAlarm.arm(0)

  function look(): void {
    if (isStopped) return
    const gauges = read()
    lookAtBackends(gauges)
    lookAtQueue(gauges.heldByLane)
    lookAtHold(gauges.whyNotKept)
  }

  function lookAtHold(why: string | undefined): void {
    if (why === undefined) clear(cannotHold(''))
    else raise(cannotHold(why))
  }

  function lookAtBackends(gauges: Gauges): void {
    const states = backendStates(gauges)
    const down = new Set<string>()
    for (const [url, state] of states) {
      if (state !== 'down') continue
      const why = gauges.backends.find((each) => each.url === url && each.lastError !== null)?.lastError ?? 'no answer'
      const condition = backendDown(url, why, isLastOf(url, states) ? 'error' : 'warning')
      down.add(condition.key)
      raise(condition)
    }
    clearAllBut('backend ', down)
  }

  /** Some route leads nowhere else now. */
  function isLastOf(url: string, states: ReadonlyMap<string, string>): boolean {
    return watched().routes.some(
      ({ entries }) =>
        entries.some(({ backend }) => backend.url === url) &&
        entries.every(({ backend }) => (states.get(backend.url) ?? 'up') !== 'up'),
    )
  }

  function lookAtQueue(lanes: readonly LaneSummary[]): void {
    const nowMs = clock.now()
    const old = new Set<string>()
    for (const { lane, oldestMs, ready, waiting, unknown } of lanes) {
      if (oldestMs === undefined || nowMs - oldestMs < watched().queueOlderThanMs) continue
      const held = ready + waiting + unknown
      const blank = lane.lastIndexOf(' ')
      const shown = printable(lane, 300)
      const condition: Condition = {
        key: `queue ${lane}`,
        kind: 'queue-old',
        severity: 'warning',
        domain: blank > 0 ? printable(lane.slice(blank + 1), 300) : undefined,
        title: `mail waits on the way ${shown}`,
        detail: `${held} ${held === 1 ? 'message is' : 'messages are'} held; the oldest has waited for ${lengthText(nowMs - oldestMs)}.`,
        remedy: '"waypost backend list" says which server is away, "waypost queue list" what each message waits for.',
      }
      old.add(condition.key)
      raise(condition)
    }
    clearAllBut('queue ', old)
  }

  async function lookAtCertificate(): Promise<void> {
    const { certificate, certificateEndsWithinMs } = watched()
    const found = certificate === undefined ? undefined : await endOf(certificate)
    own = found === undefined || certificate === undefined ? undefined : { name: certificate, endsMs: found }
    const nowMs = clock.now()
    if (found === undefined || found - nowMs > certificateEndsWithinMs || isStopped) {
      if (found !== undefined || certificate === undefined) clearAllBut('certificate ', new Set())
      return
    }
    const isOver = found <= nowMs
    raise({
      key: `certificate ${certificate}`,
      kind: 'certificate-ends',
      severity: isOver || found - nowMs < 3 * dayMs ? 'error' : 'warning',
      domain: undefined,
      title: isOver ? 'our certificate has ended' : 'our certificate ends soon',
      detail: `The certificate in ${printable(certificate ?? '', 300)} ${isOver ? 'ended' : 'ends'} on ${timeText(found)}. Senders that verify it (MTA-STS, DANE) hold their mail back then.`,
      remedy: 'Renew it; the file is read again when it changes.',
    })
  }

  async function endOf(path: string): Promise<number | undefined> {
    try {
      return new X509Certificate(await deps.readText(path)).validToDate.getTime()
    } catch (error) {
      // The gateway says so itself, where it matters.
      log.debug('certificate not read', { path, error })
      return undefined
    }
  }

  function raise(condition: Condition): void {
    if (!alerting.raise(condition)) return
    const { kind, severity, domain, title, detail } = condition
    history.note({ atMs: clock.now(), kind, severity, domain: domain ?? null, title, detail })
  }

  function clearAllBut(prefix: string, keys: ReadonlySet<string>): void {
    for (const condition of alerting.clearAllBut(prefix, keys)) noteOver(condition)
  }

  function clear(condition: Condition): void {
    if (alerting.clear(condition.key)) noteOver(condition)
  }

  function noteOver({ kind, domain, title }: Condition): void {
    history.note({
      atMs: clock.now(),
      kind: `${kind}-over`,
      severity: 'notice',
      domain: domain ?? null,
      title: `over: ${title}`,
      detail: '',
    })
  }

  function tellAlert({ event, about, atMs }: AlertEvent): void {
    if (conditionsAlready.has(event)) return
    // Of one domain's share alone, or of a message that was too long for the room left, it is no condition.
    if (event === 'message not held' && read().whyNotKept !== undefined) {
      alarm.arm(soonMs)
      return
    }
    const { remedy, why, id, ...rest } = about
    const of = Object.entries(rest).map(([name, value]) => `${name} ${printable(value, 300)}`)
    const title = of.length > 0 ? `${event}: ${of.join(', ')}` : event
    const detail = [why, id && `Message ${id}.`, remedy && `What to do: ${remedy}`].filter(
      (text) => text !== undefined && text !== '',
    )
    const severity: Severity = 'error'
    const note = { severity, title: printable(title, 500), detail: printable(detail.join(' '), 1_000) }
    const { backend, route, lane } = about
    alerting.note({
      ...note,
      key: `${event} ${backend ?? route ?? lane ?? ''}`,
      kind: 'gateway-alert',
      domain: about.domain,
    })
    history.note({ ...note, atMs, kind: 'gateway-alert', domain: about.domain ?? null })
  }

  return {
    tell(event) {
      switch (event.kind) {
        case 'backend-state':
          // Several addresses go at once, and a message is on its way here.
          return alarm.arm(soonMs)
        case 'drain-stopped':
          return raise(drainStopped(event.backend, event.why ?? ''))
        case 'drain-resumed':
          return clear(drainStopped(event.backend, ''))
        case 'certificate-renewed':
          history.note({
            atMs: event.atMs,
            kind: 'certificate-renewed',
            severity: 'notice',
            domain: null,
            title: 'our certificate was read anew',
            detail: printable(event.certificate, 300),
          })
          certificateAlarm.arm(0)
          return
        case 'alert':
          return tellAlert(event)
        default:
      }
    },
    look,
    certificate: () => own,
    stop() {
      isStopped = true
      alarm.end()
      certificateAlarm.end()
    },
  }
}

const backendDown = (url: string, why: string, severity: Severity): Condition => ({
  key: `backend ${url}`,
  kind: 'backend-down',
  severity,
  domain: undefined,
  title: `${printable(url, 300)} is down`,
  detail: `${printable(why, 500)}. ${severity === 'error' ? 'A route has no other server that takes its mail now: it is held here.' : 'Other servers of its routes take its mail meanwhile.'}`,
  remedy: 'See to the server; it is tried again at least every half minute, and gets mail as soon as it answers.',
})

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
