/**
 * What `waypost queue` asks and is answered, as plain values that pass through the control socket: said by `queue-operations` and `queue-transfer`,
 * checked by `cli` on both sides, because the two may be of different versions. Moments are milliseconds of the wall clock.
 */
import { z } from 'zod'
import { recipientStates } from '../../queue/queue.ts'

const moment = z.number().nullable()

export const queueFilter = z.strictObject({
  ids: z.exactOptional(z.array(z.string().max(64)).max(2000)),
  domain: z.exactOptional(z.string().max(255)),
  sender: z.exactOptional(z.string().max(400)),
  recipient: z.exactOptional(z.string().max(400)),
  states: z.exactOptional(z.array(z.enum(recipientStates))),
  receivedBeforeMs: z.exactOptional(z.number()),
  receivedAfterMs: z.exactOptional(z.number()),
})
export type AskedFilter = z.output<typeof queueFilter>

export const listedRecipient = z.object({
  to: z.string(),
  state: z.enum(recipientStates),
  /** The route by which it goes, by name; what a person has named where one has sent it another way. */
  way: z.string(),
  isChosen: z.boolean(),
  attempts: z.number(),
  /** When it is tried next; null where nothing is known of that: a recipient that is `ready` goes as soon as a backend is up. */
  nextMs: moment,
  reply: z.string().nullable(),
  host: z.string().nullable(),
  lastMs: moment,
  /** Behind whose dot it is unknown. */
  backend: z.string().nullable(),
})
export type ListedRecipient = z.output<typeof listedRecipient>

const listedMessage = z.object({
  id: z.string(),
  receivedMs: z.number(),
  expiresMs: z.number(),
  /** Empty: the null reverse-path. */
  from: z.string(),
  /** Null for mail of our own. */
  client: z.object({ address: z.string(), hello: z.string(), tls: z.string().nullable() }).nullable(),
  /** Octets as it came, without our trace lines. */
  size: z.number(),
  /** The first of them; `recipientCount` says how many there are. */
  recipients: z.array(listedRecipient),
  recipientCount: z.number(),
})
export type ListedMessage = z.output<typeof listedMessage>

export const listAnswer = z.object({ messages: z.array(listedMessage), next: z.string().nullable() })
export type ListAnswer = z.output<typeof listAnswer>

const shownAttempt = z.object({
  atMs: z.number(),
  backend: z.string().nullable(),
  outcome: z.string(),
  text: z.string(),
  recipients: z.number(),
})

export const showAnswer = listedMessage.extend({
  envid: z.string().nullable(),
  ret: z.string().nullable(),
  proof: z.string(),
  attempts: z.array(shownAttempt),
  /** The lines of the header, ours in front; null where the body cannot be read. */
  headers: z.array(z.string()).nullable(),
  isBeingAttempted: z.boolean(),
})
export type ShowAnswer = z.output<typeof showAnswer>

export const catAnswer = z.object({
  /** Base64. */
  content: z.string(),
  /** Octets in all, our trace line among them. */
  size: z.number(),
  /** Where the next part begins; null at the end. */
  next: z.number().nullable(),
})
export type CatAnswer = z.output<typeof catAnswer>

export const acts = ['count', 'retry', 'hold', 'release', 'route', 'remove'] as const
export type Act = (typeof acts)[number]

export const actAnswer = z.object({
  messages: z.number(),
  recipients: z.number(),
  octets: z.number(),
  /** Messages that were meant and are as they were, with why; the first of them. */
  left: z.array(z.object({ id: z.string(), why: z.string() })),
  leftCount: z.number(),
  /** For `retry` beside a running gateway: of the messages, those whose backends were all down, or taken out, at the last look. */
  withoutBackend: z.exactOptional(z.number()),
  /** For the next call; null at the end. */
  next: z.string().nullable(),
})
export type ActAnswer = z.output<typeof actAnswer>

export const statsAnswer = z.object({
  messages: z.number(),
  octets: z.number(),
  oldestMs: moment,
  domains: z.array(
    z.object({
      domain: z.string(),
      messages: z.number(),
      octets: z.number(),
      oldestMs: z.number(),
      nextMs: moment,
      /** Recipients by state. */
      states: z.partialRecord(z.enum(recipientStates), z.number()),
    }),
  ),
  /** How many domains there are; the largest are named. */
  domainCount: z.number(),
  /** Drains that wait for a person, by backend. */
  stopped: z.array(z.object({ backend: z.string(), why: z.string() })),
  /** Why nothing expires, where that waits for a person. */
  expiryStopped: z.string().nullable(),
})
export type StatsAnswer = z.output<typeof statsAnswer>

export const resumeAnswer = z.object({ resumed: z.array(z.string()) })
