/**
 * What happens in the gateway, as values: each is told at the place where the log has its line of the same thing, by one call of `GatewayDeps.tell`.
 * `figures.ts` counts them, `watch` keeps the history and alerts, `web` shows them live. They carry no address of a sender or recipient and no
 * octet of a message: who wants those has the id, and may be asked for a token.
 *
 * Told while a sender waits, so whoever listens only counts or notes, and never throws.
 */
import type { Clock } from '../base/clock.ts'
import type { Fields, Log } from '../base/log.ts'
import type { Recipient } from '../mail/message.ts'
import type { HealthState } from '../routing/health.ts'
import type { AbortReason } from '../smtp/server/handler.ts'

export type GatewayEvent =
  | MessageEvent
  | MessageStoppedEvent
  | AttemptEvent
  | RecipientEvent
  | RefusedAfterHoldEvent
  | ExpiredEvent
  | BackendStateEvent
  | DrainEvent
  | CertificateEvent
  | ConnectionRefusedEvent
  | PersonEvent
  | AlertEvent

export type Tell = (event: GatewayEvent) => void

/** The declared domain of a recipient, as events name it. */
export type Declared = (recipient: Recipient) => string | undefined

/** The domains of recipients, each once. */
export const domainsOf = (recipients: readonly Recipient[], declared: Declared): readonly string[] => [
  ...new Set(recipients.map(declared).filter((domain) => domain !== undefined)),
]

interface Told {
  /** Wall clock, milliseconds. */
  readonly atMs: number
}

/** Which way something went. */
interface OnItsWay extends Told {
  /** The message's, as in the log and in `Received:`. */
  readonly id: string
  /** `Route.id`: the name under `routes:`, or the domain that named the list first. */
  readonly route: string
  /** `backend.url`; undefined where none answered. */
  readonly backend: string | undefined
  /** `192.0.2.1:25`, where the backend is reached over TCP. */
  readonly endpoint: string | undefined
}

interface ForDomains {
  /**
   * Those of the recipients, each once, as they are declared: `example.com` or `*.example.com`. Domains may share a route, and a message; for the
   * postmaster's own mail and mail of our own there is none.
   */
  readonly domains: readonly string[]
}

export const messageVerdicts = ['delivered', 'refused', 'deferred', 'held', 'unknown'] as const
/**
 * - `delivered`, `refused`, `deferred`: the backend's word, or ours where none could be asked. The sender heard it behind its dot where the message
 *   has one route; of several that are taken together it hears one answer for all, which is 250 unless nobody has it.
 * - `held`: kept durably, because no backend could take it.
 * - `unknown`: the same, because a backend was silent or gone behind our dot and may have it.
 */
export type MessageVerdict = (typeof messageVerdicts)[number]

/** A message has come to its end while its sender waits: one event a route of it, and one a verdict where the backend answers for each recipient. */
export interface MessageEvent extends OnItsWay, ForDomains {
  readonly kind: MessageVerdict
  readonly bytes: number
  readonly recipients: number
  /** From the sender's dot to our answer. */
  readonly ms: number
  /** Of this route: 250, 451, 550, …; of its recipients, where they are answered one by one, the first that was not taken. */
  readonly code: number
}

/**
 * Why a message came to its end here, and no backend was asked to take it: what its parser or our limits say (`AbortReason`, where `gone` is a sender
 * that heard nothing); `no-room` and `not-written` by our memory and disk; `repeated`: the sender heard 250, because a backend has it already.
 */
export type MessageStop = AbortReason | 'no-room' | 'not-written' | 'repeated'

/** A message that is of no route: one event, though the log has only so many lines of a sender who does it again and again. */
export interface MessageStoppedEvent extends Told {
  readonly kind: 'message-stopped'
  readonly id: string
  readonly why: MessageStop
}

export const attemptOutcomes = ['delivered', 'refused', 'deferred', 'unknown', 'failed'] as const
export type AttemptOutcome = (typeof attemptOutcomes)[number]

/** One try of a held message at a backend; `delivered` is what the log calls `drained`. */
export interface AttemptEvent extends OnItsWay, ForDomains {
  readonly kind: 'attempt'
  /** `deferred`: also where nobody could be asked; `failed`: by a fault of our own. */
  readonly outcome: AttemptOutcome
  readonly bytes: number
  /** How long the message has been held. */
  readonly heldMs: number
  /** How long the try took. */
  readonly ms: number
  /** The verdict of a backend that had been silent behind the dot: `ms` is 0. */
  readonly isLate: boolean
  /** Recipients that were delivered to although a backend, silent or gone behind the dot before, may have their message too. */
  readonly possibleDuplicates: number
}

/** A recipient was not taken at RCPT. Senders that only guess are counted too, though the log has them only once. */
export interface RecipientEvent extends Told {
  readonly kind: 'recipient-refused' | 'recipient-deferred'
  /** As it is declared; undefined where it is none of ours. */
  readonly domain: string | undefined
  readonly code: number
}

/** A backend said no to recipients of a message that we had taken: one event a domain of them. */
export interface RefusedAfterHoldEvent extends OnItsWay {
  readonly kind: 'refused-after-hold'
  /** As it is declared; undefined where it is none of ours any more. */
  readonly domain: string | undefined
  readonly recipients: number
  /** Of those, whose sender is told by a notice; the others are kept for a person to see. */
  readonly told: number
}

/** The time of a held message is over. */
export interface ExpiredEvent extends Told, ForDomains {
  readonly kind: 'expired'
  readonly id: string
  readonly recipients: number
  readonly told: number
}

export interface BackendStateEvent extends Told {
  readonly kind: 'backend-state'
  readonly backend: string
  readonly endpoint: string | undefined
  readonly from: HealthState
  readonly to: HealthState
  /** Safe to print. */
  readonly why: string | undefined
}

/** The drain to a backend that came back without its users, or a person's word that it is in order. */
export interface DrainEvent extends Told {
  readonly kind: 'drain-stopped' | 'drain-resumed'
  readonly backend: string
  readonly why: string | undefined
}

/** The certificate that senders are shown was read anew. */
export interface CertificateEvent extends Told {
  readonly kind: 'certificate-renewed'
  /** The file's path. */
  readonly certificate: string
}

/** Too many, or too fast; each of them, though the log tells only the first. */
export interface ConnectionRefusedEvent extends Told {
  readonly kind: 'connection-refused'
}

/** A person has changed something of one held message. */
export interface PersonEvent extends Told {
  readonly kind: 'by-person'
  readonly what: 'retry' | 'hold' | 'release' | 'remove' | 'route'
  readonly id: string
  readonly recipients: number
}

/** What the log marks `alert: true`, in its words. */
export interface AlertEvent extends Told {
  readonly kind: 'alert'
  /** The words of the log's line; see `heardAlerts`. */
  readonly event: string
  /** Of the line's fields those that name a thing of ours: all in `alertFields`, safe to print. */
  readonly about: Readonly<Partial<Record<(typeof alertFields)[number], string>>>
}

/** Fields of an alert that may be passed on: none of them holds an address of a person or the content of a message. */
const alertFields = [
  'id',
  'backend',
  'endpoint',
  'route',
  'lane',
  'domain',
  'held',
  'passed',
  'why',
  'remedy',
  'certificate',
  'code',
] as const

/** The words of those alerts that somebody listens for: who writes such a line and who acts on it both take them from here. */
export const heardAlerts = {
  mailIsHeld: 'mail is held',
  messageNotHeld: 'message not held',
  drainStopped: 'drain stopped',
  storeNotWritten: 'the store cannot be written',
  certificateUnusable: 'certificate not usable, the old one stays',
} as const

/** The same log, whose alerts are told too. */
export function tellingAlerts(log: Log, tell: Tell | undefined, clock: Clock): Log {
  if (!tell) return log
  return {
    debug: (event, fields) => log.debug(event, fields),
    info: (event, fields) => log.info(event, fields),
    warn: (event, fields) => log.warn(event, fields),
    error: (event, fields) => log.error(event, fields),
    alert(event, fields) {
      log.alert(event, fields)
      tell({ kind: 'alert', atMs: clock.now(), event, about: aboutOf(fields) })
    },
    with: (fields) => tellingAlerts(log.with(fields), tell, clock),
  }
}

function aboutOf(fields: Fields | undefined): AlertEvent['about'] {
  const about: Partial<Record<(typeof alertFields)[number], string>> = {}
  for (const name of alertFields) {
    const value = fields?.[name]
    if (typeof value === 'string' || typeof value === 'number') about[name] = String(value)
  }
  return about
}
