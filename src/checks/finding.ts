/**
 * What a rule says: a finding, or that it could not look (why). That nothing is wrong is said by silence. Made by `rules/`, told by `report/`.
 */
import type { NotExamined, NotExaminedReason } from './facts.ts'
import type { RuleId } from './rule-ids.ts'

/**
 * `error`: mail fails for some senders now. `warning`: one fault away from it, or for a part of them. `notice`: against a standard or a
 * good habit, without effect today.
 */
export type Severity = 'notice' | 'warning' | 'error'

export const severities: readonly Severity[] = ['notice', 'warning', 'error']

/** What a finding speaks of. Names and addresses as text of ours (`nameText`, `IpAddress`), safe to print. */
export type Subject =
  | { readonly kind: 'domain'; readonly name: string }
  | { readonly kind: 'exchanger'; readonly name: string }
  | { readonly kind: 'address'; readonly exchanger: string; readonly address: string }
  | { readonly kind: 'name-server'; readonly zone: string; readonly name: string; readonly address: string | undefined }
  | { readonly kind: 'zone'; readonly name: string }
  | { readonly kind: 'record'; readonly name: string; readonly type: string }

/** What a person is to do. `text` is a sentence; `records` are lines of a zone file, `settings` of a server, to be copied. */
export interface Remedy {
  readonly text: string
  readonly records?: readonly string[]
  readonly settings?: readonly string[]
}

/** A fault as a rule tells it; `run-rules.ts` adds the rule's id, its title and, where it names none itself, its RFCs. */
export interface Fault {
  readonly kind: 'fault'
  readonly severity: Severity
  readonly subject: Subject
  /** What was seen, asked of whom and over which address: whole sentences, safe to print. */
  readonly seen: string
  /** Why it matters: who loses mail, and when. Safe to print. */
  readonly why: string
  readonly remedy: Remedy
  readonly rfc?: readonly string[]
  /** The same for programs: strings of others in it are raw, so a report escapes them. JSON values alone. */
  readonly data?: Readonly<Record<string, JsonValue>>
}

/** The rule, or a part of it, could not be decided. */
export interface Undecided {
  readonly kind: 'undecided'
  readonly subject: Subject
  readonly reason: UndecidedReason
  /** In words of ours, safe to print. */
  readonly why: string
}

export type UndecidedReason =
  | NotExaminedReason
  /** A look-up failed for a reason that another rule tells. */
  | 'lookup-failed'
  /** 421, 450, 451: rate limit or greylisting (RFC 5321 §4.2.1). */
  | 'told-to-wait'
  /** The other side broke off, or did not answer in time. */
  | 'no-answer'

export type Verdict = Fault | Undecided

/** Something is wrong, or could be better: what was seen, why it matters, and what to change. */
export interface Finding extends Omit<Fault, 'kind' | 'rfc' | 'data'> {
  readonly kind: 'finding'
  readonly id: RuleId
  readonly title: string
  readonly rfc: readonly string[]
  readonly data: Readonly<Record<string, JsonValue>>
}

/** A rule that could not decide, with the reason. Never a fault of the domain. */
export interface NotChecked extends Omit<Undecided, 'kind'> {
  readonly kind: 'not-checked'
  readonly id: RuleId
  readonly title: string
}

/** What one rule says of one subject. */
export type Outcome = Finding | NotChecked

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue }

/** What a rule says where a fact that it needs was not examined. */
export const undecided = (subject: Subject, { reason, why }: NotExamined): Undecided => ({
  kind: 'undecided',
  subject,
  reason,
  why,
})
