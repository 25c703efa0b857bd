/**
 * What a backend is, of what each of its addresses is: mail reaches it as long as one of them serves, and what is worse is said beside that. The one place that
 * says so, for the dashboard, the alerts and the reports alike.
 */
import { type HealthState, isServing } from '../../routing/health.ts'
import type { BackendReport } from './report.ts'

export interface Standing {
  /** Mail reaches it. */
  readonly serves: boolean
  /** One of its addresses is up. Where one serves that is not, the last attempt at it failed: that is no word yet that the backend is well. */
  readonly isUp: boolean
  /** Of its addresses. */
  readonly worst: HealthState
  /** How many addresses are known, and how many of them are in the worst state; 0 where it has not been asked yet. */
  readonly addresses: number
  readonly inWorst: number
  /** Of one that is in the worst state. */
  readonly lastError: string | null
  /** What a person can do about that, where it is known. */
  readonly remedy?: string
}

const fromBest: readonly HealthState[] = ['up', 'suspect', 'slow', 'down', 'out']
const rank = (state: HealthState) => fromBest.indexOf(state)

/** @param reports  those of one backend; none: it has not been asked yet, and is taken for well */
export function standingOf(reports: readonly Pick<BackendReport, 'state' | 'lastError' | 'remedy'>[]): Standing {
  const worst = reports.reduce<HealthState>((one, { state }) => (rank(state) > rank(one) ? state : one), 'up')
  const inWorst = reports.filter(({ state }) => state === worst)
  const told = inWorst.find(({ lastError }) => lastError !== null)
  return {
    serves: reports.length === 0 || reports.some(({ state }) => isServing(state)),
    isUp: reports.length === 0 || reports.some(({ state }) => state === 'up'),
    worst,
    addresses: reports.length,
    inWorst: inWorst.length,
    lastError: told?.lastError ?? null,
    ...(told?.remedy !== undefined && { remedy: told.remedy }),
  }
}

/** By URL, those that are known of: one that has not been asked yet is not. */
export function standings(reports: readonly BackendReport[]): ReadonlyMap<string, Standing> {
  const known = reports.filter(
    ({ url, address, state }) => address !== '' || url.startsWith('maildir:') || state !== 'up',
  )
  return new Map([...Map.groupBy(known, ({ url }) => url)].map(([url, all]) => [url, standingOf(all)]))
}

const oneText: Readonly<Record<HealthState, string>> = {
  up: 'is well',
  suspect:
    'is suspect (it did not answer when asked last: it gets mail after the others until it does, and is down at the third failure in a row)',
  slow: 'is slow',
  down: 'is down',
  out: 'is out of service',
}
const severalText: Readonly<Record<HealthState, string>> = {
  up: 'are well',
  suspect:
    'are suspect (they did not answer when asked last: they get mail after the others until they do, and are down at the third failure in a row)',
  slow: 'are slow',
  down: 'are down',
  out: 'are out of service',
}

/** Behind its name: `is down`, `is well`; where others of its addresses serve, `serves, but one of its 2 addresses is down`. */
export function standingText({ serves, worst, addresses, inWorst }: Standing): string {
  if (!serves || inWorst >= addresses) return oneText[worst]
  const some =
    inWorst === 1
      ? `one of its ${addresses} addresses ${oneText[worst]}`
      : `${inWorst} of its ${addresses} addresses ${severalText[worst]}`
  return `serves, but ${some}`
}
