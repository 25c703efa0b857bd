/** Messages to be held, for tests of the queue: plausible in every field, each other than the one before. */
import type { IpAddress } from '../../src/base/ip.ts'
import { parseMailbox } from '../../src/mail/address.ts'
import type { Recipient } from '../../src/mail/message.ts'
import type { Lane, NewHeld } from '../../src/queue/queue.ts'

export interface HeldWords {
  readonly id: string
  readonly sender?: string | null
  readonly receivedMs?: number
  readonly expiresMs?: number
  readonly body?: Buffer | readonly Buffer[]
  readonly file?: string
  readonly has8bit?: boolean
  /** Octets that the body says it has, where that is a lie. */
  readonly size?: number
  /** Addresses, each with what is said of it. */
  readonly to?: Readonly<Record<string, Partial<NewHeld['recipients'][number]>>>
}

export const lane = (name: string) => name as Lane

export function mailbox(text: string): Recipient {
  const parsed = parseMailbox(text)
  if (parsed.kind === 'invalid') throw new Error(`${text} ${parsed.why}`)
  return parsed.mailbox
}

export const startMs = 1_700_000_000_000
export const holdMs = 14 * 86_400_000

export function heldMessage(words: HeldWords): NewHeld {
  const {
    id,
    sender = 'joe@sender.example',
    receivedMs = startMs,
    body = Buffer.from(`To: you\r\n\r\n${id}\r\n`),
  } = words
  const blocks = Array.isArray(body) ? (body as readonly Buffer[]) : [body as Buffer]
  const has8bit = words.has8bit ?? blocks.some((block) => block.some((octet) => octet > 127))
  return {
    id,
    receivedMs,
    client: {
      address: '192.0.2.7' as IpAddress,
      port: 40_000,
      hello: 'mail.sender.example',
      esmtp: true,
      tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' },
    },
    envelope: {
      sender: sender === null ? null : mailbox(sender),
      body: undefined,
      declaredSize: 1000,
      ret: undefined,
      envid: undefined,
    },
    trace: Buffer.from(`Received: from mail.sender.example by mx.example.test with ESMTPS id ${id}\r\n`),
    proof: { kind: 'proven', by: 'spf' },
    expiresMs: words.expiresMs ?? receivedMs + holdMs,
    body: {
      size: words.size ?? blocks.reduce((sum, block) => sum + block.length, 0),
      has8bit,
      file: words.file,
      blocks: () => blocks,
      release() {},
    },
    recipients: Object.entries(words.to ?? { 'you@example.test': {} }).map(([address, more]) => ({
      recipient: mailbox(address),
      lane: lane('main'),
      state: 'ready' as const,
      wasKnown: false,
      ...more,
    })),
  }
}

/** An id as ours are: the number first, so that later ones sort behind earlier ones. */
export const heldId = (number: number) =>
  `${String(number).padStart(10, '0')}ABCDEFGHJKMNPQ${String(number % 97).padStart(2, '0')}`
