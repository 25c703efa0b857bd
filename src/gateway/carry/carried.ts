/**
 * What comes of carrying: `cut-through` says it, of a recipient and of the message, and `recipient-asker`, `hand-over` and `attempt` act on it.
 */
import type { Transaction } from '../../delivery/delivery.ts'
import type { Fault, LateAnswer } from '../../delivery/outcome.ts'
import type { Recipient } from '../../mail/message.ts'
import { isPermanent, type Reply } from '../../mail/reply.ts'
import type { Endpoint } from '../../routing/backend.ts'
import type { Nobody } from './line-up.ts'
import * as verdict from './verdict.ts'

/** What came of asking for one recipient, or of handing the message over for it. */
export type Answer =
  | { readonly kind: 'accepted'; readonly reply: Reply }
  /** For the sender to hear: a backend's word on the recipient or the message, or ours on load or on what must be mended. */
  | {
      readonly kind: 'said'
      readonly by: 'backend' | 'us' | 'load'
      readonly reply: Reply
      /** Of the backend that said so to MAIL or RCPT. */
      readonly endpoint?: Endpoint
    }
  /** No backend could say anything: the hold may take it; where it does not, this is what the sender hears. */
  | { readonly kind: 'outage'; readonly reply: Reply }

/** What became of a message on its way to one route. */
export type Carried =
  /** A backend answered, for all recipients alike or (LMTP, Maildir) for each. */
  | {
      readonly kind: 'answered'
      readonly endpoint: Endpoint
      readonly answers: readonly RecipientAnswer[]
      /** What is owed to senders who want to hear of success (`Transaction.owedOnSuccess`). */
      readonly owed: Transaction['owedOnSuccess']
    }
  /** It was given to nobody. `answers`: where backends refused those whom they had accepted, what was said of each. */
  | { readonly kind: 'nobody'; readonly answer: Answer; readonly answers?: readonly RecipientAnswer[] }
  /** A backend may have it: it is silent or gone behind our dot. `answers`: what it did say of some of several recipients. */
  | {
      readonly kind: 'unknown'
      readonly endpoint: Endpoint
      readonly fault: Fault
      readonly answers: readonly RecipientAnswer[]
      /** Where it is merely silent: its word may still come. */
      readonly late: LateAnswer | undefined
      /** Behind the dot. */
      readonly waitedMs: number
      /** As above, should its word be yes. */
      readonly owed: Transaction['owedOnSuccess']
    }

export interface RecipientAnswer {
  readonly recipient: Recipient
  readonly answer: Answer
}

/** Nobody could say anything. */
export const outage: Answer = { kind: 'outage', reply: verdict.noBackendReply }

/** Nobody was asked for this one, because nobody takes the others of the message any more. */
export const othersRefused: Answer = { kind: 'outage', reply: verdict.disagreeingReply }

/** What was said of this recipient; undefined where the backend is silent behind our dot. */
export function answerFor(carried: Carried, recipient: Recipient): Answer | undefined {
  const own = carried.answers?.find((each) => each.recipient === recipient)?.answer
  return carried.kind === 'nobody' ? (own ?? carried.answer) : own
}

/** What all hear where the line of candidates has come to its end. */
export function answerOf({ why, reply }: Nobody): Answer {
  switch (why) {
    // It is the backends that cannot, so the hold may take the message. Busy is not down: nothing is held because of load.
    case 'disagreeing':
    case 'unable':
    case 'out':
      return { kind: 'outage', reply }
    case 'busy':
      return { kind: 'said', by: 'load', reply }
    case 'refused':
    case 'misconfigured':
      return { kind: 'said', by: 'us', reply }
  }
}

/** Nobody took the message. Where those who were accepted before were refused, each in his own words; what was said of some is no word on all. */
export function takenByNobody(nobody: Nobody, accepted: readonly Recipient[]): Carried {
  const { replies } = nobody
  if (!replies) return { kind: 'nobody', answer: answerOf(nobody) }
  if (replies.length !== accepted.length) return { kind: 'nobody', answer: othersRefused }
  const answers = accepted.map(
    (recipient, at): RecipientAnswer => ({
      recipient,
      answer: { kind: 'said', by: 'us', reply: replies[at] as Reply },
    }),
  )
  return { kind: 'nobody', answer: answerOf(nobody), answers }
}

/**
 * What one recipient hears where the others of the message stay with this backend: its 4yz as it is, what is about us as ours to mend. A message has
 * one answer, so nobody can be held while the others are delivered: its sender comes again with it alone, and then other backends and the hold
 * are there for it.
 */
export function answerAlone(said: Reply, endpoint: Endpoint): Answer {
  if (isPermanent(said)) return { kind: 'said', by: 'us', reply: verdict.misconfiguredReply }
  return { kind: 'said', by: 'backend', reply: verdict.ownWords(said, 'rcpt'), endpoint }
}
