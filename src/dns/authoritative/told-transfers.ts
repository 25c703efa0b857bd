/**
 * The log lines of transfers that were refused: so many a client and minute, and behind them one line that says how many more there were. Who
 * asks again and again does not fill the disk. Used by `transfer-out.ts`.
 */
import { type Clock, Deadline } from '../../base/clock.ts'
import { clientKey, type IpAddress } from '../../base/ip.ts'
import type { Fields, Log } from '../../base/log.ts'

export interface ToldTransfers {
  tell(address: IpAddress, fields: Fields): void
  /** Says what is still to be said. */
  stop(): void
}

const minuteMs = 60_000
const mostLines = 5
/** Clients of one minute that are counted apart; what goes beyond it is one client more. */
const mostClients = 1_000

export function createToldTransfers(clock: Clock, log: Log): ToldTransfers {
  const counts = new Map<string, number>()
  const alarm = new Deadline(clock, sumUp)

  function sumUp(): void {
    for (const [client, count] of counts)
      if (count > mostLines)
        log.info('dns transfers refused', { client: client || 'others', more: count - mostLines, withinSeconds: 60 })
    counts.clear()
  }

  return {
    tell(address, fields) {
      if (counts.size === 0) alarm.arm(minuteMs)
      const key = clientKey(address)
      const client = counts.has(key) || counts.size < mostClients ? key : ''
      const count = (counts.get(client) ?? 0) + 1
      counts.set(client, count)
      if (count <= mostLines) log.info('dns transfer refused', { address, ...fields })
    },
    stop() {
      alarm.end()
      sumUp()
    },
  }
}
