import assert from 'node:assert/strict'
import { test } from 'node:test'
import { collectLog } from '../../../test/lab/log.ts'
import { heldId, heldMessage, lane } from '../../../test/unit/held-message.ts'
import { parseNotify } from '../../mail/dsn-request.ts'
import { reply } from '../../mail/reply.ts'
import type { HeldEntry, HeldRecipient, NewHeld } from '../../queue/queue.ts'
import type { Notice } from './notices.ts'
import { createSuccesses, type Success, type SuccessesDeps } from './successes.ts'

const held = { id: 'the notice' } as unknown as NewHeld
const by = {
  way: { lane: lane('example.test') },
  endpoint: { backend: { url: 'smtp://one' }, name: 'one.example', target: { kind: 'tcp' } },
  owed: 'relayed',
} as unknown as Pick<Success, 'way' | 'endpoint' | 'owed'>

/** Two recipients, the first of which has asked to hear of success. */
function entry(): HeldEntry {
  const { body, ...message } = heldMessage({ id: heldId(1), to: { 'a@example.test': {}, 'b@example.test': {} } })
  const recipients = message.recipients.map(
    (each, index) =>
      ({
        ...each,
        index,
        recipient: { ...each.recipient, notify: index === 0 ? parseNotify('SUCCESS') : undefined },
      }) as unknown as HeldRecipient,
  )
  return { message: { ...message, proof: { kind: 'proven', by: 'spf' }, size: body.size, has8bit: false }, recipients }
}

/** @param write  what comes of the notice @returns of whom the notices that were asked for speak, too */
function successes(write: () => Notice) {
  const spoken: (readonly string[])[] = []
  const { log, find } = collectLog()
  const made = createSuccesses({
    log,
    notices: {
      async write(_: unknown, recipients: readonly { recipient: { text: string } }[]) {
        spoken.push(recipients.map(({ recipient }) => recipient.text))
        return write()
      },
    },
    hostname: () => 'mx.example',
    now: () => 0,
    policyOf: () => undefined,
  } as unknown as SuccessesDeps)
  return { drained: made.drained, spoken, find }
}

const written = () => ({ kind: 'written', held }) as unknown as Notice
const yes = (index: number) => ({ index, to: { kind: 'gone' as const }, reply: reply(250, '2.0.0', 'taken') })
const notYet = { index: 0, to: { kind: 'ready' as const }, reply: reply(450, '4.2.0', 'later') }

test('who asked for it hears that a backend has taken the held message, and of nobody else', async () => {
  const { drained, spoken } = successes(written)
  assert.equal(await drained(entry(), [yes(0), yes(1)], by), held)
  assert.deepEqual(spoken, [['a@example.test']])
})

test('nothing is told where a backend tells it itself, of who did not ask, and of what is not taken', async () => {
  const { drained, spoken } = successes(written)
  assert.equal(await drained(entry(), [yes(0), yes(1)], { ...by, owed: undefined }), undefined)
  assert.equal(await drained(entry(), [notYet, yes(1)], by), undefined)
  assert.deepEqual(spoken, [])
})

test('a notice that cannot be written keeps nothing from being written down', async () => {
  const { drained, find } = successes(() => {
    throw new Error('the disk is broken')
  })
  assert.equal(await drained(entry(), [yes(0)], by), undefined)
  assert.equal(find('success not told').length, 1)
})
