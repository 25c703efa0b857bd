/**
 * The contract of the hold: messages that no backend could take, kept durably until one can. `gateway/hold` puts them in, `gateway/drain` takes
 * them out, `waypost queue` looks on. Engines fulfil it and pass the same tests (`contract.test.ts`); `sqlite/` is one.
 *
 * What is kept are recipients, never backends: where a message goes is computed at each attempt. A message's recipients that go the same way are
 * a task, and tasks of the same way are a *lane*, which is attempted when its route can take mail. Nobody waits for a message by itself: what was put
 * off has its time in its row, and the soonest of all rows is one number. So a million messages have no timers and take no memory here.
 *
 * A message is *held* as long as it is in here, in whatever state; of its states, `held` is the one in which a person keeps it back.
 *
 * Every `…Ms` moment is wall-clock time, because it outlives the process.
 */
import type { IpAddress } from '../base/ip.ts'
import type { Body, Client, Envelope, Recipient } from '../mail/message.ts'
import type { Reply } from '../mail/reply.ts'

/** What the engines throw. */
export { StoreFailure } from '../store/failure.ts'

/** The way that a task goes, by name: its route, and for an `mx` route also the domain. Rows are moved when the configuration changes. */
export type Lane = string & { readonly __lane: never }

/**
 * - `offered`: a transaction with several routes is under way and answers for it (`fanOut: together`); after a crash it is `ready`.
 * - `ready`: goes as soon as its route can take it, in the order of `turnMs`: that of its arrival, or the last one at which a backend put it off.
 * - `waiting`: a backend deferred it: not before `notBeforeMs`, then `ready` again.
 * - `unknown`: a backend is silent or gone behind our dot and may have it: not before `notBeforeMs`, and until `elsewhereMs` only to `backend`. It stays
 *   so when a later attempt puts it off.
 * - `held`: a person said so (`waypost queue hold`), until `release`. An attempt that was under way then ends it by what is final (`gone`, `refused`,
 *   `expired`, `corrupt`) and by nothing else; behind whose dot it is unknown stays written down.
 * - `no-route`: its domain is not declared any more; never bounced, never sent by MX.
 * - `refused`: a backend said no after we had said yes, and no DSN was due: for a person to see, until `keepUntilMs`.
 * - `expired`: its time is over, and no DSN was due: the same.
 * - `set-aside`: three attempts at it failed by a fault of our own; for a person.
 * - `corrupt`: its body is missing or is not what was stored; for a person.
 *
 * Rows keep a state by its place in this list, so it only grows at its end; the partial indexes of `sqlite/tables.ts` know some by number.
 */
export const recipientStates = [
  'offered',
  'ready',
  'waiting',
  'unknown',
  'held',
  'no-route',
  'refused',
  'expired',
  'set-aside',
  'corrupt',
] as const
export type RecipientState = (typeof recipientStates)[number]

/** Why a DSN may be sent to the reverse-path: only a proven one gets any by default, because the others are forged more often than not. */
export type SenderProof =
  | { readonly kind: 'proven'; readonly by: 'spf' | 'trusted' }
  | { readonly kind: 'not-proven'; readonly why: string }
  /** SPF could not be looked up: asked again until the drain. */
  | { readonly kind: 'undecided' }

/** What is known of a held message beside its recipients and its body. */
export interface HeldMessage {
  readonly id: string
  readonly receivedMs: number
  /** Undefined for mail of our own. */
  readonly client: Client | undefined
  readonly envelope: Envelope
  /** The `Received:` line that goes in front of the body, CRLF at its end. */
  readonly trace: Buffer
  /** Octets of the body, trace not counted. */
  readonly size: number
  readonly has8bit: boolean
  readonly proof: SenderProof
  /** The end of its time: what is left then is `expired`. A recipient may have an end of its own before that. */
  readonly expiresMs: number
}

export interface HeldRecipient {
  /** Its place among the message's recipients as they came, from 0: with the message's id its name in `settle`. */
  readonly index: number
  readonly recipient: Recipient
  readonly lane: Lane
  readonly state: RecipientState
  /** A backend had accepted it within the last 31 days when it was held. */
  readonly wasKnown: boolean
  readonly attempts: number
  readonly notBeforeMs: number | undefined
  /** Behind whose dot it is unknown: `backend.key`. */
  readonly backend: string | undefined
  readonly elsewhereMs: number | undefined
  /** Of the last attempt, for people and for the DSN: what was said, by which host (undefined where no server said it), when. */
  readonly lastReply: Reply | undefined
  readonly lastHost: string | undefined
  readonly lastAttemptMs: number | undefined
  readonly keepUntilMs: number | undefined
  /** Its own end, where that is before the message's: its domain holds mail for less time than others of the message. */
  readonly expiresMs?: number
  /** When a backend first refused it after we had taken it: a 5.1.x of a known recipient must repeat over a day. */
  readonly firstRefusedMs: number | undefined
  readonly wasDelayTold: boolean
}

/** One message to be held. The queue takes the body over where it can: a file is adopted by renaming it. */
export interface NewHeld extends Omit<HeldMessage, 'size' | 'has8bit'> {
  /** A person takes it in, or a network brings it that the configuration trusts: no network's share stops it. */
  readonly isTrusted?: boolean
  readonly body: Body
  readonly recipients: readonly {
    /** Its place in the message, where that is not the one that it has here. */
    readonly index?: number
    readonly recipient: Recipient
    readonly lane: Lane
    readonly state: 'offered' | 'ready' | 'unknown' | 'waiting' | 'held'
    readonly wasKnown: boolean
    readonly notBeforeMs?: number
    readonly backend?: string
    readonly elsewhereMs?: number
    readonly lastReply?: Reply
    readonly expiresMs?: number
  }[]
}

/** A message for which there may be room: known before its body is. */
export interface AskedRoom {
  /** Octets of its body; 0 where that is not known. */
  readonly size: number
  readonly recipients: number
  /** Of its recipients, each once. */
  readonly domains: Iterable<string>
  /** Whose network may have its share alone; undefined: one of our own or a trusted one. */
  readonly client: IpAddress | undefined
}

export type HoldOutcome =
  /** It is on stable storage. */
  | { readonly kind: 'held' }
  /** `limits.hold`, a domain's quarter of it, the share of one client's network of that, or the free space that must be left. */
  | { readonly kind: 'full'; readonly why: 'hold' | 'domain' | 'network' | 'disk' }
  /** It may or may not be there: it counts as not held, and goes if it is found later. */
  | { readonly kind: 'failed'; readonly why: string }

/** What goes to a backend in one transaction: recipients of one message, of one lane, all `ready` or `unknown`. */
export interface Task {
  readonly message: HeldMessage
  readonly lane: Lane
  readonly turnMs: number
  readonly recipients: readonly HeldRecipient[]
}

/** What became of one recipient; the row changes in the same transaction as the attempt is noted. */
export type Settled =
  /** With a backend, or told by a DSN, or removed by a person: the row goes; with the last one the message goes. */
  | { readonly kind: 'gone' }
  /** @param turnMs  its turn from now on, where that is another: what a backend could not take stands behind what was never tried */
  | { readonly kind: 'ready'; readonly turnMs?: number }
  /** Its turn is then, not that of its arrival: what was never tried goes before it. */
  | { readonly kind: 'waiting'; readonly notBeforeMs: number; readonly firstRefusedMs?: number }
  | {
      readonly kind: 'unknown'
      readonly backend: string
      readonly notBeforeMs: number
      readonly elsewhereMs: number
      readonly firstRefusedMs?: number
    }
  | { readonly kind: 'refused' | 'expired'; readonly keepUntilMs: number }
  | { readonly kind: 'held' | 'no-route' | 'set-aside' | 'corrupt' }
  /** It stays what it is by now; what else the settlement says of it is noted. */
  | { readonly kind: 'as-it-is' }

export interface SettledRecipient {
  readonly index: number
  readonly to: Settled
  readonly lane?: Lane
  readonly reply?: Reply
  /** Only where it is in one of these states now: for who decides by what was read a while ago. What is `held` needs it to go on. */
  readonly from?: readonly RecipientState[]
  /** Only where it is this backend (`backend.key`) behind whose dot it is unknown, or was when a person held it. */
  readonly behind?: string
}

export interface Settlement {
  readonly id: string
  readonly recipients: readonly SettledRecipient[]
  /** One try of the message at a backend; left out where a person or the sweeper settles. It counts as an attempt of each recipient named above. */
  readonly attempt?: Attempt
  /** A DSN that is due because of this: held in the same transaction, so that it is neither lost nor sent twice. */
  readonly dsn?: NewHeld
  readonly delayTold?: boolean
  readonly proof?: SenderProof
}

/** The last 50 of a message are kept, and shown by `waypost queue show`. */
export interface Attempt {
  readonly atMs: number
  /** `backend.url`, or undefined where none could be reached. */
  readonly backend: string | undefined
  /** The name or address of the host that answered: kept with the recipients' `lastReply`. */
  readonly host?: string | undefined
  readonly outcome: 'delivered' | 'refused' | 'deferred' | 'unknown' | 'failed'
  /** The reply or the fault in one line, safe to print. */
  readonly text: string
  readonly recipients: number
}

export interface LaneSummary {
  readonly lane: Lane
  /** Messages that could go now, that wait, and whose dot is unanswered. */
  readonly ready: number
  readonly waiting: number
  readonly unknown: number
  readonly oldestMs: number | undefined
}

export interface DomainSummary {
  readonly domain: string
  readonly messages: number
  readonly bytes: number
  readonly oldestMs: number
  readonly byState: Readonly<Partial<Record<RecipientState, number>>>
}

export interface QueueFilter {
  readonly ids?: readonly string[]
  /** Of a recipient. */
  readonly domain?: string
  /** Canonical text, compared in lower case; `@example.com` means every address there. */
  readonly sender?: string
  readonly recipient?: string
  readonly states?: readonly RecipientState[]
  readonly receivedBeforeMs?: number
  readonly receivedAfterMs?: number
}

export interface QueuePage {
  readonly messages: readonly HeldEntry[]
  /** Give it to `list` for the next page; undefined at the end. A page may be empty before the end: a filter looks at a bounded number of rows a call. */
  readonly next: string | undefined
}

export interface HeldEntry {
  readonly message: HeldMessage
  readonly recipients: readonly HeldRecipient[]
}

/** What the gateway needs of the hold. Failures of the store are `StoreFailure`s (`store/failure.ts`), thrown. */
export interface Queue {
  /** Resolves when the message is on stable storage, or cannot be. All that wait at the same time share one sync. */
  hold(message: NewHeld): Promise<HoldOutcome>
  /**
   * Adds recipients to a message that is there, all or none, durably: what was taken out of it and comes back. Each has an `index` that nobody has. The
   * body and what else is known of the message stay as they are; room is asked for as for a new one.
   * @returns `gone` where no such message is there
   */
  add(message: NewHeld): Promise<Exclude<HoldOutcome, { kind: 'failed' }> | { readonly kind: 'gone' }>
  /** What `hold` would say of such a message now, as far as is known without asking the disk. */
  wouldHold(asked: AskedRoom): HoldOutcome

  /** Tasks of a lane that may go now, oldest turn first, without those that are named. @param limit  1–1000 */
  next(lane: Lane, limit: number, without: ReadonlySet<string>): Promise<readonly Task[]>
  /** The same for those behind whose dot nobody answered and whose time has come. */
  nextUnknown(lane: Lane, limit: number, without: ReadonlySet<string>): Promise<readonly Task[]>
  /** The body, to be released by the caller. Its hash is compared while it is read: the last block is not given where it is another one. */
  body(id: string): Promise<OpenedBody>
  /** Writes down what became of recipients, durably. Rows that are gone meanwhile (removed by a person) are left out in silence. */
  settle(settlement: Settlement): Promise<void>

  /**
   * Makes `ready` what has waited long enough, and what would have to wait for more than `farMs`: the clock was put back.
   * @returns the lanes that have something new
   */
  wake(nowMs: number, farMs?: number): Promise<readonly Lane[]>
  /** When the next one has waited long enough, or undefined where nothing waits. */
  nextWakeMs(): number | undefined
  /** Messages whose time is over, or that of one of their recipients, or would be at `nowMs`, in whatever state, oldest first; also those whose `keepUntilMs` has passed. */
  overdue(
    nowMs: number,
    limit: number,
  ): Promise<{ readonly expiring: readonly HeldEntry[]; readonly kept: readonly HeldEntry[] }>
  /** How many would expire by `nowMs`, and how many there are: a run that takes too much is a clock gone wrong. */
  countOverdue(nowMs: number): Promise<{ readonly overdue: number; readonly all: number }>

  /** Counts that are kept up to date in memory: one entry a lane or domain with anything held. */
  lanes(): readonly LaneSummary[]
  domains(): readonly DomainSummary[]
  readonly totals: { readonly messages: number; readonly bytes: number; readonly oldestMs: number | undefined }

  list(filter: QueueFilter, limit: number, from?: string): Promise<QueuePage>
  /** Ids that begin so, in order. @param limit  1–1000 */
  idsWith(prefix: string, limit: number): Promise<readonly string[]>
  /** The next moment at which something of a recipient domain has waited long enough, among the next thousands of moments. */
  nextWakes(): Promise<ReadonlyMap<string, number>>
  get(id: string): Promise<(HeldEntry & { readonly attempts: readonly Attempt[] }) | undefined>
  /**
   * Gives every recipient the lane that `laneOf` says, which is told the one that it has; undefined makes it `no-route`. Run over all when the
   * configuration changed, a page at a time.
   */
  relane(
    laneOf: (recipient: Recipient, lane: Lane) => Lane | undefined,
  ): Promise<{ readonly moved: number; readonly withoutRoute: number }>

  close(): Promise<void>
}

export type OpenedBody =
  | { readonly kind: 'opened'; readonly body: Body }
  | { readonly kind: 'corrupt'; readonly why: string }
  | { readonly kind: 'gone' }
