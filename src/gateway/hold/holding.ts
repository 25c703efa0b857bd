/** What the hold stands on: `cli` opens it (`cli/holding.ts`) and hands it to the gateway. */
import type { KnownRecipients } from '../../queue/known-recipients.ts'
import type { Queue } from '../../queue/queue.ts'

/** Where messages are kept while no backend can take them. `cli` opens it, and closes it when the gateway has stopped. */
export interface Holding {
  readonly queue: Queue
  readonly known: KnownRecipients
  /** Resolves when the store can be written, and not at all once it is closed; undefined where it can. */
  readonly whenWritable: () => Promise<void> | undefined
  /** Why no message could be kept now, in words for people; undefined where it could, as far as is known without asking the disk. */
  readonly whyNotKept: () => string | undefined
}
