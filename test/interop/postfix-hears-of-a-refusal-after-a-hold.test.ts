/**
 * A user of a Postfix sends through us while the backend is away; when that one is back and refuses, our notification arrives in the user's
 * mailbox by that Postfix, and Python's email package reads in it what the backend said. A forged message in the user's name brings nothing.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createFastClock } from '../lab/fast-clock.ts'
import { startLab } from '../lab/lab.ts'
import { readMaildir } from './harness/maildir.ts'
import { startPostfix } from './harness/postfix.ts'
import { runWell } from './harness/program.ts'

const reader = fileURLToPath(new URL('harness/read-dsn.py', import.meta.url))

test('held, refused, told: from sendmail to the mailbox', async (t) => {
  const lab = await startLab(t)
  const dns = await lab.dns({ 'example.test': { TXT: ['v=spf1 ip4:127.0.0.1 -all'] } })
  const backend = await lab.backend({ connect: 'refuse' })
  const settings = {
    domains: { 'elsewhere.test': { deliver: [backend], hold: {} } },
    resolver: { servers: [dns.server] },
  }
  const clock = createFastClock(20)
  const gateway = await lab.gateway(settings, { clock })
  const postfix = await startPostfix(lab, { relayTo: gateway, isFinal: true })
  await gateway.apply({ outbound: { via: postfix.url } })

  const content =
    'From: you@example.test\nTo: bob@elsewhere.test\nSubject: hello\nMessage-ID: <1@example.test>\n\nIs it you?\n'
  const options = ['-C', postfix.config, '-N', 'failure', '-V', 'a+b=c', '-R', 'full', '-f', 'you@example.test']
  await runWell('/usr/sbin/sendmail', [...options, 'bob@elsewhere.test'], content)
  await lab.until(() => gateway.held() === 1)
  await lab.until(async () => (await postfix.queued()) === 0)
  const forged = { to: 'bob@elsewhere.test', from: 'you@example.test', source: '127.66.6.6', via: gateway }
  assert.equal((await lab.send(forged)).code, 250)

  backend.change({ rcpt: '550 5.1.1 <bob@elsewhere.test>: Recipient address rejected: User unknown' })
  await backend.restart()
  await lab
    .until(async () => (await readMaildir(postfix.maildir('you'))).length === 1)
    .catch(async (error) => {
      throw new Error(`${error}\n${await postfix.log()}\n${gateway.text()}`)
    })
  await lab.until(() => gateway.find('refused after hold').length === 2)
  await lab.until(() => gateway.held() === 1)

  const [mailed = Buffer.alloc(0)] = await readMaildir(postfix.maildir('you'))
  const read = JSON.parse((await runWell('/usr/bin/python3', [reader], mailed.toString('latin1'))).stdout) as {
    readonly parts: readonly { readonly type: string; readonly groups?: readonly (readonly [string, string][])[] }[]
  }
  const status = read.parts.find(({ type }) => type === 'message/delivery-status')
  const [ofMessage = [], ofRecipient = []] = status?.groups ?? []
  const field = (of: Iterable<readonly [string, string]>, name: string) => new Map(of).get(name)
  assert.equal(field(ofMessage, 'Original-Envelope-Id'), 'a+b=c')
  assert.equal(field(ofMessage, 'Reporting-MTA'), 'dns; mx.waypost.test')
  assert.equal(field(ofRecipient, 'Original-Recipient'), 'rfc822;bob@elsewhere.test')
  assert.equal(field(ofRecipient, 'Final-Recipient'), 'rfc822; bob@elsewhere.test')
  assert.equal(field(ofRecipient, 'Action'), 'failed')
  assert.equal(field(ofRecipient, 'Status'), '5.1.1')
  assert.match(field(ofRecipient, 'Diagnostic-Code') ?? '', /^smtp; 550 5\.1\.1 <bob@elsewhere\.test>: Recipient/)
  assert.match(mailed.toString('latin1'), /^Return-Path: <>$/m)
  assert.match(mailed.toString('latin1'), /Is it you\?/)
  assert.equal((await readMaildir(postfix.maildir('you'))).length, 1)
  const [kept] = (await gateway.queue.list({ states: ['refused'] }, 10)).messages
  assert.equal(kept?.message.client?.address, '127.66.6.6')
})
