/** Counts of what happened beside messages that went somewhere: refusals, ends of the hold, changes of backends, alerts. A part of `figures`. */
import type { AttemptEvent, GatewayEvent, MessageEvent, MessageStop } from '../events.ts'

export type OtherEvent = Exclude<GatewayEvent, MessageEvent | AttemptEvent>

export interface OtherCounts {
  /** Messages that no backend was asked to take, by why. */
  readonly messagesStopped: readonly { readonly why: MessageStop; readonly count: number }[]
  readonly recipientsRefused: number
  readonly recipientsDeferred: number
  readonly connectionsRefused: number
  readonly refusedAfterHold: number
  readonly expired: number
  /** Alerts by their words, which are ours: at most 100 of them. */
  readonly alerts: readonly { readonly event: string; readonly count: number }[]
  /** Changes of an endpoint's state, by where they led. */
  readonly backendChanges: readonly { readonly to: string; readonly count: number }[]
}

const mostAlerts = 100

export function createOtherCounts(): { count(event: OtherEvent): void; counts(): OtherCounts } {
  const stopped = new Map<MessageStop, number>()
  const alerts = new Map<string, number>()
  const backendChanges = new Map<string, number>()
  const sums = { recipientsRefused: 0, recipientsDeferred: 0, connectionsRefused: 0, refusedAfterHold: 0, expired: 0 }

  return {
    count(event) {
      switch (event.kind) {
        case 'message-stopped':
          return countOne(stopped, event.why)
        case 'recipient-refused':
          sums.recipientsRefused++
          return
        case 'recipient-deferred':
          sums.recipientsDeferred++
          return
        case 'connection-refused':
          sums.connectionsRefused++
          return
        case 'refused-after-hold':
          sums.refusedAfterHold += event.recipients
          return
        case 'expired':
          sums.expired += event.recipients
          return
        case 'backend-state':
          return countOne(backendChanges, event.to)
        case 'alert':
          return countOne(alerts, alerts.has(event.event) || alerts.size < mostAlerts ? event.event : 'other')
        case 'drain-stopped':
        case 'drain-resumed':
        case 'certificate-renewed':
        case 'by-person':
      }
    },
    counts: () => ({
      ...sums,
      messagesStopped: [...stopped].map(([why, count]) => ({ why, count })),
      alerts: [...alerts].map(([event, count]) => ({ event, count })),
      backendChanges: [...backendChanges].map(([to, count]) => ({ to, count })),
    }),
  }
}

function countOne<Name>(counts: Map<Name, number>, name: Name): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}
