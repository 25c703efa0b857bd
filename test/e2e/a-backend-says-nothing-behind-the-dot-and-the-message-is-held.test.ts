/** A backend is silent or gone behind our dot: it may have the message, so it is held as unknown, no other gets it, and a late word counts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFastClock } from '../lab/fast-clock.ts'
import { startLab } from '../lab/lab.ts'

const states = async (gateway: {
  queue: {
    list(filter: object, limit: number): Promise<{ messages: readonly { recipients: readonly { state: string }[] }[] }>
  }
}) => (await gateway.queue.list({}, 10)).messages.flatMap(({ recipients }) => recipients.map(({ state }) => state))

test('silent to the end: the sender hears 250, nobody else gets it, and a late 250 ends the matter', async (t) => {
  const lab = await startLab(t)
  const [first, second] = [await lab.backend({ afterDot: 'silence' }), await lab.backend()]
  const gateway = await lab.gateway({
    deliver: [first, { to: second, preference: 20 }],
    hold: {},
    budgets: { dotMs: 600, bodyReserveMs: 100 },
  })
  assert.equal((await lab.send({ to: 'you@example.test', body: 'once' })).code, 250)
  assert.deepEqual(await states(gateway), ['unknown'])

  first.say('250 2.0.0 after all')
  await lab.until(() => gateway.held() === 0)
  assert.deepEqual([first.messages.length, second.messages.length], [1, 0])
})

test('a late 450 makes it an ordinary hold, and it goes again', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ afterDot: (_, count) => (count === 1 ? 'silence' : undefined) })
  const gateway = await lab.gateway(
    {
      deliver: [backend],
      hold: {},
      budgets: { dotMs: 30_000, bodyReserveMs: 5_000 },
    },
    { clock: createFastClock(50) },
  )
  assert.equal((await lab.send({ to: 'you@example.test', body: 'twice' })).code, 250)
  backend.say('450 4.2.0 not now')
  await lab.until(async () => (await states(gateway))[0] !== 'unknown')
  await lab.until(() => gateway.held() === 0)
  assert.equal(backend.messages.length, 2)
})

test('a late 550 is a refusal after a hold: nothing is delivered again', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ afterDot: 'silence' })
  const gateway = await lab.gateway({
    deliver: [backend],
    hold: { refusedAfterHold: 'keep' },
    budgets: { dotMs: 600, bodyReserveMs: 100 },
  })
  assert.equal((await lab.send({ to: 'you@example.test', body: 'no' })).code, 250)
  backend.say('550 5.7.1 no, after all')
  await lab.until(async () => (await states(gateway))[0] === 'refused')
  assert.equal(backend.messages.length, 1)
})

test('a late 550 is told to a proven sender, once', async (t) => {
  const lab = await startLab(t)
  const dns = await lab.dns({ 'sender.test': { TXT: ['v=spf1 ip4:127.0.0.1 -all'] } })
  const [backend, home] = [await lab.backend({ afterDot: 'silence' }), await lab.backend()]
  const gateway = await lab.gateway({
    deliver: [backend],
    hold: {},
    resolver: { servers: [dns.server] },
    outbound: { via: home },
    budgets: { dotMs: 600, bodyReserveMs: 100 },
  })
  assert.equal((await lab.send({ to: 'you@example.test', body: 'no' })).code, 250)
  backend.say('554 5.6.0 no, after all')
  await lab.until(() => home.messages.length === 1)
  await lab.until(() => gateway.held() === 0)
  assert.match(String(home.messages[0]?.content), /Diagnostic-Code: smtp; 554 5\.6\.0 no, after all/)
  assert.equal(backend.messages.length, 1)
})

test('gone behind the dot: it goes to the same backend first, and not at once', async (t) => {
  const lab = await startLab(t)
  const first = await lab.backend({ afterDot: (_, count) => (count === 1 ? 'reset' : undefined) })
  const second = await lab.backend()
  // Five minutes are three seconds here.
  const clock = createFastClock(100)
  const gateway = await lab.gateway({ deliver: [first, { to: second, preference: 20 }], hold: {} }, { clock })
  const sentMs = clock.now()
  assert.equal((await lab.send({ to: 'you@example.test', body: 'again' })).code, 250)
  assert.deepEqual(await states(gateway), ['unknown'])
  const [entry] = (await gateway.queue.list({}, 10)).messages
  assert.equal(entry?.recipients[0]?.backend?.includes(first.url), true)
  await lab.until(() => first.messages.length === 2)
  assert.ok(clock.now() - sentMs >= 300_000)
  await lab.until(() => gateway.held() === 0)
  assert.deepEqual([first.messages.length, second.messages.length], [2, 0])
})

test('silent for good: its word is waited for ten minutes behind the dot, and then the same backend gets it again', async (t) => {
  const lab = await startLab(t)
  const first = await lab.backend({ afterDot: (_, count) => (count === 1 ? 'silence' : undefined) })
  const second = await lab.backend()
  const clock = createFastClock(100)
  const gateway = await lab.gateway({ deliver: [first, { to: second, preference: 20 }], hold: {} }, { clock })
  const sentMs = clock.now()
  assert.equal((await lab.send({ to: 'you@example.test', body: 'again' })).code, 250)
  assert.ok(clock.now() - sentMs >= 270_000)
  await lab.until(() => first.sessions[0]?.open === false)
  const listenedMs = clock.now() - sentMs
  assert.ok(listenedMs >= 600_000 && listenedMs < 800_000, `${listenedMs} ms`)
  await lab.until(() => first.messages.length === 2)
  // Of those the sender has waited 270 s.
  const againMs = clock.now() - sentMs
  assert.ok(againMs >= 600_000 && againMs < 850_000, `${againMs} ms`)
  await lab.until(() => gateway.held() === 0)
  assert.deepEqual([first.messages.length, second.messages.length], [2, 0])
})

test('silent behind many dots: of its sessions a quarter is kept for a late word, and the others serve', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ afterDot: 'silence' })
  const gateway = await lab.gateway({
    deliver: [{ to: backend, connections: 8 }],
    hold: {},
    budgets: { dotMs: 600, bodyReserveMs: 100 },
  })
  const sent = await Promise.all(Array.from({ length: 5 }, () => lab.send({ to: 'you@example.test' })))
  assert.deepEqual(
    sent.map(({ code }) => code),
    [250, 250, 250, 250, 250],
  )
  await lab.until(() => backend.openSessions === 2)
  assert.equal(gateway.held(), 5)
  backend.say('250 2.0.0 after all')
  await lab.until(() => gateway.held() === 3)
})

test('silent behind one dot, and it takes one session at most: that listens until the next message comes, which is delivered', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ afterDot: (_, count) => (count === 1 ? 'silence' : undefined) })
  const gateway = await lab.gateway({
    deliver: [{ to: backend, connections: 1 }],
    hold: {},
    budgets: { dotMs: 600, bodyReserveMs: 100 },
  })
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.equal(backend.openSessions, 1)
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.equal(backend.messages.length, 2)
  assert.deepEqual([gateway.held(), await states(gateway)], [1, ['unknown']])
})

for (const how of ['halfClose', 'reset'] as const)
  test(`the sender has gone (${how}) before its time is over: nothing is held, because it comes again`, async (t) => {
    const lab = await startLab(t)
    const backend = await lab.backend({ afterDot: 'silence' })
    const gateway = await lab.gateway({ deliver: backend, hold: {}, budgets: { dotMs: 1_000, bodyReserveMs: 100 } })
    const sender = await lab.connect()
    await sender.hello()
    await sender.untilData('a@sender.test', 'you@example.test')
    await sender.write('Subject: x\r\n\r\nx\r\n.\r\n')
    await lab.until(() => backend.messages.length === 1)
    sender[how]()
    await lab.until(() => gateway.find('deferred').length === 1)
    assert.equal(gateway.held(), 0)
    await lab.until(() => backend.openSessions === 0)
  })

test('gone behind the dot for good: when its time is over another backend gets it, and not before', async (t) => {
  const lab = await startLab(t)
  const first = await lab.backend({ afterDot: 'reset' })
  const second = await lab.backend()
  const clock = createFastClock(200)
  const unknownWaitMs = 20 * 60_000
  const gateway = await lab.gateway(
    { deliver: [first, { to: second, preference: 20 }], hold: { unknownWaitMs } },
    { clock },
  )
  const sentMs = clock.now()
  assert.equal((await lab.send({ to: 'you@example.test', body: 'to the other' })).code, 250)
  await first.kill()
  await lab.until(() => second.messages.length === 1, 60_000)
  assert.ok(clock.now() - sentMs >= unknownWaitMs)
  await lab.until(() => gateway.held() === 0)
  assert.deepEqual([first.messages.length, second.messages.length], [1, 1])
  // It is told as what it may be.
  await lab.until(() => gateway.find('drained', { possibleDuplicates: 1 }).length === 1)
  const twice = gateway.events.flatMap((event) => (event.kind === 'attempt' ? event.possibleDuplicates : []))
  assert.equal(twice.at(-1), 1)
})

test('a backend that keeps what it is given and breaks off, each time: when its time is over another one gets it', async (t) => {
  const lab = await startLab(t)
  const first = await lab.backend({ afterDot: 'reset' })
  const second = await lab.backend()
  const clock = createFastClock(200)
  const unknownWaitMs = 10 * 60_000
  const gateway = await lab.gateway(
    { deliver: [first, { to: second, preference: 20 }], hold: { unknownWaitMs } },
    { clock },
  )
  const sentMs = clock.now()
  assert.equal((await lab.send({ to: 'you@example.test', body: 'twice at most' })).code, 250)
  await lab.until(() => second.messages.length === 1, 60_000)
  assert.ok(clock.now() - sentMs >= unknownWaitMs)
  await lab.until(() => gateway.held() === 0)
  // Once more within its time, and not when the other one may be asked.
  assert.ok(first.messages.length <= 2, `${first.messages.length} copies`)
  assert.equal(second.messages.length, 1)
})

test('gone behind the dot, and then it puts the recipient off: nobody else gets it before its time is over', async (t) => {
  const lab = await startLab(t)
  const first = await lab.backend({
    afterDot: 'reset',
    rcpt: (_, count) => (count > 1 ? '450 4.2.0 later' : undefined),
  })
  const second = await lab.backend()
  const clock = createFastClock(200)
  const unknownWaitMs = 20 * 60_000
  const gateway = await lab.gateway(
    { deliver: [first, { to: second, preference: 20 }], hold: { unknownWaitMs } },
    { clock },
  )
  const sentMs = clock.now()
  assert.equal((await lab.send({ to: 'you@example.test', body: 'to the other' })).code, 250)
  await lab.until(() => second.messages.length === 1, 60_000)
  assert.ok(clock.now() - sentMs >= unknownWaitMs)
  await lab.until(() => gateway.held() === 0)
  assert.ok(first.commands.filter((command) => command.startsWith('RCPT')).length > 1)
  assert.equal(first.messages.length, 1)
  await lab.until(() => gateway.find('drained', { possibleDuplicates: 1 }).length === 1)
})
