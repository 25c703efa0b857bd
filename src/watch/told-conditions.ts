/** Conditions of which the history has both ends: what `alerting` takes for new or for over is noted. For `gateway-conditions`, and for whoever raises one by hand. */
import type { Clock } from '../base/clock.ts'
import type { Alerting } from './alerts/alerting.ts'
import type { Condition } from './condition.ts'
import type { History } from './history.ts'

export interface ToldConditions {
  raise(condition: Condition): void
  clear(key: string): void
  /** All whose key begins so, but for these. */
  clearAllBut(prefix: string, keys: ReadonlySet<string>): void
}

export interface ToldConditionsDeps {
  readonly clock: Clock
  readonly alerting: Pick<Alerting, 'raise' | 'clear' | 'clearAllBut' | 'open'>
  readonly history: Pick<History, 'note'>
}

export function createToldConditions({ clock, alerting, history }: ToldConditionsDeps): ToldConditions {
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

  return {
    raise(condition) {
      if (!alerting.raise(condition)) return
      const { kind, severity, domain, title, detail } = condition
      history.note({ atMs: clock.now(), kind, severity, domain: domain ?? null, title, detail })
    },
    clear(key) {
      const found = alerting.open().find(({ condition }) => condition.key === key)
      if (found && alerting.clear(key)) noteOver(found.condition)
    },
    clearAllBut(prefix, keys) {
      for (const condition of alerting.clearAllBut(prefix, keys)) noteOver(condition)
    },
  }
}
