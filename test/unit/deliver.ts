/** What tests of the outgoing side hand in: endpoints on loopback, jobs, messages, a delivery that remembers what it told health. */

import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { systemDoor } from '../../src/base/door.ts'
import { parseIp } from '../../src/base/ip.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { createDelivery, type DeliveryDeps, type DeliveryOptions } from '../../src/delivery/create.ts'
import type { Delivery, Job, Transaction } from '../../src/delivery/delivery.ts'
import { type HostName, parseName } from '../../src/dns/name.ts'
import { type Mailbox, parseMailbox } from '../../src/mail/address.ts'
import type { EnvelopeId, ReturnContent } from '../../src/mail/dsn-request.ts'
import type { Message } from '../../src/mail/message.ts'
import type { BackendAddress, BackendOptions, Endpoint } from '../../src/routing/backend.ts'
import { steadyClock } from '../lab/fast-clock.ts'

export function name(text: string): HostName {
  const parsed = parseName(text)
  assert(parsed.kind === 'name')
  return parsed.name
}

export function mailbox(text: string): Mailbox {
  const parsed = parseMailbox(text)
  assert(parsed.kind === 'mailbox')
  return parsed.mailbox
}

export const loopback = parseIp('127.0.0.1') ?? assert.fail()

export function endpoint(
  where: { readonly port: number; readonly protocol?: 'smtp' | 'smtps' | 'lmtp' } | { readonly path: string },
  options: Partial<BackendOptions> = {},
): Endpoint {
  const isUnix = 'path' in where
  const address = (
    isUnix
      ? { protocol: 'lmtp', path: where.path }
      : { protocol: where.protocol ?? 'smtp', host: loopback, port: where.port }
  ) as BackendAddress
  const url = isUnix ? `lmtp:${where.path}` : `${address.protocol}://127.0.0.1:${where.port}`
  return {
    key: url,
    backend: {
      key: url,
      url,
      address,
      options: { tls: 'may', helo: undefined, connections: 20, private: false, ...options },
    },
    target: isUnix ? { kind: 'unix', path: where.path } : { kind: 'tcp', address: loopback, port: where.port },
    name: isUnix ? where.path : 'backend.example.test',
    purpose: 'backend',
  }
}

const client = { address: loopback, port: 40_000, hello: 'client.example', esmtp: true, tls: undefined }

export interface JobWords {
  readonly body?: '8BITMIME'
  readonly declaredSize?: number
  readonly fairnessKey?: string
  readonly sender?: null
  readonly ret?: ReturnContent
  readonly envid?: EnvelopeId
}

export function job(more: JobWords = {}): Job {
  const { body, declaredSize, fairnessKey = 'a', ret, envid } = more
  const sender = more.sender === null ? null : mailbox('sender@example.org')
  return { id: 'test', client, envelope: { sender, body, declaredSize, ret, envid }, fairnessKey }
}

export const trace = 'Received: from client.example by mx.example.test; now\r\n'

export function message(content: string | AsyncIterable<Buffer>, size?: number): Message {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : undefined
  return {
    id: 'test',
    client,
    envelope: job().envelope,
    trace: Buffer.from(trace),
    body: {
      size: bytes?.length ?? size ?? 0,
      has8bit: false,
      blocks: () => (bytes ? [bytes] : (content as AsyncIterable<Buffer>)),
      release() {},
    },
  }
}

export interface Reported {
  readonly delivery: Delivery
  /** `opened`, or the kind and step of the fault, in order. */
  readonly health: string[]
}

export function delivery(
  t: TestContext,
  options: Partial<DeliveryOptions> = {},
  deps: Partial<DeliveryDeps> = {},
): Reported {
  const health: string[] = []
  const made = createDelivery(
    { hostname: () => name('mx.example.test'), ...options },
    {
      clock: steadyClock,
      random: systemRandom,
      log: silentLog,
      door: systemDoor,
      health: {
        opened: () => health.push('opened'),
        failed: (_, fault) => health.push(`${fault.kind} ${fault.step}`),
      },
      ...deps,
    },
  )
  t.after(() => made.close())
  return { delivery: made, health }
}

export const inMs = (ms: number): number => steadyClock.monotonicMs() + ms

export const beginLimits = (fresh = false) => ({ sessionUntilMs: inMs(2_000), readyUntilMs: inMs(5_000), fresh })
export const stepLimits = (ms = 5_000) => ({ mailUntilMs: inMs(ms), untilMs: inMs(ms), bodyUntilMs: inMs(ms) })

export async function begin(from: Delivery, to: Endpoint, what = job(), fresh = false): Promise<Transaction> {
  const begun = await from.begin(to, what, beginLimits(fresh))
  assert.equal(begun.kind, 'begun', JSON.stringify(begun))
  assert(begun.kind === 'begun')
  return begun.transaction
}

/** MAIL, one RCPT, the message; asserts that all went well. */
export async function deliverOne(from: Delivery, to: Endpoint, content = 'Subject: x\r\n\r\nhi\r\n'): Promise<void> {
  const transaction = await begin(from, to)
  const asked = await transaction.askRecipients([mailbox('you@example.test')], stepLimits())
  assert.equal(asked.kind, 'answered', JSON.stringify(asked))
  const sent = await transaction.data(message(content), stepLimits())
  assert.equal(sent.kind, 'answered', JSON.stringify(sent))
}
