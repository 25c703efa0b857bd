/** Reports of what became of a message, for the tests that write notifications: one case each, with the message that it is about. */
import assert from 'node:assert/strict'
import { seededRandom } from '../../src/base/random.ts'
import type { Mailbox } from '../../src/mail/address.ts'
import type { DsnRecipient, DsnReport } from '../../src/mail/dsn/report.ts'
import type { Original } from '../../src/mail/dsn/returned.ts'
import { type DsnStatus, parseStatus } from '../../src/mail/dsn/status.ts'
import { type Dsn, writeDsn } from '../../src/mail/dsn/write.ts'
import {
  type EnvelopeId,
  type Notify,
  type OriginalRecipient,
  parseEnvelopeId,
  parseNotify,
  parseOriginalRecipient,
  type ReturnContent,
} from '../../src/mail/dsn-request.ts'
import type { Recipient } from '../../src/mail/message.ts'
import { reply } from '../../src/mail/reply.ts'
import { loopback, mailbox, name } from './deliver.ts'

export const status = (text: string): DsnStatus => parseStatus(text) ?? assert.fail(text)
export const envid = (text: string): EnvelopeId => parseEnvelopeId(text) ?? assert.fail(text)
export const notify = (text: string): Notify => parseNotify(text) ?? assert.fail(text)
export const orcpt = (text: string): OriginalRecipient => parseOriginalRecipient(text) ?? assert.fail(text)

/** A mailbox beyond ASCII, which no command brings here yet. */
export const utf8Mailbox = (localPart: string, domain: string): Mailbox => ({
  localPart,
  domain: name(domain),
  literal: undefined,
  text: `${localPart}@${domain}`,
})

const minuteMs = 60_000
/** Monday, 5 January 2026, 10:00 UTC. */
export const arrivedMs = Date.UTC(2026, 0, 5, 10)

export const backendName = name('mail.example.test')
export const userUnknown = reply(550, '5.1.1', '<nobody@example.test>: Recipient address rejected: User unknown')

export interface CaseWords {
  readonly sender?: Mailbox | null
  readonly ret?: ReturnContent
  readonly envid?: EnvelopeId
  readonly recipients: readonly DsnRecipient[]
  readonly content?: Buffer | string
}

export interface Case {
  readonly report: DsnReport
  readonly original: Original
}

export const trace =
  'Received: from client.example ([127.0.0.1])\r\n\tby mx.example.test with ESMTP id 01KE6W7S000000000000000001;\r\n\tMon, 05 Jan 2026 10:00:00 +0000\r\n'

export const plainMessage =
  'From: Some One <sender@example.org>\r\nTo: you@example.test\r\nSubject: Lunch\r\nMessage-ID: <lunch.1@example.org>\r\nDate: Mon, 05 Jan 2026 09:59:58 +0000\r\n\r\nAt noon?\r\n'

export function dsnCase(words: CaseWords): Case {
  const content = Buffer.from(words.content ?? plainMessage)
  return {
    report: {
      id: '01KE70000000000000000000D1',
      atMs: arrivedMs + 90 * minuteMs,
      hostname: name('mx.example.test'),
      envelope: {
        sender: words.sender === undefined ? mailbox('sender@example.org') : words.sender,
        ret: words.ret,
        envid: words.envid,
      },
      client: { address: loopback, hello: 'client.example' },
      messageId: '01KE6W7S000000000000000001',
      arrivedMs,
      recipients: words.recipients,
    },
    original: { trace: Buffer.from(trace), body: inBlocks(content) },
  }
}

/** As a file gives it: block by block, and a block is gone when the next is asked for. */
function inBlocks(content: Buffer): Original['body'] {
  return {
    size: content.length,
    async *blocks() {
      const block = Buffer.alloc(8192)
      for (let at = 0; at < content.length; at += block.length)
        yield block.subarray(0, content.copy(block, 0, at, at + block.length))
    },
  }
}

export async function written({ report, original }: Case): Promise<Dsn> {
  return (await writeDsn(report, original, seededRandom(1))) ?? assert.fail('nobody is owed one')
}

/** The octets of a notification. */
export async function octets({ body }: Dsn): Promise<Buffer> {
  const blocks: Buffer[] = []
  for await (const block of body.blocks()) blocks.push(block)
  return Buffer.concat(blocks)
}

const failed = (recipient: Recipient, code: string, said = userUnknown): DsnRecipient => ({
  action: 'failed',
  recipient,
  status: status(code),
  remote: { host: backendName, reply: said },
  lastAttemptMs: arrivedMs + 89 * minuteMs,
})

const you = mailbox('you@example.test')
const retryUntilMs = arrivedMs + 14 * 24 * 60 * minuteMs

export const cases: Readonly<Record<string, Case>> = {
  failed: dsnCase({ recipients: [failed(mailbox('nobody@example.test'), '5.1.1')] }),
  'failed-header-only': dsnCase({ ret: 'HDRS', recipients: [failed(mailbox('nobody@example.test'), '5.1.1')] }),
  delayed: dsnCase({
    ret: 'FULL',
    recipients: [
      {
        action: 'delayed',
        recipient: you,
        status: status('4.4.1'),
        lastAttemptMs: arrivedMs + 85 * minuteMs,
        willRetryUntilMs: retryUntilMs,
      },
    ],
  }),
  expired: dsnCase({ recipients: [{ action: 'failed', recipient: you, status: undefined }] }),
  'expired-with-a-last-word': dsnCase({
    recipients: [
      failed(
        you,
        '4.2.2',
        reply(
          452,
          '4.2.2',
          'The mailbox is over its quota',
          'Please try again, or write to a smaller mailbox instead of this one',
        ),
      ),
    ],
  }),
  relayed: dsnCase({
    recipients: [
      {
        action: 'relayed',
        recipient: { ...you, notify: notify('SUCCESS,FAILURE') },
        status: status('2.0.0'),
        remote: { host: loopback, reply: reply(250, undefined, 'Ok: queued as 4F2') },
        lastAttemptMs: arrivedMs,
      },
    ],
  }),
  delivered: dsnCase({
    recipients: [{ action: 'delivered', recipient: { ...you, notify: notify('SUCCESS') }, status: undefined }],
  }),
  mixed: dsnCase({
    ret: 'FULL',
    recipients: [
      {
        action: 'delayed',
        recipient: { ...mailbox('late@example.test'), notify: notify('DELAY,FAILURE') },
        status: status('4.3.2'),
      },
      failed({ ...mailbox('unasked@example.test'), notify: notify('NEVER') }, '5.1.1'),
      failed(mailbox('nobody@example.test'), '5.1.1'),
      failed(
        { ...mailbox('"a b"@example.test'), notify: notify('SUCCESS,FAILURE') },
        '5.7.1',
        reply(554, undefined, 'No'),
      ),
      {
        action: 'delayed',
        recipient: { ...mailbox('undelayed@example.test'), notify: notify('FAILURE') },
        status: undefined,
      },
      { action: 'relayed', recipient: mailbox('relayed@example.test'), status: undefined },
      { action: 'relayed', recipient: { ...you, notify: notify('SUCCESS') }, status: undefined },
    ],
  }),
  'utf-8': dsnCase({
    sender: utf8Mailbox('jörg', 'example.org'),
    content: plainMessage.replace('Lunch', 'Mittagessen für zwölf'),
    recipients: [
      failed(
        { ...utf8Mailbox('δοκιμή', 'example.test'), originalRecipient: orcpt('utf-8;\\x{3B4}\\x{3BF}@example.test') },
        '5.1.1',
      ),
    ],
  }),
  'utf-8-to-an-ascii-sender': dsnCase({
    content: plainMessage.replace('Lunch', 'Mittagessen für zwölf'),
    recipients: [failed(utf8Mailbox('δοκιμή', 'example.test'), '5.1.1')],
  }),
  'utf-8-address-type-in-ascii': dsnCase({
    recipients: [failed({ ...you, originalRecipient: orcpt('utf-8;j\\x{F6}rg@example.test') }, '5.1.1')],
  }),
  '8-bit-header': dsnCase({
    ret: 'HDRS',
    content: Buffer.from(plainMessage.replace('Lunch', 'Mittagessen f\xfcr zw\xf6lf'), 'latin1'),
    recipients: [failed(mailbox('nobody@example.test'), '5.1.1')],
  }),
  '8-bit-message': dsnCase({
    ret: 'FULL',
    content: plainMessage.replace('noon', 'zwölf'),
    recipients: [failed(mailbox('nobody@example.test'), '5.1.1')],
  }),
  '100-kilobytes': dsnCase({
    ret: 'FULL',
    content: plainMessage + 'It is a long way to the end of this line of some seventy octets, is it\r\n'.repeat(1400),
    recipients: [failed(mailbox('nobody@example.test'), '5.1.1')],
  }),
  'names-of-the-senders-own': dsnCase({
    envid: envid('QQ+2B314+20Abc'),
    recipients: [failed({ ...you, originalRecipient: orcpt('rfc822;You+2Btag@Orig.Example') }, '5.1.1')],
  }),
}
