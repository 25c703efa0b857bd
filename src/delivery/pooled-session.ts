/** A session of a pool with what it has been through: when it has been enough, a server would slow it down. For `pool.ts` and `smtp.ts`. */
import { withoutScope } from '../base/ip.ts'
import type { ClientSession } from '../smtp/client/session.ts'
import type { Ends } from './our-ends.ts'

/** Postfix slows a client down at 10 errors and at 100 RSETs. */
export const mostRefused = 5
const mostEmpty = 50
const mostMessages = 100

export class PooledSession {
  readonly session: ClientSession
  /** Kept, because a socket forgets it when it closes. */
  readonly localAddress: string | undefined
  /** Undefined over a Unix socket. */
  readonly ends: Ends | undefined
  /** Transactions that are over. */
  served = 0
  /** Transactions that ended without a message. */
  empty = 0
  messages = 0
  /** Commands that the server refused. */
  refused = 0
  /** Taken, and not given back or lost yet. */
  isInUse = false
  /** It serves the hold. */
  isFromHold = false
  /** Whose share of the sessions it counts as (`shares.ts`); undefined: nobody's. */
  party: string | undefined
  idleSinceMs = 0

  constructor(session: ClientSession) {
    this.session = session
    this.localAddress = session.localAddress
    const { localAddress, localPort = 0, remoteAddress = '', remotePort = 0 } = session.connection.socket
    this.ends =
      localAddress === undefined
        ? undefined
        : {
            ours: { address: withoutScope(localAddress), port: localPort },
            theirs: { address: withoutScope(remoteAddress), port: remotePort },
          }
  }

  get isWorn(): boolean {
    return this.refused >= mostRefused || this.empty >= mostEmpty || this.messages >= mostMessages
  }
}
