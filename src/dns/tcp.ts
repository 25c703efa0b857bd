/**
 * One query over TCP to a name server, and its answer. Used by `transport.ts` where an answer over UDP was truncated. A stub needs it so
 * rarely that no connection is kept.
 */
import type { Clock } from '../base/clock.ts'
import type { Door } from '../base/door.ts'
import type { NameServer } from './servers.ts'
import { converseOverTcp } from './tcp-conversation.ts'

export type TcpOutcome =
  | { readonly kind: 'message'; readonly bytes: Buffer }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'unreachable'; readonly code: string }

/**
 * @param query  at most 65,535 octets; its id is the caller's, and so is the check of what comes
 * @param open  takes, as long as the connection is open, what closes it
 */
export async function askOverTcp(
  server: NameServer,
  query: Buffer,
  timeoutMs: number,
  open: Set<() => void>,
  deps: { readonly clock: Clock; readonly door: Door },
): Promise<TcpOutcome> {
  let bytes: Buffer = Buffer.alloc(0)
  const take = (message: Buffer) => {
    bytes = message
    return 'enough' as const
  }
  const end = await converseOverTcp({ server, message: query, timeoutMs, purpose: 'resolver', take, open }, deps)
  if (end.kind === 'done') return { kind: 'message', bytes }
  return end.kind === 'timeout' ? { kind: 'timeout' } : { kind: 'unreachable', code: end.code }
}
