import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settingsOf } from '../../../test/lab/settings.ts'
import { mailbox } from '../../../test/unit/held-message.ts'
import type { Mailbox } from '../../mail/address.ts'
import { ownMailLane } from './outbound.ts'

const places = { state: '/tmp/none', certificate: '', key: '', address: '127.0.0.1' }
const settings = settingsOf(
  { domains: { 'example.test': { deliver: 'smtp://127.0.0.1:2525', recipients: ['you'] } } },
  places,
)
const lane = (address: string) => ownMailLane(mailbox(address) as Mailbox, settings)

test('a notice to a declared domain takes its route, one to any other the lane of that domain', () => {
  assert.equal(lane('you@example.test'), 'example.test')
  assert.equal(lane('joe@elsewhere.test'), 'outbound elsewhere.test')
})

test('a notice reaches nobody whom a sender could not reach through us', () => {
  assert.equal(lane('"joe@inside.example"@example.test'), undefined)
  assert.equal(lane('joe%inside.example@example.test'), undefined)
  assert.equal(lane('inside!joe@example.test'), undefined)
  assert.equal(lane('nobody@example.test'), undefined)
})

test('an address literal has a way by outbound.via alone', () => {
  assert.equal(lane('joe@[192.0.2.1]'), undefined)
  const by = settingsOf({ outbound: { via: 'smtp://127.0.0.1:2526' } }, places)
  assert.equal(ownMailLane(mailbox('joe@[192.0.2.1]') as Mailbox, by), 'outbound [192.0.2.1]')
})
