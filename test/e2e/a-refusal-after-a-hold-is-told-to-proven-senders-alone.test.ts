/**
 * A backend refuses what was held while it was away: a sender whose address SPF has proven gets one notification, a forged one gets none, and
 * its message is kept for a person.
 */
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemDoor } from '../../src/base/door.ts'
import type { IpAddress } from '../../src/base/ip.ts'
import type { HoldPolicy } from '../../src/routing/hold-policy.ts'
import type { FakeBackend } from '../lab/backend.ts'
import type { LabZone } from '../lab/dns.ts'
import { createFastClock } from '../lab/fast-clock.ts'
import { type Lab, startLab } from '../lab/lab.ts'
import type { GatewayWords } from '../lab/settings.ts'

const zone: LabZone = {
  'sender.test': { TXT: ['v=spf1 ip4:127.0.0.1 -all'], MX: [[10, 'mx.sender.test']] },
  'mx.sender.test': { A: ['9.8.7.6'] },
  'ours.test': { MX: [[10, 'mx.waypost.test']], TXT: ['v=spf1 ip4:127.0.0.1 -all'] },
  'mx.waypost.test': { A: ['9.8.7.5'] },
}

const forger = '127.66.6.6'

/** A gateway whose backend is down, and the sender's own server. */
async function start(lab: Lab, hold: Partial<HoldPolicy> = {}, words: GatewayWords = {}) {
  const dns = await lab.dns(zone)
  const backend = await lab.backend({ connect: 'refuse' })
  const home = await lab.backend()
  const gateway = await lab.gateway(
    { deliver: [backend], hold, resolver: { servers: [dns.server] }, outbound: { via: home }, ...words },
    { clock: createFastClock(20) },
  )
  return { dns, backend, home, gateway }
}

async function comesBackRefusing(backend: FakeBackend, said = '550 5.1.1 <you@example.test>: User unknown') {
  backend.change({ rcpt: said })
  await backend.restart()
}

test('a forged sender is told nothing, and the message is kept for a person', async (t) => {
  const lab = await startLab(t)
  const { backend, home, gateway } = await start(lab)
  assert.equal((await lab.send({ to: 'you@example.test', source: forger })).code, 250)

  await comesBackRefusing(backend)
  await lab.until(() => gateway.find('refused after hold').length === 1)
  const { messages } = await gateway.queue.list({ states: ['refused'] }, 10)
  assert.equal(messages.length, 1)
  assert.equal(messages[0]?.message.proof.kind, 'not-proven')
  const [line] = gateway.find('refused after hold')
  assert.equal(line?.fields.told, false)
  assert.match(String(line?.fields.why), /SPF: fail/)
  assert.equal(line?.fields.backend, backend.url)
  assert.deepEqual(home.messages, [])
})

test('a proven sender gets one notification with what the backend said, and the message is gone', async (t) => {
  const lab = await startLab(t)
  const { backend, home, gateway } = await start(lab)
  assert.equal((await lab.send({ to: 'you@example.test', body: 'my words' })).code, 250)

  await comesBackRefusing(backend)
  await lab.until(() => home.messages.length === 1)
  await lab.until(() => gateway.held() === 0)
  const [notice] = home.messages
  assert.equal(notice?.from, '')
  assert.deepEqual(notice?.to, ['someone@sender.test'])
  const text = String(notice?.content)
  assert.match(text, /^From: Mail Delivery <postmaster@mx\.waypost\.test>\r\nTo: <someone@sender\.test>\r\n/)
  assert.match(text, /\r\nFinal-Recipient: rfc822; you@example\.test\r\nAction: failed\r\nStatus: 5\.1\.1\r\n/)
  assert.match(text, new RegExp(`\r\nRemote-MTA: dns; \\[${backend.address.replaceAll('.', '\\.')}\\]\r\n`))
  assert.match(text, /\r\nDiagnostic-Code: smtp; 550 5\.1\.1 <you@example\.test>: User unknown\r\n/)
  assert.match(text, /my words/)
  assert.equal(home.messages.length, 1)
})

test('refused at the dot: the same; and the second message of the hour is kept instead', async (t) => {
  const lab = await startLab(t)
  const { backend, home, gateway } = await start(lab)
  for (const body of ['first', 'second']) await lab.send({ to: 'you@example.test', body })

  backend.change({ afterDot: '554 5.6.0 not that' })
  await backend.restart()
  await lab.until(() => gateway.find('refused after hold').length === 2 && home.messages.length === 1)
  await lab.until(() => gateway.held() === 1)
  assert.match(String(home.messages[0]?.content), /Diagnostic-Code: smtp; 554 5\.6\.0 not that/)
  assert.equal(gateway.queue.domains()[0]?.byState.refused, 1)
  assert.equal(
    gateway.find('refused after hold', { told: false })[0]?.fields.why,
    'this address was told something within the hour',
  )
})

test('refusedAfterHold: keep tells nobody, dsn tells everybody but nobody', async (t) => {
  const lab = await startLab(t)
  const kept = await start(lab, { refusedAfterHold: 'keep' })
  await lab.send({ to: 'you@example.test' })
  await comesBackRefusing(kept.backend)
  await lab.until(() => kept.gateway.find('refused after hold').length === 1)
  assert.equal(kept.gateway.queue.domains()[0]?.byState.refused, 1)

  const told = await start(lab, { refusedAfterHold: 'dsn' })
  await lab.send({ to: 'you@example.test', source: forger })
  await lab.send({ to: 'you@example.test', source: forger, from: '' })
  await comesBackRefusing(told.backend)
  await lab.until(() => told.home.messages.length === 1 && told.gateway.find('refused after hold').length === 2)
  assert.equal(told.gateway.find('refused after hold', { from: '' })[0]?.fields.why, 'it is from nobody')
  assert.deepEqual(kept.home.messages, [])
})

test('who did not want to hear of failures does not (NOTIFY=NEVER), and hears of the others', async (t) => {
  const lab = await startLab(t)
  const { backend, home, gateway } = await start(lab)
  const client = await lab.connect()
  await client.reply()
  for (const command of [
    'EHLO sender.test',
    'MAIL FROM:<someone@sender.test> ENVID=QQ314159',
    'RCPT TO:<quiet@example.test> NOTIFY=NEVER',
    'RCPT TO:<loud@example.test> NOTIFY=FAILURE ORCPT=rfc822;Loud@old.example',
    'DATA',
    'Subject: x\r\n\r\nhello\r\n.',
  ])
    assert.ok((await client.command(command)).code < 400, command)

  await comesBackRefusing(backend, '550 5.1.1 unknown')
  await lab.until(() => home.messages.length === 1)
  const text = String(home.messages[0]?.content)
  assert.match(text, /Original-Envelope-Id: QQ314159/)
  assert.match(text, /Original-Recipient: rfc822;Loud@old\.example/)
  assert.doesNotMatch(text, /quiet@/)
  await lab.until(() => gateway.queue.domains()[0]?.byState.refused === 1)
})

test('DNS says nothing of the sender when the message comes, nor at the refusal: the refusal waits until it does', async (t) => {
  const lab = await startLab(t)
  const { dns, backend, home, gateway } = await start(lab)
  dns.fault('*', 'servfail')
  await lab.send({ to: 'you@example.test' })
  const { messages } = await gateway.queue.list({}, 10)
  assert.equal(messages[0]?.message.proof.kind, 'undecided')
  await comesBackRefusing(backend)
  await lab.until(() => gateway.find('refused after hold').length >= 1)
  assert.equal(gateway.queue.domains()[0]?.byState.refused, undefined)
  dns.fault('*', undefined)
  await lab
    .until(() => home.messages.length === 1)
    .catch((e) => {
      console.log(gateway.text())
      throw e
    })
  await lab.until(() => gateway.held() === 0)
})

test('a trusted network needs no SPF', async (t) => {
  const lab = await startLab(t)
  const { backend, home } = await start(lab, {}, { trusted: ['127.66.0.0/16'] })
  await lab.send({ to: 'you@example.test', source: forger })
  await comesBackRefusing(backend)
  await lab.until(() => home.messages.length === 1)
})

test("a notice finds the exchangers of the sender's domain, at public addresses alone; it has no sender to be told of anything", async (t) => {
  const lab = await startLab(t)
  const dns = await lab.dns(zone)
  const backend = await lab.backend({ connect: 'refuse' })
  const home = await lab.backend({ rcpt: '550 5.7.1 not from you' })
  const doors: string[] = []
  const gateway = await lab.gateway(
    { deliver: [backend], hold: {}, resolver: { servers: [dns.server] } },
    {
      clock: createFastClock(20),
      door: {
        open(purpose, target, isPrivate) {
          if (target.kind !== 'tcp' || purpose !== 'dsn') return systemDoor.open(purpose, target, isPrivate)
          doors.push(`${target.address}:${target.port} ${isPrivate ?? false}`)
          // The address is a stranger's: nothing may leave this machine.
          return systemDoor.open('backend', { kind: 'tcp', address: home.address as IpAddress, port: home.port })
        },
      },
    },
  )
  await lab.send({ to: 'you@example.test' })
  await comesBackRefusing(backend)
  await lab.until(() => gateway.find('own mail refused').length === 1)
  assert.equal(doors[0], '9.8.7.6:25 false')
  await lab.until(() => gateway.held() === 0)
  assert.equal(home.commands.filter((line) => line.startsWith('MAIL')).length, 1)
})

test('a notice to a declared domain takes its route; one that would come back to us goes to the postmaster', async (t) => {
  const lab = await startLab(t)
  const dns = await lab.dns({ ...zone, 'declared.test': { TXT: ['v=spf1 ip4:127.0.0.1 -all'] } })
  const [backend, declared, postmaster] = [
    await lab.backend({ connect: 'refuse' }),
    await lab.backend(),
    await lab.backend(),
  ]
  await lab.gateway(
    {
      domains: { 'example.test': { deliver: [backend], hold: {} }, 'declared.test': { deliver: [declared] } },
      postmaster,
      resolver: { servers: [dns.server] },
    },
    { clock: createFastClock(20) },
  )
  await lab.send({ to: 'you@example.test', from: 'joe@declared.test' })
  await lab.send({ to: 'you@example.test', from: 'jane@ours.test' })
  await comesBackRefusing(backend)
  await lab.until(() => declared.messages.length === 1 && postmaster.messages.length === 1)
  assert.deepEqual(declared.messages[0]?.to, ['joe@declared.test'])
  assert.deepEqual(postmaster.messages[0]?.to, ['jane@ours.test'])
})

test("what comes back to us lies in the postmaster's Maildir: notices to a domain whose exchanger we are, and to our own postmaster", async (t) => {
  const lab = await startLab(t)
  const ours = { TXT: ['v=spf1 ip4:127.0.0.1 -all'], A: ['9.8.7.5'] }
  const dns = await lab.dns({ ...zone, 'mx.waypost.test': ours })
  const backend = await lab.backend({ connect: 'refuse' })
  const gateway = await lab.gateway(
    { deliver: [backend], hold: {}, resolver: { servers: [dns.server] } },
    { clock: createFastClock(20) },
  )
  await lab.send({ to: 'you@example.test', from: 'jane@ours.test' })
  await lab.send({ to: 'you@example.test', from: 'postmaster@mx.waypost.test' })
  await comesBackRefusing(backend)
  const inbox = join(gateway.state, 'postmaster', 'new')
  await lab.until(async () => (await readdir(inbox).catch(() => [])).length === 2)
  const notices = await Promise.all((await readdir(inbox)).map((name) => readFile(join(inbox, name), 'latin1')))
  const to = notices.map((text) => [/^Delivered-To: (.*)$/m.exec(text)?.[1], /^Return-Path: (.*)$/m.exec(text)?.[1]])
  assert.deepEqual(to.toSorted(), [
    ['jane@ours.test', '<>'],
    ['postmaster@mx.waypost.test', '<>'],
  ])
  for (const text of notices) assert.match(text, /\nAction: failed\n/)
  await lab.until(() => gateway.held() === 0)
})
