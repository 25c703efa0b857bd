/** Recipients of several routes in one transaction: taken together, on disk before the first dot leaves, and each goes its own way. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from '../../src/base/clock.ts'
import { StoreFailure } from '../../src/queue/queue.ts'
import { createFastClock, steadyClock } from '../lab/fast-clock.ts'
import { type Lab, startLab } from '../lab/lab.ts'
import { gate } from '../lab/until.ts'
import type { BackendWords } from '../lab/words.ts'

async function stage(lab: Lab, oneWords: BackendWords = {}, otherWords: BackendWords = {}, clock?: Clock) {
  const [one, other] = [await lab.backend(oneWords), await lab.backend(otherWords)]
  const gateway = await lab.gateway(
    {
      domains: {
        'one.example.test': { deliver: [one], hold: {} },
        'other.example.test': { deliver: [other], hold: { refusedAfterHold: 'keep' } },
      },
    },
    { clock: clock ?? createFastClock(50) },
  )
  const send = () => lab.send({ to: ['a@one.example.test', 'b@other.example.test'], body: 'to both' })
  return { one, other, gateway, send }
}

test('two routes, both say yes: both have it, and nothing is held', async (t) => {
  const { one, other, gateway, send } = await stage(await startLab(t), {}, {}, steadyClock)
  assert.equal((await send()).code, 250)
  assert.deepEqual([one.accepted.length, other.accepted.length, gateway.held()], [1, 1, 0])
  assert.deepEqual([one.messages[0]?.to, other.messages[0]?.to], [['a@one.example.test'], ['b@other.example.test']])
})

test('the first route is silent behind its dot: the other has the message all the same', async (t) => {
  const lab = await startLab(t)
  const { one, other, send } = await stage(lab, { afterDot: 'silence' }, {}, steadyClock)
  const sending = send()
  await lab.until(() => one.messages.length === 1 && other.accepted.length === 1)
  one.say('250 2.0.0 taken')
  assert.equal((await sending).code, 250)
})

test('while a recipient of one route is asked for, the session of the other serves others', async (t) => {
  const lab = await startLab(t)
  const [one, other] = [await lab.backend(), await lab.backend({ rcpt: 'silence' })]
  const only = (to: typeof one) => ({ deliver: [{ to, connections: 1 }], hold: {} })
  // Nobody waits for a session longer than the test does, and none is given back for the time that it was kept.
  await lab.gateway({
    domains: { 'one.example.test': only(one), 'other.example.test': only(other) },
    budgets: { sessionMs: 300_000, connectMs: 300_000, sessionIdleInTransactionMs: 300_000 },
  })
  const sender = await lab.connect()
  await sender.hello()
  await sender.command('MAIL FROM:<joe@sender.test>', 250)
  await sender.command('RCPT TO:<a@one.example.test>', 250)
  await sender.write('RCPT TO:<b@other.example.test>\r\n')
  await lab.until(() => other.commands.some((line) => line.startsWith('RCPT')))
  assert.equal((await lab.send({ to: 'c@one.example.test' })).code, 250)
  other.say('250 2.1.5 ok')
  await sender.expect(250)
})

test('one of two routes is down: the message is held for it alone, and the other has it', async (t) => {
  const lab = await startLab(t)
  const { one, other, gateway, send } = await stage(lab, {}, { connect: 'refuse' })
  assert.equal((await send()).code, 250)
  assert.equal(one.accepted.length, 1)
  assert.equal(gateway.held(), 1)
  const [entry] = (await gateway.queue.list({}, 10)).messages
  assert.deepEqual(
    entry?.recipients.map(({ recipient }) => recipient.text),
    ['b@other.example.test'],
  )
  await other.restart()
  await lab.until(() => gateway.held() === 0)
  assert.deepEqual([one.accepted.length, other.accepted.length], [1, 1])
})

test('one of two routes refuses at the dot: 250, the other has it, and the refused one is kept for a person', async (t) => {
  const lab = await startLab(t)
  const { one, other, gateway, send } = await stage(lab, {}, { afterDot: '550 5.7.0 no such content' })
  assert.equal((await send()).code, 250)
  await lab.until(() => gateway.find('refused after hold').length === 1)
  assert.deepEqual([one.accepted.length, other.accepted.length], [1, 0])
  const states = async () =>
    (await gateway.queue.list({}, 10)).messages[0]?.recipients.map(
      ({ recipient, state }) => `${recipient.text} ${state}`,
    )
  await lab.until(async () => String(await states()) === 'b@other.example.test refused')
})

test('both routes refuse: the sender hears it, and nothing is held', async (t) => {
  const no: BackendWords = { afterDot: '554 5.6.0 not this' }
  const { gateway, send } = await stage(await startLab(t), no, no, steadyClock)
  assert.equal((await send()).code, 554)
  assert.equal(gateway.held(), 0)
  assert.deepEqual(
    gateway.find('refused').map(({ fields }) => [fields?.to, fields?.backend !== undefined]),
    [
      [['a@one.example.test'], true],
      [['b@other.example.test'], true],
    ],
  )
  const told = gateway.events.flatMap((event) => (event.kind === 'refused' ? [event.domains] : []))
  assert.deepEqual(told, [['one.example.test'], ['other.example.test']])
})

test('both routes refuse, and the disk does not take it down: the sender hears nothing final, and the message goes later', async (t) => {
  const lab = await startLab(t)
  const no: BackendWords = { afterDot: '554 5.6.0 not this' }
  const { gateway, send } = await stage(lab, no, no)
  const { settle } = gateway.queue
  let fails = 0
  const failing = async () => {
    fails++
    throw new StoreFailure('io', 'the disk is broken')
  }
  Object.assign(gateway.queue, { settle: failing })
  // A crash now would find a message that may go.
  assert.equal((await send()).code, 451)
  assert.ok(fails > 0)
  assert.equal(gateway.held(), 1)
  Object.assign(gateway.queue, { settle })
  await lab.until(() => gateway.held() === 0)
})

test('it cannot be kept for two routes: the sender hears so, and it is told of each', async (t) => {
  const { one, other, gateway, send } = await stage(await startLab(t), {}, {}, steadyClock)
  const failing = async () => ({ kind: 'full', why: 'hold' })
  Object.assign(gateway.queue, { hold: failing })
  assert.equal((await send()).code, 452)
  assert.deepEqual([one.messages.length, other.messages.length], [0, 0])
  const told = gateway.events.flatMap((event) => (event.kind === 'deferred' ? [event.domains] : []))
  assert.deepEqual(told, [['one.example.test'], ['other.example.test']])
  assert.equal(gateway.find('deferred').length, 2)
})

test('one of two routes defers at the dot: 250, and it waits for that one alone', async (t) => {
  const lab = await startLab(t)
  const again = gate<undefined>()
  const later: BackendWords = { afterDot: (_, count) => (count === 1 ? '450 4.2.0 later' : again.promise) }
  const { one, other, gateway, send } = await stage(lab, {}, later)
  assert.equal((await send()).code, 250)
  assert.deepEqual([one.accepted.length, gateway.held()], [1, 1])
  again.open(undefined)
  await lab.until(() => gateway.held() === 0)
  assert.deepEqual([one.accepted.length, other.accepted.length], [1, 1])
})

for (const [answer, held] of [
  ['250 2.0.0 taken', 1],
  ['450 4.2.0 later', 0],
] as const)
  test(`the sender goes while one route is silent, and the other says ${answer}: ${held} held`, async (t) => {
    const lab = await startLab(t)
    const word = gate<string>()
    const [one, other] = [await lab.backend({ afterDot: answer }), await lab.backend({ afterDot: () => word.promise })]
    const hold = { refusedAfterHold: 'keep' } as const
    const gateway = await lab.gateway({
      domains: { 'one.example.test': { deliver: [one], hold }, 'other.example.test': { deliver: [other], hold } },
    })
    const sender = await lab.connect()
    await sender.hello()
    await sender.untilData('joe@sender.test', 'a@one.example.test', 'b@other.example.test')
    await sender.write('Subject: to both\r\n\r\n.\r\n')
    await lab.until(() => one.messages.length === 1 && other.messages.length === 1)
    sender.reset()
    // Whoever is greeted behind it comes when its end has been heard.
    const bystander = await lab.connect()
    await bystander.hello()
    word.open('450 4.2.0 later')
    await lab.until(() => gateway.find('disconnected').length === 1)
    assert.equal(gateway.held(), held)
  })

test('fanOut: split: the second route is asked for in another transaction, and nothing is held', async (t) => {
  const lab = await startLab(t)
  const [one, other] = [await lab.backend(), await lab.backend()]
  const hold = { fanOut: 'split' } as const
  const gateway = await lab.gateway({
    domains: {
      'one.example.test': { deliver: [one], hold },
      'other.example.test': { deliver: [other], hold },
    },
  })
  await sendApart(lab, ['a@one.example.test', 'b@other.example.test'])
  assert.deepEqual([one.accepted.length, other.accepted.length, gateway.held()], [1, 0, 0])
})

test('nothing can be made durable: the second route is asked for in another transaction, and both are served', async (t) => {
  const lab = await startLab(t)
  const [one, other] = [await lab.backend(), await lab.backend({ protocol: 'lmtp' })]
  const gateway = await lab.gateway({
    holdBytes: 1_000,
    domains: { 'one.example.test': { deliver: [one], hold: {} }, 'other.example.test': { deliver: [other], hold: {} } },
  })
  await sendApart(lab, ['a@one.example.test', 'b@other.example.test'])
  await sendApart(lab, ['b@other.example.test', 'a@one.example.test'])
  // LMTP answers for each recipient, and the sender can hear one answer only.
  await sendApart(lab, ['b@other.example.test', 'c@other.example.test'])
  assert.deepEqual([one.accepted.length, other.accepted.length, gateway.held()], [1, 2, 0])
})

/** To the first, where the second is to come in another transaction. */
async function sendApart(lab: Lab, [first, second]: readonly [string, string]): Promise<void> {
  const sender = await lab.connect()
  await sender.hello()
  await sender.command('MAIL FROM:<joe@sender.test>', 250)
  await sender.command(`RCPT TO:<${first}>`, 250)
  assert.equal((await sender.command(`RCPT TO:<${second}>`, 452)).enhanced, '4.5.3')
  await sender.command('DATA', 354)
  await sender.write('Subject: to one\r\n\r\n.\r\n')
  await sender.expect(250)
  await sender.quit()
}
