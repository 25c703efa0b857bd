/**
 * What the checks of a domain have seen, and what is other than it was the last time: findings that appeared, worsened or went, records and certificates
 * that changed. Pure; `rounds` calls it and keeps the state.
 */
import type { Checked } from '../checks/check-domain.ts'
import type { Finding, NotChecked, Outcome, Severity, Subject } from '../checks/finding.ts'
import { severities } from '../checks/finding.ts'
import { summarize } from '../checks/report/summary.ts'
import { type RecordLines, type SeenCertificate, type SeenExchanger, snapshotOf } from '../checks/snapshot.ts'

export type { SeenExchanger }

/** Kept as JSON. */
export interface CheckedState {
  readonly atMs: number
  readonly findings: readonly KeptFinding[]
  readonly notChecked: number
  /** False where it could not be told whether mail arrives: that nothing was found wrong is no good news then. */
  readonly couldExamine: boolean
  readonly records: readonly RecordLines[]
  readonly certificates: readonly SeenCertificate[]
  readonly exchangers: readonly SeenExchanger[]
}

export interface KeptFinding {
  /** The rule and what it speaks of. */
  readonly key: string
  readonly id: string
  readonly severity: Severity
  readonly title: string
  /** The host, address or record that it speaks of; of states that were kept by an earlier version, undefined. */
  readonly about?: string
  readonly seen: string
  readonly why: string
  readonly remedy: string
  readonly sinceMs: number
}

export interface Changes {
  readonly appeared: readonly KeptFinding[]
  readonly worsened: readonly KeptFinding[]
  readonly gone: readonly KeptFinding[]
  readonly records: readonly RecordChange[]
  readonly renewed: readonly { readonly exchanger: string; readonly endsMs: number }[]
}

export interface RecordChange {
  readonly name: string
  readonly type: string
  readonly before: readonly string[]
  readonly after: readonly string[]
}

export function stateOf(checked: Checked, before: CheckedState | undefined): CheckedState {
  const { facts, outcomes } = checked
  const atMs = facts.startedAtMs
  const since = new Map(before?.findings.map(({ key, sinceMs }) => [key, sinceMs]))
  const found = outcomes.filter((outcome): outcome is Finding => outcome.kind === 'finding')
  const notChecked = outcomes.filter((outcome): outcome is NotChecked => outcome.kind === 'not-checked')
  const findings = found.map((finding) => keptFinding(finding, since.get(keyOf(finding)) ?? atMs))
  const keys = new Set(findings.map(({ key }) => key))
  // What could not be looked at this time is as it was: that nobody answered is no good news.
  const undecided = new Set(notChecked.map(({ id }) => id as string))
  const still = before?.findings.filter(({ key, id }) => !keys.has(key) && undecided.has(id)) ?? []
  const { records, certificates, exchangers } = snapshotOf(facts)
  return {
    atMs,
    findings: [...findings, ...still],
    notChecked: notChecked.length,
    couldExamine: summarize(checked, new Set()).state !== 'unknown',
    records: [
      ...records,
      ...(before?.records.filter((old) => !records.some((now) => isSameSet(old, now)) && isLost(old, facts.domain)) ??
        []),
    ],
    certificates: certificates.length > 0 ? certificates : (before?.certificates ?? []),
    exchangers,
  }
}

/** A set of the domain's own that was not looked up this time; those of exchangers come and go with the MX records. */
const isLost = ({ name, type }: RecordLines, domain: string) =>
  (name === domain || name.endsWith(`.${domain}`)) && (type === 'MX' || type === 'TXT')

const isSameSet = (one: RecordLines, other: RecordLines) => one.name === other.name && one.type === other.type

export function changesBetween(before: CheckedState | undefined, now: CheckedState): Changes {
  const old = new Map(before?.findings.map((finding) => [finding.key, finding]))
  const keys = new Set(now.findings.map(({ key }) => key))
  const rank = (severity: Severity) => severities.indexOf(severity)
  return {
    appeared: now.findings.filter(({ key }) => !old.has(key)),
    worsened: now.findings.filter(({ key, severity }) => {
      const was = old.get(key)
      return was !== undefined && rank(severity) > rank(was.severity)
    }),
    gone: before?.findings.filter(({ key }) => !keys.has(key)) ?? [],
    records: before ? recordChanges(before.records, now.records) : [],
    renewed: before ? renewals(before.certificates, now.certificates) : [],
  }
}

function recordChanges(before: readonly RecordLines[], now: readonly RecordLines[]): readonly RecordChange[] {
  return now.flatMap(({ name, type, data }) => {
    const old = before.find((set) => set.name === name && set.type === type)
    if (!old || (old.data.length === data.length && old.data.every((line, at) => line === data[at]))) return []
    return [{ name, type, before: old.data, after: data }]
  })
}

/** Another certificate that lasts longer than any that was seen there. */
function renewals(before: readonly SeenCertificate[], now: readonly SeenCertificate[]): Changes['renewed'] {
  return now.flatMap(({ exchanger, sha256, endsMs }) => {
    const old = before.filter((each) => each.exchanger === exchanger)
    if (old.length === 0 || old.some((each) => each.sha256 === sha256 || each.endsMs >= endsMs)) return []
    return [{ exchanger, endsMs }]
  })
}

function keptFinding(finding: Finding, sinceMs: number): KeptFinding {
  const { id, severity, title, seen, why, remedy } = finding
  const lines = [remedy.text, ...(remedy.records ?? []), ...(remedy.settings ?? [])]
  return {
    key: keyOf(finding),
    id,
    severity,
    title,
    about: subjectKey(finding.subject),
    seen,
    why,
    remedy: lines.join('\n'),
    sinceMs,
  }
}

const keyOf = ({ id, subject }: Pick<Outcome, 'id' | 'subject'>) => `${id} ${subjectKey(subject)}`

function subjectKey(subject: Subject): string {
  switch (subject.kind) {
    case 'domain':
    case 'exchanger':
    case 'zone':
      return subject.name
    case 'address':
      return `${subject.exchanger} ${subject.address}`
    case 'name-server':
      return `${subject.zone} ${subject.name} ${subject.address ?? ''}`
    case 'record':
      return `${subject.name} ${subject.type}`
  }
}
