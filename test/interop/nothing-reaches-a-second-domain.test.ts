/**
 * No relaying: the backend is a Postfix that trusts us (`mynetworks`) and would relay, by every old syntax, to a sink that takes all.
 * Directly it does; through the gateway nothing gets there.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FakeBackend } from '../lab/backend.ts'
import { type Lab, startLab } from '../lab/lab.ts'
import { countMaildir } from './harness/maildir.ts'
import { type Postfix, startPostfix } from './harness/postfix.ts'
import { spellings } from './harness/spellings.ts'

/** `example.test` as a local domain, because only for those does Postfix take `%` and `!` apart. */
const trusting = {
  mydestination: 'example.test',
  virtual_mailbox_domains: '',
  local_transport: 'virtual',
  local_recipient_maps: '$virtual_mailbox_maps',
  allow_percent_hack: 'yes',
  swap_bangpath: 'yes',
  allow_untrusted_routing: 'yes',
  strict_rfc821_envelopes: 'no',
  smtpd_error_sleep_time: '0',
  smtpd_hard_error_limit: '1000',
  smtpd_soft_error_limit: '1000',
}

async function relay(lab: Lab): Promise<{ sink: FakeBackend; postfix: Postfix }> {
  const sink = await lab.backend()
  return { sink, postfix: await startPostfix(lab, { relayTo: sink, isFinal: true, main: trusting }) }
}

/** Tries one spelling in a connection of its own, down to the dot where the server lets it. */
async function tryOne(lab: Lab, via: { address: string; port: number }, spelling: string): Promise<void> {
  const sender = await lab.connect({ address: via.address, port: via.port })
  await sender.expect(220)
  await sender.command('EHLO sender.test', 250)
  await sender.command('MAIL FROM:<someone@sender.test>', 250)
  const heard = await sender.command(`RCPT TO:${spelling}`)
  if (heard.code === 250) {
    await sender.write('DATA\r\n')
    let opening = await sender.nextReply()
    // A server that takes a bare LF for a line end has made two commands of one: 250 to the second comes first.
    while (opening?.code === 250) opening = await sender.nextReply()
    if (opening?.code === 354) {
      await sender.write('Subject: relayed\r\n\r\nrelayed\r\n.\r\n')
      await sender.nextReply()
    }
  }
  sender.destroy()
}

test('Postfix by itself relays what the spellings ask for', async (t) => {
  const lab = await startLab(t)
  const { sink, postfix } = await relay(lab)
  for (const spelling of [
    '<victim@second.test>',
    '<victim%second.test@example.test>',
    '<second.test!victim@example.test>',
  ])
    await tryOne(lab, postfix, spelling)
  await lab.until(() => sink.messages.length === 3)
  assert.deepEqual(new Set(sink.messages.flatMap((message) => message.to)), new Set(['victim@second.test']))
})

test('through the gateway nothing gets there under any of 200 spellings', async (t) => {
  const lab = await startLab(t)
  const { sink, postfix } = await relay(lab)
  const limits = { refusedPerConnection: 10_000, refusedPerMinute: 10_000, errors: 10_000 }
  const gateway = await lab.gateway({ deliver: postfix.url, limits })
  const all = spellings()
  assert.ok(all.length >= 200, `${all.length} spellings`)

  for (const spelling of all) await tryOne(lab, gateway, spelling)

  // The same way is open for what is ours, and what Postfix has taken is through when its queue is empty.
  const sent = await lab.send({ via: gateway, to: 'you@example.test' })
  assert.equal(sent.code, 250, sent.transcript.join('\n'))
  await lab.until(async () => (await countMaildir(postfix.maildir('you'))) >= 1)
  await lab.until(async () => (await postfix.queued()) === 0)
  assert.deepEqual(sink.messages, [])
  // Nor was Postfix asked for anything beyond our domain: its log names every recipient that it was told.
  assert.doesNotMatch((await postfix.log()).replace(/from=<[^>]*>/g, ''), /second\.test|bcher|b\?cher/)
})
