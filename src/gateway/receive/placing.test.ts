import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type GatewayWords, settingsOf } from '../../../test/lab/settings.ts'
import { mailbox } from '../../../test/unit/held-message.ts'
import { barePostmaster } from '../../mail/address.ts'
import type { Recipient } from '../../mail/message.ts'
import { looksUpRecipient } from '../../routing/backend.ts'
import { fitting, goes, goTogether, type MayHold, type Placed, placeRecipient, type TakenLeg } from './placing.ts'

const settings = (words: GatewayWords) =>
  settingsOf(words, { state: '/nowhere', certificate: '', key: '', address: '127.0.0.1' })

/** @returns where each recipient goes by these words, or the code that its sender hears */
function placer(words: GatewayWords) {
  const all = settings(words)
  const place = (recipient: Recipient) => placeRecipient(recipient, all)
  const placed = (address: string): Placed => {
    const found = place(mailbox(address))
    return 'code' in found ? assert.fail(`${address}: ${found.code}`) : found
  }
  const told = (recipient: Recipient) => {
    const found = place(recipient)
    return 'code' in found ? `${found.code} ${found.enhanced}` : found.route.id
  }
  return { placed, told }
}

/** The leg that a recipient has opened. */
const legOf = ({ route, domain, recipient }: Placed): TakenLeg => ({
  cut: { route, serves: (name) => name === recipient.domain || !looksUpRecipient(route) },
  domain,
})

const always: MayHold = () => true
const never: MayHold = () => false
const fits = (placed: Placed, taken: readonly Placed[], mayHold: MayHold = always): boolean => {
  const found = fitting(placed, taken.map(legOf), mayHold)
  if ('code' in found) assert.deepEqual([found.code, found.enhanced], [452, '4.5.3'])
  return !('code' in found)
}

test('each recipient has its way, or its sender hears why not', () => {
  const { told } = placer({
    domains: {
      'one.test': { deliver: 'smtp://127.0.0.1:1', addresses: { 'sales@': 'smtp://127.0.0.1:2' } },
      'listed.test': { deliver: 'smtp://127.0.0.1:3', recipients: ['you'] },
    },
    leftRecently: (name) => name === 'left.test',
  })
  assert.equal(told(mailbox('you@one.test')), 'one.test')
  assert.equal(told(mailbox('Sales@one.test')), 'sales@one.test')
  assert.equal(told(barePostmaster), 'postmaster')
  assert.equal(told(mailbox('PostMaster@mx.waypost.test')), 'postmaster')
  assert.equal(told(mailbox('postmaster@listed.test')), 'listed.test')
  assert.equal(told(mailbox('you@listed.test')), 'listed.test')
  assert.equal(told(mailbox('nobody@listed.test')), '550 5.1.1')
  assert.equal(told(mailbox('you@elsewhere.test')), '550 5.7.1')
  assert.equal(told(mailbox('you@left.test')), '451 4.3.5')
  assert.equal(told(mailbox('you@[127.0.0.1]')), '550 5.7.1')
  assert.equal(told(mailbox('victim%elsewhere.test@one.test')), '553 5.1.3')
})

test('another route: in the same transaction where all of it can be held and is to go together, else in another one', () => {
  const held = { deliver: 'smtp://127.0.0.1:1', hold: {} }
  const { placed } = placer({
    domains: {
      'one.test': held,
      'two.test': { ...held, deliver: 'smtp://127.0.0.1:2' },
      'split.test': { ...held, deliver: 'smtp://127.0.0.1:3', hold: { fanOut: 'split' } },
      'passing.test': { deliver: 'smtp://127.0.0.1:4' },
    },
  })
  const [one, two, split, passing] = ['one', 'two', 'split', 'passing'].map((name) => placed(`you@${name}.test`))
  assert.ok(one && two && split && passing)
  assert.ok(fits(two, []))
  assert.ok(fits(placed('them@one.test'), [one], never))
  assert.ok(fits(two, [one]))
  assert.ok(!fits(two, [one], never))
  assert.ok(fits(placed('them@one.test'), [one, two]))
  assert.ok(!fits(placed('them@one.test'), [one, two], never))
  assert.ok(!fits(split, [one]))
  assert.ok(!fits(two, [split]))
  assert.ok(!fits(passing, [one]))
  assert.ok(!fits(one, [passing]))
})

test('no more than fifty routes in a transaction', () => {
  const names = Array.from({ length: 51 }, (_, number) => `d${number}.test`)
  const domains = Object.fromEntries(
    names.map((name, at) => [name, { deliver: `smtp://127.0.0.1:${at + 1}`, hold: {} }]),
  )
  const { placed } = placer({ domains })
  const all = names.map((name) => placed(`you@${name}`))
  assert.ok(fits(all[49] as Placed, all.slice(0, 49)))
  assert.ok(!fits(all[50] as Placed, all.slice(0, 50)))
})

test('LMTP answers for each recipient: several in one transaction only where what fails can be held', () => {
  const { placed } = placer({
    domains: {
      'held.test': { deliver: 'lmtp://127.0.0.1:24', hold: {} },
      'passing.test': { deliver: 'lmtp://127.0.0.1:24' },
    },
  })
  const [held, heldToo] = [placed('you@held.test'), placed('them@held.test')]
  assert.ok(fits(heldToo, [held]) && goTogether(held, heldToo, always))
  assert.ok(!fits(heldToo, [held], never) && !goTogether(held, heldToo, never))
  const [passing, passingToo] = [placed('you@passing.test'), placed('them@passing.test')]
  assert.ok(!fits(passingToo, [passing]) && !goTogether(passing, passingToo, always))
})

test('asked for together: one route, one policy, the same exchangers, and never the postmaster', () => {
  const shared = 'smtp://127.0.0.1:1'
  const list = [shared]
  const { placed } = placer({
    domains: {
      'one.test': { deliver: list },
      'two.test': { deliver: list },
      'held.test': { deliver: list, hold: {} },
      'other.test': { deliver: 'smtp://127.0.0.1:2' },
    },
  })
  const one = placed('you@one.test')
  assert.ok(goTogether(one, placed('them@one.test'), never))
  assert.ok(goTogether(one, placed('you@two.test'), never))
  assert.ok(!goTogether(one, placed('you@held.test'), never))
  assert.ok(!goTogether(one, placed('you@other.test'), never))
  assert.ok(!goTogether(one, placed('postmaster@one.test'), never))
  assert.ok(!goTogether(placed('postmaster@one.test'), one, never))

  const mx = ['mx']
  const backup = placer({ domains: { 'one.test': { deliver: mx }, 'two.test': { deliver: mx } } })
  assert.ok(goTogether(backup.placed('you@one.test'), backup.placed('them@one.test'), never))
  assert.ok(!goTogether(backup.placed('you@one.test'), backup.placed('you@two.test'), never))
})

test('a leg is for those that go its way on its terms', () => {
  const list = ['smtp://127.0.0.1:1']
  const { placed } = placer({
    domains: { 'one.test': { deliver: list }, 'two.test': { deliver: list }, 'held.test': { deliver: list, hold: {} } },
  })
  const leg = legOf(placed('you@one.test'))
  assert.ok(goes(leg, placed('them@two.test')))
  assert.ok(!goes(leg, placed('you@held.test')))
  const mx = ['mx']
  const backup = placer({ domains: { 'one.test': { deliver: mx }, 'two.test': { deliver: mx } } })
  assert.ok(!goes(legOf(backup.placed('you@one.test')), backup.placed('you@two.test')))
})
