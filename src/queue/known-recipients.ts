/**
 * The contract of what is known of recipients: which a backend accepted, and which it refused, so that while no backend answers the
 * first are taken and the second are refused at once (RFC 5321 §4.5.4.1 wants care with negative memory: it is short, and asked only while
 * a route is out). `gateway/hold/learner.ts` tells what a backend said, `gateway/hold/hold.ts` asks. Kept in the store as keyed hashes: a copy of the disk names nobody.
 */
import type { IpAddress } from '../base/ip.ts'
import type { Recipient } from '../mail/message.ts'
import type { Lane } from './queue.ts'

export interface KnownRecipients {
  /** A backend took a message for it. Good for 31 days, by address, whatever the route. Costs next to nothing where it is known already. */
  delivered(recipient: Recipient): void
  /**
   * A backend said 2yz to RCPT, and no message went with it: the same, but anybody can bring that about for as many as the backend makes up. So one
   * network teaches few of them, they never take the place of those that mail was delivered to, and while one is known as such it changes nothing.
   * @param client  whose RCPT it was
   */
  accepted(recipient: Recipient, client: IpAddress): void
  /** A backend said 550, 551 or 553 with 5.1.x, or without an enhanced code, to RCPT. Good for 3 days, for that lane alone. */
  refused(recipient: Recipient, lane: Lane, said: { readonly code: number; readonly text: string }): void
  /** From the store and what is on its way there. */
  ask(recipient: Recipient, lane: Lane): Promise<Knowledge>
  /** Writes what was learnt less than a second ago. */
  flush(): Promise<void>
}

export type Knowledge =
  | { readonly kind: 'accepted' }
  /** The backend's own words then. */
  | { readonly kind: 'refused'; readonly code: number; readonly text: string }
  | { readonly kind: 'unknown' }
