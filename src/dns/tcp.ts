/**
 * One query over TCP to a name server (RFC 7766): a connection, two octets of length in front of each message. Used by `transport.ts` where an
 * answer over UDP was truncated. A stub needs it so rarely that no connection is kept.
 */
import type { Clock } from '../base/clock.ts'
import type { Door } from '../base/door.ts'
import type { NameServer } from './servers.ts'

export type TcpOutcome =
  | { readonly kind: 'message'; readonly bytes: Buffer }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'unreachable'; readonly code: string }

/**
 * @param query  at most 65,535 octets; its id is the caller's, and so is the check of what comes
 * @param open  takes, as long as the connection is open, what closes it
 */
export function askOverTcp(
  server: NameServer,
  query: Buffer,
  timeoutMs: number,
  open: Set<() => void>,
  deps: { readonly clock: Clock; readonly door: Door },
): Promise<TcpOutcome> {
  const opening = deps.door.open('resolver', { kind: 'tcp', address: server.address, port: server.port })
  if (opening.kind === 'forbidden') return Promise.resolve({ kind: 'unreachable', code: 'forbidden' })
  const { socket } = opening
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let received = 0
    const end = (outcome: TcpOutcome) => {
      timer.cancel()
      open.delete(close)
      socket.destroy()
      resolve(outcome)
    }
    const timer = deps.clock.after(timeoutMs, () => end({ kind: 'timeout' }))
    const close = () => end({ kind: 'unreachable', code: 'closed' })
    open.add(close)
    socket.on('error', (error: NodeJS.ErrnoException) => end({ kind: 'unreachable', code: error.code ?? 'unknown' }))
    socket.on('close', close)
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      received += chunk.length
      if (received < 2) return
      // Joined only when all is there, so that a server that sends octet by octet costs no more than another.
      const wanted = 2 + lengthOf(chunks)
      if (received >= wanted) end({ kind: 'message', bytes: Buffer.concat(chunks).subarray(2, wanted) })
    })
    const length = Buffer.alloc(2)
    length.writeUInt16BE(query.length)
    socket.write(Buffer.concat([length, query]))
  })
}

/** The length in the first two octets, which may have come one by one. */
function lengthOf(chunks: readonly Buffer[]): number {
  const [first, second] = chunks
  return (first?.[0] ?? 0) * 256 + ((first && first.length > 1 ? first[1] : second?.[0]) ?? 0)
}
