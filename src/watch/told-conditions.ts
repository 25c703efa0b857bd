/** Conditions of which the history has both ends: what `alerting` takes for new or for over is noted. For `gateway-conditions`, and for whoever raises one by hand. */
import type { Clock } from '../base/clock.ts'
import { lengthText } from '../base/time-text.ts'
import type { Alerting } from './alerts/alerting.ts'
import type { Recovered } from './alerts/open-conditions.ts'
import { nowText } from './alerts/wording.ts'
import type { Condition } from './condition.ts'
import type { History } from './history.ts'

export interface ToldConditions {
  raise(condition: Condition): void
  /** @param now  what is so instead: one printable line */
  clear(key: string, now: string): void
  /** All whose key begins so, but for these. @param now  what is so instead of each. @param isWell  whether that is good; default: it is */
  clearAllBut(prefix: string, keys: ReadonlySet<string>, now: (condition: Condition) => string, isWell?: IsWell): void
}

/** Whether all is well with what a condition was about, now that it has ended: a server that was taken out is neither down nor well. */
export type IsWell = (condition: Condition) => boolean

export interface ToldConditionsDeps {
  readonly clock: Clock
  readonly alerting: Pick<Alerting, 'raise' | 'clear' | 'clearAllBut'>
  readonly history: Pick<History, 'note'>
}

export function createToldConditions({ clock, alerting, history }: ToldConditionsDeps): ToldConditions {
  function noteOver(over: Recovered, isWell = true): void {
    const { kind, domain, title } = over.condition
    history.note({
      atMs: clock.now(),
      // What ends in `-over` the dashboard's history shows as good.
      kind: `${kind}-${isWell ? 'over' : 'ended'}`,
      severity: 'notice',
      domain: domain ?? null,
      title: nowText(over),
      detail: `Before, for ${lengthText(over.untilMs - over.sinceMs)}: "${title}".`,
    })
  }

  return {
    raise(condition) {
      if (!alerting.raise(condition)) return
      const { kind, severity, domain, title, detail } = condition
      history.note({ atMs: clock.now(), kind, severity, domain: domain ?? null, title, detail })
    },
    clear(key, now) {
      const over = alerting.clear(key, now)
      if (over) noteOver(over)
    },
    clearAllBut(prefix, keys, now, isWell) {
      for (const over of alerting.clearAllBut(prefix, keys, now)) noteOver(over, isWell?.(over.condition))
    },
  }
}
