/** A message that is held comes back to the octet. */
import assert from 'node:assert/strict'
import {
  parseEnvelopeId,
  parseNotify,
  parseOriginalRecipient,
  parseReturnContent,
} from '../../../src/mail/dsn-request.ts'
import { heldId, heldMessage, lane, startMs } from '../held-message.ts'
import { type Cases, contentOf, none, settleAll } from './made-queue.ts'

export const content: Cases = {
  async 'a message comes back as it was'(t, make) {
    const { queue } = await make(t)
    const body = Buffer.from('From: a\r\n\r\nhé \x00\xff\r\n', 'latin1')
    const given = heldMessage({
      id: heldId(1),
      sender: '"a b\\"c"@sender.example',
      body: [body.subarray(0, 5), body.subarray(5)],
      to: {
        'you@example.test': { wasKnown: true },
        '"quoted local"@example.test': {},
        'postmaster@[IPv6:2001:db8::1]': {
          state: 'unknown',
          notBeforeMs: startMs + 5,
          backend: 'smtp://b',
          elsewhereMs: startMs + 9,
          lastReply: { code: 451, enhanced: undefined, text: ['later', 'please'] },
        },
      },
    })
    assert.deepEqual(await queue.hold(given), { kind: 'held' })

    const entry = await queue.get(given.id)
    assert.ok(entry)
    const { body: _, recipients, ...message } = given
    assert.deepEqual(entry.message, { ...message, size: body.length, has8bit: true })
    assert.deepEqual(
      entry.recipients.map(({ index, recipient, state, wasKnown }) => ({ index, recipient, state, wasKnown })),
      recipients.map(({ recipient, state, wasKnown }, index) => ({ index, recipient, state, wasKnown })),
    )
    const [, , unknown] = entry.recipients
    assert.equal(unknown?.backend, 'smtp://b')
    assert.equal(unknown?.notBeforeMs, startMs + 5)
    assert.equal(unknown?.elsewhereMs, startMs + 9)
    assert.deepEqual(unknown?.lastReply, { code: 451, enhanced: undefined, text: ['later', 'please'] })
    assert.deepEqual(await contentOf(queue, given.id), body)
  },

  async 'the null reverse-path stays null'(t, make) {
    const { queue } = await make(t)
    await queue.hold(heldMessage({ id: heldId(1), sender: null }))
    assert.equal((await queue.get(heldId(1)))?.message.envelope.sender, null)
  },

  async 'what the sender asks about notifications comes back as it was'(t, make) {
    const { queue } = await make(t)
    const plain = heldMessage({ id: heldId(1) })
    const asked = {
      ...plain,
      envelope: { ...plain.envelope, ret: parseReturnContent('HDRS'), envid: parseEnvelopeId('QQ314159+2B') },
      recipients: plain.recipients.map((held) => ({
        ...held,
        recipient: {
          ...held.recipient,
          notify: parseNotify('SUCCESS,DELAY'),
          originalRecipient: parseOriginalRecipient('rfc822;you+2Btoo@example.test'),
        },
      })),
    }
    await queue.hold(asked)
    const entry = await queue.get(heldId(1))
    assert.deepEqual(entry?.message.envelope, asked.envelope)
    assert.deepEqual(entry?.recipients[0]?.recipient, asked.recipients[0]?.recipient)
    assert.equal(entry?.message.envelope.ret, 'HDRS')
  },

  async 'a body is what was stored also where it was fetched ahead, and gone when its message is'(t, make) {
    const { queue } = await make(t)
    for (const number of [1, 2, 3]) await queue.hold(heldMessage({ id: heldId(number) }))
    assert.equal((await queue.next(lane('main'), 10, none)).length, 3)
    await settleAll(queue, heldId(2), { kind: 'gone' })
    assert.deepEqual(await queue.body(heldId(2)), { kind: 'gone' })
    for (const number of [1, 3])
      for (const _ of ['ahead', 'asked for'])
        assert.equal((await contentOf(queue, heldId(number))).toString(), `To: you\r\n\r\n${heldId(number)}\r\n`)
    assert.equal((await queue.next(lane('main'), 10, none)).length, 2)
    const settling = settleAll(queue, heldId(1), { kind: 'gone' })
    await queue.next(lane('main'), 10, none)
    await settling
    assert.deepEqual(await queue.body(heldId(1)), { kind: 'gone' })
  },

  async 'the same id twice is a mistake, and the first stays'(t, make) {
    const { queue } = await make(t)
    await queue.hold(heldMessage({ id: heldId(1), body: Buffer.from('first\r\n') }))
    const [twice, other] = await Promise.allSettled([
      queue.hold(heldMessage({ id: heldId(1), body: Buffer.from('second\r\n') })),
      queue.hold(heldMessage({ id: heldId(2) })),
    ])
    assert.equal(twice?.status, 'rejected')
    assert.deepEqual(other, { status: 'fulfilled', value: { kind: 'held' } })
    assert.equal((await contentOf(queue, heldId(1))).toString(), 'first\r\n')
    assert.equal(queue.totals.messages, 2)
    await assert.rejects(queue.hold(heldMessage({ id: '../../etc/passwd' })))
  },

  ...Object.fromEntries(
    [0, 256 * 1024, 256 * 1024 + 1, 3_000_000].map((size) => [
      `a body of ${size} octets is kept to the octet, also over a restart`,
      keepsBody(size),
    ]),
  ),
}

function keepsBody(size: number): Cases[string] {
  return async (t, make) => {
    const made = await make(t)
    const body = Buffer.alloc(size, 'abcdefgh\r\n')
    const blocks = [body.subarray(0, size >> 1), body.subarray(size >> 1)]
    assert.deepEqual(await made.queue.hold(heldMessage({ id: heldId(1), body: blocks, has8bit: false })), {
      kind: 'held',
    })
    assert.ok((await contentOf(made.queue, heldId(1))).equals(body))
    const { queue } = await made.reopen()
    assert.ok((await contentOf(queue, heldId(1))).equals(body))
    await settleAll(queue, heldId(1), { kind: 'gone' })
    assert.deepEqual(await queue.body(heldId(1)), { kind: 'gone' })
  }
}
