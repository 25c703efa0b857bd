import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reply } from '../../mail/reply.ts'
import type { AskedStep, WhoWeAre } from './about-us.ts'
import { judge, ownWords } from './verdict.ts'

const known: WhoWeAre = {
  hello: 'mx.example.net',
  sourceAddress: '10.0.0.1',
  hasAcceptedDomain: true,
  quoted: ['mx.example.net@example.com'],
}
const kind = (code: number, enhanced: string | undefined, step: AskedStep = 'rcpt', who = known, text = 'no') =>
  judge(reply(code, enhanced, text), step, 'pass', () => who).kind

test('2yz is accepted', () => assert.equal(kind(250, '2.1.5'), 'accepted'))

test('a 5yz about the recipient or the message is passed on', () => {
  for (const [code, enhanced] of [
    [550, '5.1.1'],
    [552, '5.2.2'],
    [554, undefined],
    [550, '5.7.1'],
  ] as const) {
    assert.equal(kind(code, enhanced), 'pass', `${code} ${enhanced}`)
  }
})

test('421, 4.3.x and 4.4.x speak of the server and lead to the next backend', () => {
  for (const [code, enhanced] of [
    [421, undefined],
    [421, '4.7.0'],
    [451, '4.3.0'],
    [452, '4.3.1'],
    [450, '4.4.1'],
  ] as const) {
    assert.equal(kind(code, enhanced), 'next-backend', `${code} ${enhanced}`)
  }
})

test('every other 4yz is the sender’s, also without an enhanced code: greylisting, quota', () => {
  for (const [code, enhanced] of [
    [450, '4.2.0'],
    [451, '4.7.1'],
    [452, '4.2.2'],
    [450, undefined],
    [451, undefined],
  ] as const) {
    assert.equal(kind(code, enhanced), 'pass', `${code} ${enhanced}`)
  }
  assert.equal(judge(reply(450, '4.2.0', 'x'), 'rcpt', 'hold', () => known).kind, 'hold')
})

test('521, 530, 535 and 538 are about us at every step', () => {
  for (const code of [521, 530, 535, 538]) {
    for (const step of ['mail', 'rcpt', 'data', 'dot'] as const) assert.equal(kind(code, '5.7.0', step), 'about-us')
  }
})

test('5.7.1 to MAIL or RCPT is about us where it names us, or where this backend never took the domain', () => {
  assert.equal(kind(550, '5.7.1', 'rcpt', known, 'Client host [10.0.0.1] blocked'), 'about-us')
  assert.equal(kind(550, '5.7.1', 'mail', known, 'MX.example.net is not welcome'), 'about-us')
  assert.equal(kind(550, '5.7.1', 'rcpt', known, 'blocked: 10.0.0.11'), 'pass')
  assert.equal(kind(550, '5.7.1', 'rcpt', known, 'see http://smx.example.net.invalid'), 'pass')
  assert.equal(kind(550, '5.7.1', 'rcpt', known, '<mx.example.net@example.com>: spam'), 'pass')
  for (const own of ['mx.example.net', '[10.0.0.1]']) {
    const who = { ...known, quoted: [`bad@${own}`] }
    assert.equal(kind(550, '5.7.1', 'mail', who, `Sender domain ${own} is on our list`), 'pass', own)
  }
  assert.equal(kind(554, '5.7.1', 'rcpt', { ...known, hasAcceptedDomain: false }, 'Relay access denied'), 'about-us')
  assert.equal(kind(550, '5.7.1', 'dot', { ...known, hasAcceptedDomain: false }, 'spam from 10.0.0.1'), 'pass')
})

test('a reply passed on has an enhanced code of its own class', () => {
  assert.equal(ownWords(reply(550, undefined, 'x'), 'rcpt').enhanced, '5.0.0')
  assert.equal(ownWords(reply(550, '4.1.1', 'x'), 'rcpt').enhanced, '5.0.0')
  assert.equal(ownWords(reply(250, undefined, 'x'), 'rcpt').enhanced, '2.1.5')
  assert.equal(ownWords(reply(550, '5.1.1', 'x'), 'rcpt').enhanced, '5.1.1')
})
