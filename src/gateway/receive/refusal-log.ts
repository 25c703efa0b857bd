/**
 * Tells what one connection was refused: a line in the log as far as `told-refusals` has room for it, and an event where a message goes no further. Made
 * by `sender-handler`; what refused recipients count for is said in `refusals`.
 */
import type { Fields } from '../../base/log.ts'
import type { Recipient } from '../../mail/message.ts'
import { isPermanent, loggedReply, type Reply } from '../../mail/reply.ts'
import type { MessageStop } from '../events.ts'
import type { SenderConnection } from './sender-handler-deps.ts'
import type { SenderTransaction } from './sender-transaction.ts'

export class RefusalLog {
  readonly #connection: SenderConnection

  constructor(connection: SenderConnection) {
    this.#connection = connection
  }

  recipient(recipient: Recipient, said: Reply, { id, envelope }: SenderTransaction, more: Fields = {}): void {
    const { deps, place, peer } = this.#connection
    deps.toldRefusals.tell(place.client, isPermanent(said) ? 'recipient refused' : 'recipient deferred', {
      id,
      client: peer.address,
      from: envelope.sender?.text ?? '',
      to: recipient.text,
      reply: loggedReply(said),
      ...more,
    })
  }

  /** A message that goes no further than here. */
  message(id: string, why: Exclude<MessageStop, 'repeated'>, fields: Fields = {}): void {
    const { deps, place, peer } = this.#connection
    deps.tell?.({ kind: 'message-stopped', atMs: deps.clock.now(), id, why })
    deps.toldRefusals.tell(place.client, 'message refused', { id, client: peer.address, why, ...fields })
  }

  /** @param said  by the server itself */
  command(said: string): void {
    const { deps, place, peer } = this.#connection
    deps.toldRefusals.tell(place.client, 'smtp command refused', { client: peer.address, reply: said })
  }

  session(why: string): void {
    const { deps, place, peer } = this.#connection
    deps.toldRefusals.tell(place.client, 'smtp session refused', { client: peer.address, why })
  }
}
