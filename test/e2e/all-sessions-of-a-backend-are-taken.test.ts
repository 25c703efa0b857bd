import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FakeBackend } from '../lab/backend.ts'
import { createFastClock } from '../lab/fast-clock.ts'
import { type Lab, startLab } from '../lab/lab.ts'
import { gate } from '../lab/until.ts'
import type { BackendWords } from '../lab/words.ts'

// Busy is not down: who waits gets a turn, and a worse tier is not for load.
/** Sends messages that hang behind the dot, until so many sessions of the backend are taken. */
async function occupy(lab: Lab, backend: FakeBackend, count: number) {
  const sending = Array.from({ length: count }, () => lab.send({ to: 'you@example.test', source: '127.70.0.1' }))
  await lab.until(() => backend.messages.length === count)
  return sending
}

test('who waits for a session gets one in turn by client address, not in the order of coming', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ afterDot: 'silence' })
  const gateway = await lab.gateway({ deliver: [{ to: backend, connections: 1 }] })
  const occupied = await occupy(lab, backend, 1)
  backend.change({ afterDot: undefined })
  // One client with five messages, then two with one each.
  const bystander = await lab.connect()
  await bystander.hello()
  const senders = []
  for (const source of [...Array<string>(5).fill('127.71.0.1'), '127.72.0.1', '127.73.0.1']) {
    const sender = await lab.connect({ source, address: gateway.address, port: gateway.port })
    await sender.hello()
    await sender.command(`MAIL FROM:<${source}@sender.test>`, 250)
    await sender.write('RCPT TO:<you@example.test>\r\n')
    // What was said to others before is read by the time that these are answered.
    for (let time = 0; time < 3; time++) await bystander.command('NOOP', 250)
    senders.push(sender)
  }
  backend.say('250 2.0.0 taken')
  const sent = senders.map(async (sender) => {
    await sender.expect(250)
    await sender.command('DATA', 354)
    await sender.write('Subject: x\r\n\r\nx\r\n.\r\n')
    await sender.expect(250)
  })
  await Promise.all([...occupied, ...sent])
  const from = backend.messages.slice(1).map((message) => message.from.split('@')[0])
  assert.deepEqual(from, ['127.71.0.1', '127.72.0.1', '127.73.0.1', ...Array<string>(4).fill('127.71.0.1')])
  assert.equal(backend.sessions.length, 1)
})

test('the wait ends: an equal member takes the message, and never one of a worse tier', async (t) => {
  const lab = await startLab(t)
  const full = await lab.backend({ afterDot: 'silence' })
  const equal = await lab.backend()
  const worse = await lab.backend()
  const gateway = await lab.gateway({
    deliver: [{ to: full, connections: 2, weight: 100 }, equal, { to: worse, preference: 20 }],
    budgets: { sessionMs: 100 },
  })
  const occupied = await occupy(lab, full, 2)
  const sent = await lab.send({ to: 'you@example.test' })
  assert.equal(sent.code, 250)
  assert.deepEqual([equal.messages.length, worse.sessions.length], [1, 0])
  assert.ok(gateway.backends().every(({ state }) => state === 'up'))
  full.say('250 2.0.0 taken')
  await Promise.all(occupied)
})

test('all of the tier are full: 451 4.3.2, the worse tier is not touched, and nobody is thought to be down', async (t) => {
  const lab = await startLab(t)
  const full = await lab.backend({ afterDot: 'silence' })
  const worse = await lab.backend()
  const gateway = await lab.gateway({
    deliver: [
      { to: full, connections: 2 },
      { to: worse, preference: 20 },
    ],
    budgets: { sessionMs: 100 },
  })
  const occupied = await occupy(lab, full, 2)
  const sent = await lab.send({ to: 'you@example.test' })
  assert.deepEqual([sent.step, sent.code, sent.enhanced], ['rcpt', 451, '4.3.2'])
  assert.equal(worse.sessions.length, 0)
  assert.ok(gateway.backends().every(({ state }) => state === 'up'))
  full.say('250 2.0.0 taken')
  for (const each of await Promise.all(occupied)) assert.equal(each.code, 250)
})

test('all are full, and there is a hold: 451 4.3.2 to a recipient and at the dot, and nothing is held', async (t) => {
  const lab = await startLab(t)
  const full = await lab.backend({ afterDot: 'silence' })
  const gateway = await lab.gateway({
    deliver: [{ to: full, connections: 2 }],
    hold: {},
    budgets: { sessionMs: 100, sessionIdleInTransactionMs: 30 },
  })
  const slow = await lab.connect()
  await slow.hello()
  await slow.untilData('slow@sender.test', 'you@example.test')
  await lab.until(() => full.commands.includes('RSET'))
  const occupied = await occupy(lab, full, 2)
  const sent = await lab.send({ to: 'you@example.test' })
  assert.deepEqual([sent.step, sent.code, sent.enhanced], ['rcpt', 451, '4.3.2'])
  await slow.write('Subject: slow\r\n\r\n.\r\n')
  assert.equal((await slow.expect(451)).enhanced, '4.3.2')
  assert.equal(gateway.held(), 0)
  full.say('250 2.0.0 taken')
  await Promise.all(occupied)
})

test('full is the one that is up, and one of its tier is suspect: that one is tried before a worse tier', async (t) => {
  const lab = await startLab(t)
  const full = await lab.backend()
  const suspect = await lab.backend({ greeting: (_, count) => (count === 1 ? '421 4.3.2 Not now' : undefined) })
  const worse = await lab.backend()
  const deliver = [
    { to: full, connections: 2 },
    { to: suspect, weight: 100 },
    { to: worse, preference: 20 },
  ]
  // So slowly that the probe, which comes within a second or so, does not come before the end.
  const gateway = await lab.gateway({ deliver, budgets: { sessionMs: 5 } }, { clock: createFastClock(0.02) })
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  full.change({ afterDot: 'silence' })
  const occupied = Array.from({ length: 2 }, () => lab.send({ to: 'you@example.test' }))
  await lab.until(() => full.messages.length === 3)
  assert.equal(gateway.backends().find(({ url }) => url === suspect.url)?.state, 'suspect')
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.deepEqual([suspect.messages.length, worse.messages.length], [1, 0])
  full.say('250 2.0.0 taken')
  await Promise.all(occupied)
})

test('a session that waits for a body longer than a second serves others meanwhile, and the message still arrives', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  await lab.gateway({ deliver: [{ to: backend, connections: 1 }], budgets: { sessionIdleInTransactionMs: 30 } })
  const slow = await lab.connect()
  await slow.hello()
  await slow.untilData('slow@sender.test', 'one@example.test', 'two@example.test')
  await slow.write('Subject: slow\r\n\r\n')
  await lab.until(() => backend.commands.includes('RSET'))
  for (let message = 0; message < 3; message++) assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  await slow.write('text\r\n.\r\n')
  await slow.expect(250)
  assert.equal(backend.messages.at(-1)?.from, 'slow@sender.test')
  assert.deepEqual(backend.messages.at(-1)?.to, ['one@example.test', 'two@example.test'])
  assert.equal(backend.sessions.length, 1)
  assert.deepEqual(backend.violations, [])
})

test('the backend that took the recipients is asked first at the dot, whoever’s turn it would be', async (t) => {
  const lab = await startLab(t)
  const both = [await lab.backend(), await lab.backend()] as const
  await lab.gateway({ deliver: both, budgets: { sessionIdleInTransactionMs: 30 } })
  const slowAt = (backend: FakeBackend) => backend.messages.filter(({ from }) => from.startsWith('slow')).length
  for (const others of [0, 1, 2]) {
    const asked = both.map(({ commands }) => commands.length)
    const slow = await lab.connect()
    await slow.hello()
    await slow.untilData('slow@sender.test', 'you@example.test')
    const at = both.findIndex(({ commands }, index) =>
      commands.slice(asked[index]).some((line) => line.includes('<slow@')),
    )
    const first = both[at] ?? assert.fail('nobody was asked')
    await lab.until(() => first.commands.slice(asked[at]).includes('RSET'))
    for (let message = 0; message < others; message++)
      assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
    const before = slowAt(first)
    await slow.write('Subject: slow\r\n\r\n.\r\n')
    await slow.expect(250)
    assert.equal(slowAt(first), before + 1, `with ${others} others between`)
    await slow.quit()
  }
})

test('a sender that dawdles between its recipients keeps no session either', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  await lab.gateway({ deliver: [{ to: backend, connections: 1 }], budgets: { sessionIdleInTransactionMs: 30 } })
  const slow = await lab.connect()
  await slow.hello()
  await slow.command('MAIL FROM:<slow@sender.test>', 250)
  await slow.command('RCPT TO:<one@example.test>', 250)
  await lab.until(() => backend.commands.filter((line) => line === 'RSET').length === 1)
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  await slow.command('RCPT TO:<two@example.test>', 250)
  await lab.until(() => backend.commands.filter((line) => line === 'RSET').length === 2)
  await slow.command('DATA', 354)
  await slow.write('Subject: slow\r\n\r\n.\r\n')
  await slow.expect(250)
  assert.deepEqual(backend.messages.at(-1)?.to, ['one@example.test', 'two@example.test'])
})

test('two that are sent on, each to the only session of the other: both give theirs back first, and are served at once', async (t) => {
  const lab = await startLab(t)
  const both = gate()
  const busy: BackendWords = {
    mail: (_, count) => (count === 1 ? both.promise.then(() => '451 4.3.0 Not this one') : undefined),
  }
  const [one, other] = [await lab.backend(busy), await lab.backend(busy)]
  const [first, second] = [
    { to: one, connections: 1 },
    { to: other, connections: 1 },
  ]
  // Nobody waits for a session longer than the test does.
  await lab.gateway({
    domains: {
      'one.test': { deliver: [first, { ...second, preference: 20 }] },
      'other.test': { deliver: [second, { ...first, preference: 20 }] },
    },
    budgets: { sessionMs: 300_000, connectMs: 300_000 },
  })
  const sending = [lab.send({ to: 'you@one.test' }), lab.send({ to: 'you@other.test' })]
  const asked = (backend: FakeBackend) => backend.commands.some((line) => line.startsWith('MAIL'))
  await lab.until(() => asked(one) && asked(other))
  both.open()
  for (const sent of await Promise.all(sending)) assert.equal(sent.code, 250)
  assert.deepEqual([one, other].map(({ messages }) => messages[0]?.to[0]).sort(), ['you@one.test', 'you@other.test'])
  assert.deepEqual(
    [one, other].map(({ messages }) => messages.length),
    [1, 1],
  )
})
