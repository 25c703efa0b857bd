import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settingsOf } from '../../../test/lab/settings.ts'
import { mailbox } from '../../../test/unit/held-message.ts'
import { parseIp } from '../../base/ip.ts'
import { reply } from '../../mail/reply.ts'
import type { KnownRecipients } from '../../queue/known-recipients.ts'
import { learner } from './learner.ts'

const client = parseIp('192.0.2.1') ?? assert.fail()

/** What is learnt of an address for which a backend said yes, took a message, and said no. */
function learnt(address: string): readonly string[] {
  const deliver = 'smtp://127.0.0.1:9'
  const domains = {
    'ask.test': { deliver },
    'any.test': { deliver, recipients: 'any' },
    'list.test': { deliver, recipients: ['you'] },
  } as const
  const { destinations } = settingsOf(
    { domains },
    { state: '/nowhere', certificate: '', key: '', address: '127.0.0.1' },
  )
  const route = destinations.routes[0] ?? assert.fail()
  const told: string[] = []
  const known = {
    accepted: () => void told.push('accepted'),
    delivered: () => void told.push('delivered'),
    refused: () => void told.push('refused'),
  } as unknown as KnownRecipients
  const learn = learner(known, destinations)
  const recipient = mailbox(address)
  learn.accepted(recipient, client)
  learn.delivered(recipient)
  learn.refused(recipient, route, reply(550, '5.1.1', 'no such user'))
  return told
}

test('of whom a backend is asked all is learnt that it says', () => {
  assert.deepEqual(learnt('you@ask.test'), ['accepted', 'delivered', 'refused'])
})

test('nothing is learnt where the configuration says who exists, nor of postmaster', () => {
  for (const address of [
    'you@any.test',
    'you@list.test',
    'postmaster@ask.test',
    'PostMaster@ASK.test',
    'you@other.test',
  ])
    assert.deepEqual(learnt(address), [], address)
})
