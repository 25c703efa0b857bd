/**
 * What can come of handing one message to one backend: the one type for cut-through and drain, for SMTP, LMTP and Maildir.
 * What it means for the sender is decided in `gateway/carry/verdict.ts`; here it is only told.
 */
import { type Reply, replyText } from '../mail/reply.ts'
import type { ClientFault } from '../smtp/client/fault.ts'

/** What the SMTP client met, or that it was not let through the door. */
export interface Fault extends Omit<ClientFault, 'kind'> {
  readonly kind: ClientFault['kind'] | 'forbidden' // the address may not be connected to (`base/door`)
}

/** What MAIL and RCPT brought. */
export type RecipientsOutcome =
  /** MAIL was accepted (now or earlier in this transaction); one reply a recipient, in order. */
  | { readonly kind: 'answered'; readonly replies: readonly Reply[] }
  /** The reply to MAIL was no 2yz. The transaction is over. */
  | { readonly kind: 'mail-refused'; readonly reply: Reply }
  | Lost

/** What DATA, the body and the dot brought. */
export type DataOutcome =
  /** One reply (SMTP), or one a recipient that was accepted, in order (LMTP, Maildir). A no to DATA is one reply: `step` 'data'. */
  | { readonly kind: 'answered'; readonly step: 'data' | 'body' | 'dot'; readonly replies: readonly Reply[] }
  | Lost
  /**
   * Our dot has left and no answer came: the backend may have the message, so no other may get it now.
   * `replies` are the LMTP ones that did arrive, in order; the rest is unknown.
   */
  | {
      readonly kind: 'unknown'
      readonly fault: Fault
      readonly replies: readonly Reply[]
      readonly waitedMs: number
      /** Where the backend is merely silent and its connection lives: the word that may still come. */
      readonly late: LateAnswer | undefined
    }

/** Somebody must wait for it, or let go: until then the session is taken. */
export interface LateAnswer {
  /** @returns the replies that were missing, in order, or undefined where they did not come. @param untilMs  on the monotonic clock */
  wait(untilMs: number): Promise<readonly Reply[] | undefined>
  letGo(): void
}

/** The session ended before the dot left: certainly nothing was delivered. */
export interface Lost {
  readonly kind: 'lost'
  readonly fault: Fault
  /** The session had served before: its end says nothing of the backend, and the step is worth one fresh session. */
  readonly reused: boolean
}

/** The steps as the field calls them. */
const stepWords: Readonly<Record<Fault['step'], string>> = {
  connect: 'the connection',
  greeting: 'the greeting',
  hello: 'EHLO',
  starttls: 'STARTTLS',
  mail: 'MAIL',
  rcpt: 'RCPT',
  data: 'DATA',
  body: 'the body of the message',
  dot: 'the final dot',
  rset: 'RSET',
  noop: 'NOOP',
  quit: 'QUIT',
}

/** How a session ended, for logs and people, behind the backend's name: `closed the connection at RCPT`. */
export function lossText({ kind, step, reply, detail }: Fault): string {
  const at = stepWords[step]
  if (reply) return saidText(step, reply)
  if (kind === 'closed')
    return `closed the connection at ${at}${/: (E[A-Z]+)$/.exec(detail)?.[0].replace(':', ',') ?? ''}`
  if (kind === 'timeout') return `did not answer at ${at} in time`
  return `was lost at ${at}: ${detail}`.slice(0, 300)
}

/** What a backend answered, in the same manner: `said at RCPT: 450 4.3.0 later`. */
export const saidText = (step: Fault['step'], said: Reply): string =>
  `said at ${stepWords[step]}: ${replyText(said)}`.slice(0, 300)

/** One line for logs and people. */
export function faultText(fault: Fault): string {
  return `${fault.step}: ${fault.reply ? replyText(fault.reply) : fault.detail}`.slice(0, 300)
}
