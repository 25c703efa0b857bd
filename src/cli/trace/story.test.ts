import assert from 'node:assert/strict'
import { test } from 'node:test'
import { storyText } from './story.ts'

const id = '01M84TXJDWYBYTRKABKN4NXXH7'
const backend = 'smtp://127.0.0.1:7702'
const line = (event: string, fields: Record<string, unknown>) => ({
  time: '2026-11-29T22:45:40.000Z',
  event,
  fields: { id, level: 'info', backend, ...fields },
})

test('what a backend said or did instead of taking a message is a sentence, with when it was asked', () => {
  const when = 'from the hold'
  const story = storyText(
    id,
    [
      line('backend cannot take it', { step: 'rcpt', reply: '450 4.3.0 not now', when }),
      line('backend session lost', { step: 'mail', why: 'did not answer at MAIL in time', when }),
      line('backend refuses us', { step: 'rcpt', reply: '554 5.7.1 Relay access denied' }),
    ],
    undefined,
    0,
  )
  assert.deepEqual(
    story
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((each) => each.slice(24)),
    [
      `${backend} said at RCPT: "450 4.3.0 not now" (asked from the hold)`,
      `${backend} did not answer at MAIL in time (asked from the hold)`,
      `${backend} refuses Waypost itself: "554 5.7.1 Relay access denied"`,
    ],
  )
})

test('where a message went several ways, what the sender heard is not what one of them answered', () => {
  const way = { client: '192.0.2.1', from: 'ann@partner.example', to: ['bob@b.example'], size: 900 }
  const story = storyText(
    id,
    [line('held', { ...way, backend: undefined, reply: '451 4.4.1 no server', senderHeard: 250 })],
    undefined,
    0,
  )
  assert.match(
    story,
    /so it was held; the answer was "451 4\.4\.1 no server", and for all its recipients together the sender heard 250\n/,
  )
})
