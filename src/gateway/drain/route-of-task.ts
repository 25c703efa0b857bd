/**
 * Which backends a task may go to now, of those on its route. One that was silent or gone behind our dot may have the message: until `elsewhereMs`
 * nobody else is asked, and from then on it is the last to be, because another copy there is surely one too many. Pure; for `lane-drain`.
 */
import type { Task } from '../../queue/queue.ts'
import type { Route } from '../../routing/backend.ts'

export interface RouteOfTask {
  readonly route: Route
  /** `backend.key` of the only one that may be asked, where it is bound to one. */
  readonly bound: string | undefined
}

/** @param nowMs  on the wall clock */
export function routeOfTask({ recipients }: Pick<Task, 'recipients'>, route: Route, nowMs: number): RouteOfTask {
  const bound = recipients.find(({ elsewhereMs }) => elsewhereMs !== undefined && nowMs < elsewhereMs)?.backend
  if (bound !== undefined)
    return { route: { ...route, entries: route.entries.filter(({ backend }) => backend.key === bound) }, bound }
  const mayHaveIt = new Set(recipients.map(({ backend }) => backend))
  if (!route.entries.some(({ backend }) => mayHaveIt.has(backend.key))) return { route, bound }
  const last = Math.max(...route.entries.map(({ preference }) => preference)) + 1
  const entries = route.entries.map((entry) =>
    mayHaveIt.has(entry.backend.key) ? { ...entry, preference: last } : entry,
  )
  return { route: { ...route, entries }, bound }
}
