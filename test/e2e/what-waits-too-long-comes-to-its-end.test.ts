/**
 * No backend comes back in time: what is held is tried once more, then its sender is told where that one is proven, and the rest is kept for a
 * person. Senders who want to know hear once that their message waits.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HoldPolicy } from '../../src/routing/hold-policy.ts'
import { createFastClock } from '../lab/fast-clock.ts'
import { type Lab, startLab } from '../lab/lab.ts'
import type { BackendWords } from '../lab/words.ts'

const minuteMs = 60_000
const forger = '127.66.6.6'

async function start(lab: Lab, hold: Partial<HoldPolicy>, words: BackendWords = { connect: 'refuse' }, times = 100) {
  const clock = createFastClock(times)
  const dns = await lab.dns({ 'sender.test': { TXT: ['v=spf1 ip4:127.0.0.1 -all'] } })
  const backend = await lab.backend(words)
  const home = await lab.backend()
  const gateway = await lab.gateway(
    {
      deliver: [backend],
      hold,
      resolver: { servers: [dns.server], timeoutMs: 60_000, deadlineMs: 120_000 },
      outbound: { via: home },
    },
    { clock },
  )
  return { backend, home, gateway, clock }
}

test('nobody comes back: the proven sender is told, the forged one is not, and its message is kept', async (t) => {
  const lab = await startLab(t)
  const { home, gateway } = await start(lab, { holdMs: 5 * minuteMs })
  assert.equal((await lab.send({ to: 'you@example.test', body: 'honest' })).code, 250)
  assert.equal((await lab.send({ to: 'you@example.test', source: forger })).code, 250)

  await lab.until(() => home.messages.length === 1)
  await lab.until(() => gateway.held() === 1 && gateway.find('expired').length === 2)
  const text = String(home.messages[0]?.content)
  assert.match(text, /\r\nAction: failed\r\nStatus: 4\.4\.1\r\n/)
  assert.match(text, /We have tried until the time for it was over/)
  assert.match(text, /honest/)
  const { messages } = await gateway.queue.list({}, 10)
  assert.equal(messages[0]?.recipients[0]?.state, 'expired')
  assert.equal(gateway.find('expired').length, 2)
  const told = gateway.events.flatMap((event) => (event.kind === 'expired' ? [event.domains] : []))
  assert.deepEqual(told, [['example.test'], ['example.test']])
})

test('a backend that defers to the end gets a try behind the end, and what it said is in the notice', async (t) => {
  const lab = await startLab(t)
  const { backend, home, gateway } = await start(lab, { holdMs: 5 * minuteMs })
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  backend.change({ rcpt: '452 4.2.2 mailbox full' })
  await backend.restart()
  await lab.until(() => home.messages.length === 1)
  assert.match(
    String(home.messages[0]?.content),
    /Status: 4\.2\.2\r\nRemote-MTA: .*\r\nDiagnostic-Code: smtp; 452 4\.2\.2 mailbox full/,
  )
  await lab.until(() => gateway.find('expired').length > 0)
  const [line] = gateway.find('expired')
  assert.ok(Number(line?.fields.attempts) >= 2)
})

test('a backend that comes back for the last try gets the message', async (t) => {
  const lab = await startLab(t)
  const { backend, home, gateway } = await start(lab, { holdMs: 5 * minuteMs })
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  // The probe goes every 30 s at most, so it is known to be up long before the end.
  await backend.restart()
  await lab.until(() => backend.messages.length === 1 && gateway.held() === 0)
  assert.deepEqual(gateway.find('expired'), [])
  assert.deepEqual(home.messages, [])
})

test('the end comes while a backend thinks about the message: its word decides', async (t) => {
  const lab = await startLab(t)
  const { backend, home, gateway, clock } = await start(lab, { holdMs: 2 * minuteMs }, undefined, 50)
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  const asked = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<undefined>()
  backend.change({
    afterDot: () => {
      asked.resolve()
      return answer.promise
    },
  })
  await backend.restart()
  await asked.promise
  const { messages } = await gateway.queue.list({}, 10)
  const expiresMs = messages[0]?.message.expiresMs ?? 0
  // Two rounds of the sweeper behind the end.
  await lab.until(() => clock.now() > expiresMs + 2.5 * minuteMs)
  assert.equal(gateway.held(), 1)
  assert.deepEqual(gateway.find('expired'), [])
  answer.resolve(undefined)
  await lab.until(() => gateway.held() === 0)
  assert.deepEqual([backend.messages.length, home.messages.length], [1, 0])
})

test('a sender that wants to know hears of the delay, once; one that does not, and a forged one, hear nothing', async (t) => {
  const lab = await startLab(t)
  const { backend, home, gateway } = await start(lab, { delayNoticeMs: 5 * minuteMs })
  const client = await lab.connect()
  await client.reply()
  for (const command of [
    'EHLO sender.test',
    'MAIL FROM:<someone@sender.test>',
    'RCPT TO:<you@example.test>',
    'RCPT TO:<never@example.test> NOTIFY=FAILURE',
    'DATA',
    'Subject: x\r\n\r\nhello\r\n.',
  ])
    assert.ok((await client.command(command)).code < 400, command)
  await lab.send({ to: 'you@example.test', source: forger, from: 'other@sender.test' })

  await lab.until(() => home.messages.length === 1)
  await lab.until(() => gateway.find('delay told').length > 0)
  await lab.until(() => gateway.grep(/probe/).length > 30)
  assert.equal(gateway.find('delay told').length, 1)
  assert.equal(home.messages.length, 1)
  const text = String(home.messages[0]?.content)
  assert.match(text, /Final-Recipient: rfc822; you@example\.test\r\nAction: delayed\r\nStatus: 4\.4\.1\r\n/)
  assert.match(text, /Will-Retry-Until: /)
  assert.doesNotMatch(text, /never@/)

  await backend.restart()
  await lab.until(() => gateway.held() === 0)
  assert.equal(backend.messages.length, 2)
})

test('of one message each recipient is held as long as its own domain says', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ connect: 'refuse' })
  const deliver = [backend]
  const gateway = await lab.gateway(
    {
      domains: {
        'short.test': { deliver, hold: { holdMs: 5 * minuteMs } },
        'long.test': { deliver, hold: { holdMs: 24 * 60 * minuteMs } },
      },
    },
    { clock: createFastClock(100) },
  )
  assert.equal((await lab.send({ to: ['you@short.test', 'you@long.test'] })).code, 250)
  await lab.until(() => gateway.find('expired').length > 0)
  assert.deepEqual(gateway.find('expired')[0]?.fields.to, 'you@short.test')
  const [entry] = (await gateway.queue.list({}, 1)).messages
  const [short, long] = entry?.recipients ?? []
  assert.equal(short?.state, 'expired')
  assert.ok(long?.state === 'ready' || long?.state === 'waiting', long?.state)
})
