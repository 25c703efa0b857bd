/** A sender asks for NOTIFY=SUCCESS: a backend that offers DSN is told, and for one that does not we write the notice. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFastClock } from '../lab/fast-clock.ts'
import { type Lab, startLab } from '../lab/lab.ts'
import type { GatewayWords } from '../lab/settings.ts'
import type { BackendWords } from '../lab/words.ts'

async function start(lab: Lab, words: BackendWords = {}, more: GatewayWords = {}) {
  const dns = await lab.dns({ 'sender.test': { TXT: ['v=spf1 ip4:127.0.0.1 -all'] } })
  const backend = await lab.backend(words)
  const home = await lab.backend()
  const gateway = await lab.gateway(
    { deliver: [backend], hold: {}, resolver: { servers: [dns.server] }, outbound: { via: home }, ...more },
    { clock: createFastClock(20) },
  )
  return { backend, home, gateway }
}

/** @returns the lines of EHLO */
async function sendAsking(lab: Lab, source = '127.0.0.1', notify = 'NOTIFY=SUCCESS,FAILURE'): Promise<string> {
  const client = await lab.connect({ source })
  await client.reply()
  const offered = await client.command('EHLO sender.test', 250)
  for (const command of [
    'MAIL FROM:<someone@sender.test> ENVID=once',
    `RCPT TO:<you@example.test> ${notify}`,
    'RCPT TO:<quiet@example.test>',
    'DATA',
    'Subject: asked\r\n\r\nhello\r\n.',
  ])
    assert.ok((await client.command(command)).code < 400, command)
  return JSON.stringify(offered)
}

test('the backend knows nothing of DSN: the sender gets one notice that its message was relayed', async (t) => {
  const lab = await startLab(t)
  const { backend, home } = await start(lab)
  assert.match(await sendAsking(lab), /DSN/)
  await lab.until(() => home.messages.length === 1)
  const text = String(home.messages[0]?.content)
  assert.match(text, /Original-Envelope-Id: once/)
  assert.match(text, /Final-Recipient: rfc822; you@example\.test\r\nAction: relayed\r\nStatus: 2\./)
  assert.match(text, /Subject: asked/)
  assert.doesNotMatch(text, /quiet@|\r\nhello/)
  assert.equal(backend.messages.length, 1)
})

test('the backend offers DSN: it is told what the sender wants, and we say nothing', async (t) => {
  const lab = await startLab(t)
  const { backend, home, gateway } = await start(lab, { offers: ['DSN'] })
  await sendAsking(lab)
  assert.equal(backend.commands.filter((line) => /NOTIFY=SUCCESS,FAILURE/.test(line)).length, 1)
  assert.deepEqual(gateway.grep(/success/), [])
  assert.equal(home.messages.length, 0)
})

test('it was held before: the notice comes with the delivery', async (t) => {
  const lab = await startLab(t)
  const { backend, home, gateway } = await start(lab, { connect: 'refuse' })
  await sendAsking(lab)
  await backend.restart()
  await lab.until(() => home.messages.length === 1)
  assert.match(String(home.messages[0]?.content), /Action: relayed/)
  await lab.until(() => gateway.held() === 0)
})

test('the yes comes late: the notice comes with it', async (t) => {
  const lab = await startLab(t)
  const words = { budgets: { dotMs: 30_000, bodyReserveMs: 5_000 } }
  const { backend, home, gateway } = await start(lab, { afterDot: 'silence' }, words)
  await sendAsking(lab)
  await lab.until(async () => (await gateway.queue.list({}, 10)).messages[0]?.message.proof.kind === 'proven')
  backend.say('250 2.0.0 after all')
  await lab.until(() => home.messages.length === 1)
  assert.match(String(home.messages[0]?.content), /Action: relayed/)
  await lab.until(() => gateway.held() === 0)
})

test('a forged sender is told nothing, nor is anybody who did not ask', async (t) => {
  const lab = await startLab(t)
  const { home, gateway } = await start(lab)
  await sendAsking(lab, '127.66.6.6')
  await lab.until(() => gateway.find('success not told').length === 1)
  await sendAsking(lab, '127.0.0.1', 'NOTIFY=FAILURE')
  assert.equal(gateway.find('success not told').length, 1)
  assert.equal(home.messages.length, 0)
})

test('a Maildir is where mail arrives: the notice says delivered', async (t) => {
  const lab = await startLab(t)
  const { home } = await start(
    lab,
    {},
    { domains: { 'example.test': { deliver: `maildir:${lab.folder}/box`, recipients: 'any', hold: {} } } },
  )
  await sendAsking(lab)
  await lab.until(() => home.messages.length === 1)
  assert.match(String(home.messages[0]?.content), /Action: delivered/)
})

test('DSN is not offered where it is switched off, or where nothing can be kept', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  for (const words of [{ deliver: [backend], hold: {}, dsn: false }, { deliver: [backend] }]) {
    await lab.gateway(words)
    const client = await lab.connect()
    await client.reply()
    assert.doesNotMatch(JSON.stringify(await client.command('EHLO sender.test', 250)), /DSN/)
  }
})
