/** Which recipients of a message that the queue has found a command means: `act` and `taking-out` do it to these alone, `stats` counts these alone. */
import { isAddressOf } from '../../queue/address-pattern.ts'
import type { HeldRecipient, QueueFilter } from '../../queue/queue.ts'

/** Whether all that the filter says of recipients is so of this one. */
export function isMeant({ recipient, state }: HeldRecipient, filter: QueueFilter): boolean {
  if (filter.domain !== undefined && (recipient.domain ?? '') !== filter.domain.toLowerCase()) return false
  if (filter.states !== undefined && !filter.states.includes(state)) return false
  return filter.recipient === undefined || isAddressOf(filter.recipient.toLowerCase(), recipient.text)
}
