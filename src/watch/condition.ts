/**
 * Something that is not as it should be, for as long as it lasts: a backend that is down, a finding of a check, mail that waits. Raised and cleared by
 * who watches it (`gateway-conditions`, `own-certificate`, `tell-changes`); what people hear of it is decided by `alerts/alerting`.
 */
import type { Severity } from '../checks/finding.ts'

export type ConditionKind =
  | 'finding'
  | 'backend-down'
  | 'queue-old'
  | 'hold-closed'
  | 'drain-stopped'
  | 'certificate-ends'
  | 'gateway-silent'

export interface Condition {
  /** What makes it the same one again. */
  readonly key: string
  readonly kind: ConditionKind
  readonly severity: Severity
  /** Undefined where it concerns them all. */
  readonly domain: string | undefined
  /** One line, printable: `smtp://10.0.0.11:25 is down`. */
  readonly title: string
  /** Whole sentences, printable: what was seen, what it means. */
  readonly detail: string
  /** What a person is to do; printable. */
  readonly remedy: string | undefined
}

/** Something that happened once, and has no end to wait for. */
export interface Note {
  /** The same again within an hour is not told again. */
  readonly key: string
  readonly kind: NoteKind
  readonly severity: Severity
  readonly domain: string | undefined
  readonly title: string
  readonly detail: string
}

export type NoteKind = 'records-changed' | 'certificate-renewed' | 'gateway-alert'
