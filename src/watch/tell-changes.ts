/**
 * Tells what is other than at the last check of a domain: events for the history, findings as conditions, and changes of records and certificates, which
 * are told once. For `rounds`.
 */
import type { Clock } from '../base/clock.ts'
import { printable } from '../base/printable.ts'
import { lengthText, timeText } from '../base/time-text.ts'
import type { Declaration } from '../publish/declare/declaration.ts'
import { declaredLines } from '../publish/declare/declared-lines.ts'
import type { Alerting } from './alerts/alerting.ts'
import { type CheckedState, changesBetween, type KeptFinding, type RecordChange } from './checked-state.ts'
import type { Condition, Note } from './condition.ts'
import type { History } from './history.ts'
import type { WatchedDomain } from './settings.ts'

export interface TellChangesDeps {
  readonly clock: Clock
  readonly alerting: Pick<Alerting, 'raise' | 'clearAllBut' | 'note'>
  readonly history: Pick<History, 'note'>
}

/** @param before  undefined where it is checked for the first time */
export function tellChanges(
  domain: WatchedDomain,
  before: CheckedState | undefined,
  state: CheckedState,
  deps: TellChangesDeps,
): void {
  const { alerting } = deps
  const { appeared, worsened, gone, records, renewed } = changesBetween(before, state)
  const { name } = domain
  for (const finding of appeared) noteFinding(name, 'finding-appeared', finding, finding.severity, deps)
  for (const finding of worsened) noteFinding(name, 'finding-worsened', finding, finding.severity, deps)
  for (const finding of gone) noteFinding(name, 'finding-gone', finding, 'notice', deps)
  const conditions = state.findings
    .filter(({ severity }) => severity !== 'notice')
    .map((finding) => conditionOf(name, finding))
  for (const condition of conditions) alerting.raise(condition)
  alerting.clearAllBut(`finding ${name} `, new Set(conditions.map(({ key }) => key)), ({ title }) => notFound(title))
  if (records.length > 0) tellRecords(domain, records, deps)
  for (const { exchanger, endsMs } of renewed) {
    const [title, detail] = [`${exchanger} has a new certificate`, `It ends on ${timeText(endsMs)}.`]
    tellOnce({ kind: 'certificate-renewed', severity: 'notice', domain: name, title, detail }, deps)
  }
}

function noteFinding(
  domain: string,
  kind: string,
  { title, seen, sinceMs }: KeptFinding,
  severity: KeptFinding['severity'],
  { clock, history }: TellChangesDeps,
): void {
  const nowMs = clock.now()
  const isGone = kind === 'finding-gone'
  const about = `${domain}: ${title}`
  history.note({
    ...{ atMs: nowMs, kind, severity, domain, title: isGone ? notFound(about) : about },
    detail: isGone ? `It had been so for ${lengthText(nowMs - sinceMs)}.` : seen,
  })
}

/** @param about  the domain and what was wrong with it */
const notFound = (about: string) => `no longer so: ${about}`

function tellRecords(
  { name: domain, declaration }: WatchedDomain,
  changes: readonly RecordChange[],
  deps: TellChangesDeps,
): void {
  const what = (list: readonly RecordChange[]) => list.map(changeText).join('\n')
  const foreign = changes.filter((change) => !isAsDeclared(change, declaration))
  if (foreign.length > 0) {
    const title = `records of ${domain} were changed by somebody else`
    tellOnce({ kind: 'records-changed', severity: 'warning', domain, title, detail: what(foreign) }, deps)
  }
  const own = changes.filter((change) => !foreign.includes(change))
  if (own.length > 0) {
    const title = `records of ${domain} have become what waypost.yaml declares`
    tellOnce({ kind: 'records-changed', severity: 'notice', domain, title, detail: what(own) }, deps)
  }
}

/** What is no condition: it has happened, and nothing of it is open. */
function tellOnce(
  told: Omit<Note, 'key'> & { readonly domain: string },
  { clock, alerting, history }: TellChangesDeps,
): void {
  history.note({ atMs: clock.now(), ...told })
  alerting.note({ key: `${told.kind} ${told.title} ${told.detail}`, ...told })
}

function conditionOf(domain: string, { key, severity, title, seen, why, remedy }: KeptFinding): Condition {
  return {
    key: `finding ${domain} ${key}`,
    kind: 'finding',
    severity,
    domain,
    title: `${domain}: ${title}`,
    detail: `${seen} ${why}`,
    remedy,
  }
}

/** Whether the set is now what waypost.yaml says of it: then it was us, or somebody who did our work. */
export function isAsDeclared({ name, type, after }: RecordChange, declaration: Declaration | undefined): boolean {
  if (!declaration) return false
  const declared = declaredLines(declaration)
  if (type === 'TXT')
    return (
      after.length > 0 && after.every((line) => declared.some((set) => set.type === 'TXT' && set.data.includes(line)))
    )
  // Only names of exchangers are answered in the case in which somebody wrote them.
  const now = type === 'MX' ? after.map((line) => line.toLowerCase()) : after
  const set = declared.find((each) => each.type === type && each.name === name)
  return set !== undefined && isSame(set.data, now)
}

const isSame = (one: readonly string[], other: readonly string[]) =>
  one.length === other.length && one.toSorted().every((line, at) => line === other.toSorted()[at])

function changeText({ name, type, before, after }: RecordChange): string {
  const side = (data: readonly string[]) => (data.length === 0 ? 'nothing' : printable(data.join('; '), 1_000))
  return `${name} ${type}: was ${side(before)}, is ${side(after)}`
}
