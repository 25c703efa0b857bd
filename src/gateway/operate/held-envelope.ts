/**
 * A held message beside its content, as `waypost queue export` writes it into `ID.json` and `import` reads it again: everything that the hold knows of
 * it. The content stands in `ID.eml` as a backend would get it, our trace line in front.
 */
import { z } from 'zod'
import { parseIp } from '../../base/ip.ts'
import { barePostmaster, type Mailbox, parseMailbox } from '../../mail/address.ts'
import { parseEnvelopeId, parseNotify, parseOriginalRecipient, parseReturnContent } from '../../mail/dsn-request.ts'
import type { Recipient } from '../../mail/message.ts'
import {
  type Attempt,
  type HeldEntry,
  type HeldRecipient,
  type Lane,
  type NewHeld,
  recipientStates,
} from '../../queue/queue.ts'
import { nameIn } from '../ways/chosen-lane.ts'
import { isOutbound } from '../ways/outbound.ts'

/** Text that means a value, read by the parser that knows it. */
function read<Value>(most: number, parse: (text: string) => Value | undefined) {
  return z
    .string()
    .max(most)
    .transform((text, context): Value => {
      const value = parse(text)
      if (value !== undefined) return value
      context.addIssue({ code: 'custom', message: 'it means nothing' })
      return z.NEVER
    })
}

function mailbox(text: string): Mailbox | undefined {
  if (text === barePostmaster.text) return barePostmaster
  const parsed = parseMailbox(text)
  return parsed.kind === 'invalid' ? undefined : parsed.mailbox
}

/** Since 1970, to the end of the year 9999; whole, as the store has it. */
const moment = z
  .number()
  .min(0)
  .max(Date.UTC(9999, 11, 31))
  .transform((ms) => Math.round(ms))
const printableText = (most: number) =>
  z
    .string()
    .max(most)
    .regex(/^[\x20-\x7e]*$/)

const storedReply = z.object({
  code: z.number().int().min(200).max(599),
  enhanced: z.string().max(20).nullable(),
  text: z.array(z.string().max(2000)).min(1).max(100),
})

const storedRecipient = z.object({
  /** Its place among the recipients as they came. */
  index: z.number().int().min(0),
  to: read(400, mailbox),
  notify: read(100, parseNotify).nullable(),
  originalRecipient: read(600, parseOriginalRecipient).nullable(),
  state: z.enum(recipientStates),
  /** The backend or route that a person has sent it to; null where nobody has. Files of earlier versions do not say. */
  chosen: z.string().max(4096).nullable().default(null),
  /** Of mail of our own to a domain that is none of ours, which nobody else's mail may go to. Files of earlier versions do not say. */
  isOwnMail: z.boolean().default(false),
  wasKnown: z.boolean(),
  attempts: z.number(),
  notBeforeMs: moment.nullable(),
  /** Behind whose dot it is unknown, and until when no other gets it. */
  backend: z.string().max(4096).nullable(),
  elsewhereMs: moment.nullable(),
  keepUntilMs: moment.nullable(),
  /** Its own end, where that is before the message's; files of earlier versions have none. */
  expiresMs: moment.nullish(),
  lastReply: storedReply.nullable(),
})

export const heldEnvelope = z.object({
  format: z.literal(1),
  id: z.string().regex(/^[0-9A-HJKMNP-TV-Z]{26}$/),
  receivedMs: moment,
  expiresMs: moment,
  client: z
    .object({
      address: read(100, parseIp),
      port: z.number().int().min(0).max(65_535),
      hello: printableText(255),
      esmtp: z.boolean(),
      tls: z.object({ version: printableText(100), cipher: printableText(100) }).nullable(),
    })
    .nullable(),
  /** Null: the null reverse-path. */
  sender: read(400, mailbox).nullable(),
  body: z.enum(['7BIT', '8BITMIME']).nullable(),
  declaredSize: z.number().int().min(0).nullable(),
  ret: read(10, parseReturnContent).nullable(),
  envid: read(200, parseEnvelopeId).nullable(),
  proof: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('proven'), by: z.enum(['spf', 'trusted']) }),
    z.object({ kind: z.literal('not-proven'), why: z.string().max(1000) }),
    z.object({ kind: z.literal('undecided') }),
  ]),
  has8bit: z.boolean(),
  /** These recipients have left the hold that they were in, or are about to. */
  isTaken: z.boolean(),
  /** Of `ID.eml`: our trace line, and what comes behind it. */
  traceOctets: z.number().int().min(0).max(65_536),
  bodyOctets: z.number().int().min(0),
  recipients: z
    .array(storedRecipient)
    .min(1)
    .max(100_000)
    .refine((all) => new Set(all.map(({ index }) => index)).size === all.length, 'two recipients have one place'),
  /** For people. */
  attempts: z.array(
    z.object({ atMs: z.number(), backend: z.string().nullable(), outcome: z.string(), text: z.string() }),
  ),
})

export type HeldEnvelope = z.output<typeof heldEnvelope>
/** As it stands in the file. */
export type WrittenEnvelope = z.input<typeof heldEnvelope>

/** @param recipients  those that go into it; @param isTaken  whether they leave the hold */
export function envelopeOf(
  { message, attempts }: Pick<HeldEntry, 'message'> & { readonly attempts: readonly Attempt[] },
  recipients: readonly HeldRecipient[],
  isTaken: boolean,
): WrittenEnvelope {
  const { client, envelope } = message
  return {
    format: 1,
    id: message.id,
    receivedMs: message.receivedMs,
    expiresMs: message.expiresMs,
    client: client ? { ...client, tls: client.tls ?? null } : null,
    sender: envelope.sender?.text ?? null,
    body: envelope.body ?? null,
    declaredSize: envelope.declaredSize ?? null,
    ret: envelope.ret ?? null,
    envid: envelope.envid ?? null,
    proof: message.proof,
    has8bit: message.has8bit,
    isTaken,
    traceOctets: message.trace.length,
    bodyOctets: message.size,
    recipients: recipients.map((held) => ({
      index: held.index,
      to: held.recipient.text,
      notify: held.recipient.notify ?? null,
      originalRecipient: held.recipient.originalRecipient ?? null,
      state: held.state,
      chosen: nameIn(held.lane) ?? null,
      isOwnMail: isOutbound(held.lane),
      wasKnown: held.wasKnown,
      attempts: held.attempts,
      notBeforeMs: held.notBeforeMs ?? null,
      backend: held.backend ?? null,
      elsewhereMs: held.elsewhereMs ?? null,
      keepUntilMs: held.keepUntilMs ?? null,
      expiresMs: held.expiresMs ?? null,
      lastReply: held.lastReply
        ? { ...held.lastReply, enhanced: held.lastReply.enhanced ?? null, text: [...held.lastReply.text] }
        : null,
    })),
    attempts: attempts.map(({ atMs, backend = null, outcome, text }) => ({ atMs, backend, outcome, text })),
  }
}

/** What the hold is given, all of it `held`: it goes on when the whole import of it is written down (`taking-in`). */
export function messageOf(
  envelope: HeldEnvelope,
  content: Pick<NewHeld, 'trace' | 'body'>,
  laneOf: (stored: HeldEnvelope['recipients'][number]) => Lane,
): NewHeld {
  const { client, sender, body, declaredSize, ret, envid } = envelope
  return {
    id: envelope.id,
    receivedMs: envelope.receivedMs,
    expiresMs: envelope.expiresMs,
    client: client ? { ...client, tls: client.tls ?? undefined } : undefined,
    envelope: {
      sender,
      body: body ?? undefined,
      declaredSize: declaredSize ?? undefined,
      ret: ret ?? undefined,
      envid: envid ?? undefined,
    },
    proof: envelope.proof,
    isTrusted: true,
    ...content,
    recipients: envelope.recipients.map((stored) => {
      const { lastReply, backend, elsewhereMs, expiresMs } = stored
      return {
        index: stored.index,
        recipient: recipientOf(stored),
        lane: laneOf(stored),
        state: 'held',
        wasKnown: stored.wasKnown,
        ...(backend !== null && elsewhereMs !== null ? { backend, elsewhereMs } : {}),
        ...(typeof expiresMs === 'number' ? { expiresMs } : {}),
        ...(lastReply ? { lastReply: { ...lastReply, enhanced: lastReply.enhanced ?? undefined } } : {}),
      }
    }),
  }
}

export function recipientOf(stored: HeldEnvelope['recipients'][number]): Recipient {
  const { to, notify, originalRecipient } = stored
  if (notify === null && originalRecipient === null) return to
  return { ...to, notify: notify ?? undefined, originalRecipient: originalRecipient ?? undefined }
}
