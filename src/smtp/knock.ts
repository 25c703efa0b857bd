/**
 * Whether somebody takes mail at an address: connect → greeting → EHLO → QUIT, and nothing of any message. Called by
 * `publish/builtin/exchanger-health.ts`, again and again, so it is the least that tells (RFC 5321 §3.1, §3.2).
 */
import type { Clock } from '../base/clock.ts'
import type { Door } from '../base/door.ts'
import type { IpAddress } from '../base/ip.ts'
import { openSession } from './client/open.ts'

export interface KnockOptions {
  readonly address: IpAddress
  readonly port: number
  /** What we call ourselves. */
  readonly hello: string
  /** Of all of it. */
  readonly limitMs: number
  /** An address that is not public is meant, too. */
  readonly isPrivate: boolean
}

export type Knocked =
  /** It speaks SMTP; also where it does not want us, which says nothing of others. */
  | { readonly kind: 'up' }
  /** `isRefused`: nobody listens there. `why`: safe to print. */
  | { readonly kind: 'down'; readonly isRefused: boolean; readonly why: string }
  /** It was our own network, or the door, that kept us from asking. `why`: safe to print. */
  | { readonly kind: 'not-asked'; readonly why: string }

/** What the system says where the way ends at ourselves: no route, no address of the family, no more sockets. */
const ownFaults: ReadonlySet<string> = new Set([
  'ENETUNREACH',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'EACCES',
  'EPERM',
  'EMFILE',
])

export async function knock(
  { address, port, hello, limitMs, isPrivate }: KnockOptions,
  { clock, door }: { readonly clock: Clock; readonly door: Door },
): Promise<Knocked> {
  const opening = door.open('check', { kind: 'tcp', address, port }, isPrivate)
  if (opening.kind === 'forbidden') return { kind: 'not-asked', why: opening.why }
  const { socket } = opening
  const limits = { connectMs: limitMs, greetingMs: limitMs, helloMs: limitMs, startTlsMs: limitMs }
  const opened = await openSession(
    socket,
    { protocol: 'smtp', hello, tls: 'off', serverName: undefined, limits },
    clock,
    clock.monotonicMs() + limitMs,
  )
  if (opened.kind === 'open') {
    opened.session.quit()
    return { kind: 'up' }
  }
  const { kind, reply, detail } = opened.fault
  const code = (socket.errored as NodeJS.ErrnoException | null)?.code
  if (kind === 'unreachable' && code !== undefined && ownFaults.has(code)) return { kind: 'not-asked', why: detail }
  // RFC 5321 §3.8: a 421 serves nobody; any other no is about us.
  if (reply !== undefined && reply.code !== 421) return { kind: 'up' }
  return { kind: 'down', isRefused: kind === 'refused', why: detail }
}
