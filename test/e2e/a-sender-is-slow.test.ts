import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFastClock } from '../lab/fast-clock.ts'
import { startLab } from '../lab/lab.ts'

// Sessions with a backend are few, and senders are many: who is slow must wait alone.
test('an octet every 29 s in DATA: never an idle block, but less than 500 octets a second over a minute', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  // A minute is a second here, and 29 s are 483 ms.
  const clock = createFastClock(60)
  const gateway = await lab.gateway({ deliver: backend }, { clock })
  const sender = await lab.connect()
  await sender.hello()
  await sender.untilData('a@sender.test', 'you@example.test')
  const startMs = clock.monotonicMs()
  const writing = setInterval(() => void sender.write('x'), 483)
  lab.atEnd(() => clearInterval(writing))
  await sender.closed()
  assert.equal((await sender.reply()).code, 421)
  // The idle limit of a block is 180 s.
  assert.ok(clock.monotonicMs() - startMs < 170_000)
  await lab.until(() => gateway.find('message refused', { why: 'too-slow' }).length === 1)
  assert.equal(backend.messages.length, 0)
})

test('a command line that never ends has one deadline for all of it', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  await lab.gateway({ deliver: backend, budgets: { commandMs: 200 } })
  const sender = await lab.connect()
  await sender.hello()
  const started = performance.now()
  const writing = setInterval(() => void sender.write('N'), 30)
  lab.atEnd(() => clearInterval(writing))
  await sender.closed()
  assert.equal((await sender.reply()).code, 421)
  // And not the five minutes that a command may take.
  assert.ok(performance.now() - started < 60_000)
})

test('200 senders of an octet a second occupy no backend session while a fast one is served at once', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  const gateway = await lab.gateway({
    deliver: [{ to: backend, connections: 5 }],
    budgets: { sessionIdleInTransactionMs: 50 },
  })
  const sources = Array.from({ length: 200 }, (_, number) => `127.40.${number % 8}.${1 + number}`)
  const slow = await Promise.all(
    sources.map(async (source) => {
      const sender = await lab.connect({ source, address: gateway.address, port: gateway.port })
      await sender.hello()
      await sender.untilData('a@sender.test', 'you@example.test')
      await sender.write('S')
      return sender
    }),
  )
  await lab.until(() => backend.sessions.every((session) => !session.open || session.commands.at(-1) === 'RSET'))
  const started = performance.now()
  for (let number = 0; number < 10; number++) {
    for (const sender of slow.slice(number * 20, number * 20 + 20)) await sender.write('x')
    assert.equal((await lab.send({ to: 'you@example.test', source: '127.50.0.1' })).code, 250)
  }
  const ms = performance.now() - started
  assert.ok(ms < 60_000, `10 messages took ${ms} ms`)
  assert.ok((gateway.backends()[0]?.sessions ?? 99) <= 5)
  // The slow ones are served too, when they come to their end.
  for (const sender of slow.slice(0, 10)) {
    await sender.write('\r\n.\r\n')
    await sender.expect(250)
  }
  assert.equal(backend.messages.length, 20)
})
