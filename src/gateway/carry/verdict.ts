/**
 * What one reply of a backend means for the sender who waits, for MAIL, RCPT, DATA and the dot alike, and what is said where no backend says
 * anything. What follows for the others of a message is `cut-through`'s, for the backend and the next one `judging`'s.
 */
import { isPermanent, isPositive, isTransient, type Reply, reply } from '../../mail/reply.ts'
import type { Route } from '../../routing/backend.ts'
import { type AskedStep, isAboutUs, type WhoWeAre } from './about-us.ts'

export type Verdict =
  | { readonly kind: 'accepted' }
  /** About this recipient or this message: the sender hears it. */
  | { readonly kind: 'pass'; readonly reply: Reply }
  /** About the server: another backend may do better. */
  | { readonly kind: 'next-backend' }
  /** About us: never the sender's 5yz, and a person must see to it. */
  | { readonly kind: 'about-us' }
  /** `onDefer: hold`: the message is ours to keep. */
  | { readonly kind: 'hold' }

const accepted: Verdict = { kind: 'accepted' }

/** @param who  what the reply could name us by, and whether this backend has accepted the domain before; asked for a 5yz alone */
export function judge(said: Reply, step: AskedStep, onDefer: Route['onDefer'], who: () => WhoWeAre): Verdict {
  if (isPositive(said)) return accepted
  if (isPermanent(said)) {
    return isAboutUs(said, step, who()) ? { kind: 'about-us' } : { kind: 'pass', reply: ownWords(said, step) }
  }
  // RFC 5321 §3.8: 421 ends the session. 4.3.x is the system's state, 4.4.x the network's (RFC 3463 §3.4, §3.5).
  if (said.code === 421 || /^4\.[34]\./.test(said.enhanced ?? '')) return { kind: 'next-backend' }
  // Greylisting, quota, policy: the recipient's own word, and the sender's retry (RFC 5321 §4.2.1: a 4yz invites the very same request later).
  return onDefer === 'hold' ? { kind: 'hold' } : { kind: 'pass', reply: ownWords(said, step) }
}

/**
 * The reply as ours: with an enhanced code of the right class (RFC 2034 §4 wants one on every line), and never a code that would
 * end the sender's session with us.
 */
export function ownWords(said: Reply, step: AskedStep): Reply {
  const first = String(said.code)[0]
  if (said.enhanced?.startsWith(`${first}.`)) return said
  return { ...said, enhanced: isPositive(said) ? positiveCode[step] : `${first}.0.0` }
}

// What the field says where a backend offers no enhanced codes.
const positiveCode = { mail: '2.1.0', rcpt: '2.1.5', data: '2.0.0', dot: '2.0.0' } as const

/** What the sender hears where no backend could be asked and nothing is held: come again. */
export const noBackendReply = reply(
  451,
  '4.4.1',
  'No server for this address can be reached right now, please try again later',
)
export const unableReply = reply(
  451,
  '4.3.0',
  'The servers for this address cannot take mail right now, please try again later',
)
export const busyReply = reply(
  451,
  '4.3.2',
  'All connections to the server for this address are busy, please try again later',
)
export const misconfiguredReply = reply(
  451,
  '4.3.5',
  'Our configuration or the one behind us needs mending, please try again later',
)
export const disagreeingReply = reply(
  451,
  '4.3.0',
  'The servers for this address do not take all of its recipients any more, please try again later',
)

/** Whether all were refused for good, or all put off. */
export const isOfOneMind = (replies: readonly Reply[]): boolean =>
  replies.every(isPermanent) || replies.every(isTransient)
