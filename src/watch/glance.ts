/** Sums of all that is watched, for monitoring: pages ask each second and findings change by the hour, so they are made anew a few times a minute. */
import type { Clock } from '../base/clock.ts'
import type { Severity } from '../checks/finding.ts'
import type { OpenCondition } from './alerts/open-conditions.ts'
import type { CheckedState } from './checked-state.ts'

export interface Glance {
  /** Of the last checks, over all domains that were checked since the start (5,000 at most). */
  readonly findings: Readonly<Record<Severity, number>>
  readonly checkedDomains: number
  /** Of the oldest of those checks; undefined: there was none. */
  readonly oldestCheckMs: number | undefined
  /** What is wrong now, told or not. */
  readonly conditions: Readonly<Record<Severity, number>>
  /** Ours, by its path, and those that exchangers showed; at most 200, the first to end first. */
  readonly certificates: readonly CertificateEnd[]
}

export interface CertificateEnd {
  readonly name: string
  readonly endsMs: number
}

export interface GlanceDeps {
  readonly clock: Clock
  readonly states: () => ReadonlyMap<string, CheckedState>
  readonly open: () => readonly OpenCondition[]
  readonly ownCertificate: () => CertificateEnd | undefined
}

const freshMs = 5_000
const mostCertificates = 200

export function createGlance({ clock, states, open, ownCertificate }: GlanceDeps): () => Glance {
  let last: { readonly atMs: number; readonly glance: Glance } | undefined
  return () => {
    const nowMs = clock.monotonicMs()
    if (!last || nowMs - last.atMs >= freshMs)
      last = { atMs: nowMs, glance: sumUp([...states().values()], open(), ownCertificate()) }
    return last.glance
  }
}

function sumUp(
  states: readonly CheckedState[],
  open: readonly OpenCondition[],
  own: CertificateEnd | undefined,
): Glance {
  const findings = { notice: 0, warning: 0, error: 0 }
  const conditions = { notice: 0, warning: 0, error: 0 }
  const ends = new Map<string, number>()
  let oldestCheckMs: number | undefined
  for (const state of states) {
    for (const { severity } of state.findings) findings[severity]++
    // Several addresses of a host may show several: the first to end is what matters.
    for (const { exchanger, endsMs } of state.certificates)
      ends.set(exchanger, Math.min(endsMs, ends.get(exchanger) ?? endsMs))
    oldestCheckMs = Math.min(state.atMs, oldestCheckMs ?? state.atMs)
  }
  for (const { condition, clearedMs } of open) if (clearedMs === undefined) conditions[condition.severity]++
  const certificates = [...(own ? [own] : []), ...[...ends].map(([name, endsMs]) => ({ name, endsMs }))]
  return {
    findings,
    conditions,
    checkedDomains: states.length,
    oldestCheckMs,
    certificates: certificates.sort((one, other) => one.endsMs - other.endsMs).slice(0, mostCertificates),
  }
}
