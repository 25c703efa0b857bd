import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'
import { labHost } from '../lab/names.ts'

test('a backend hears its `helo`; one that has none hears our hostname', async (t) => {
  const lab = await startLab(t)
  const [named, plain, lmtp] = [await lab.backend(), await lab.backend(), await lab.backend({ protocol: 'lmtp' })]
  await lab.gateway({
    hostname: 'mx1.waypost.test',
    domains: {
      'named.test': { deliver: [{ to: named, helo: labHost('relay.example.test') }] },
      'plain.test': { deliver: plain },
      'lmtp.test': { deliver: [{ to: lmtp, helo: labHost('relay.example.test') }] },
    },
  })
  for (const domain of ['named.test', 'plain.test', 'lmtp.test'])
    assert.equal((await lab.send({ to: `you@${domain}`, hello: 'sender.test' })).code, 250)
  assert.equal(named.commands[0], 'EHLO relay.example.test')
  assert.equal(plain.commands[0], 'EHLO mx1.waypost.test')
  assert.equal(lmtp.commands[0], 'LHLO relay.example.test')
})

test('a server that knows no EHLO hears the same name in HELO, and one with STARTTLS behind the handshake', async (t) => {
  const lab = await startLab(t)
  const old = await lab.backend({ ehlo: '502 5.5.1 what?' })
  const secured = await lab.backend({ startTls: 'offer' })
  const helo = labHost('relay.example.test')
  await lab.gateway({
    domains: { 'old.test': { deliver: [{ to: old, helo }] }, 'secured.test': { deliver: [{ to: secured, helo }] } },
  })
  for (const domain of ['old.test', 'secured.test']) assert.equal((await lab.send({ to: `you@${domain}` })).code, 250)
  const greetings = (commands: readonly string[]) => commands.filter((line) => /^(EHLO|HELO) /.test(line))
  assert.deepEqual(greetings(old.commands), ['EHLO relay.example.test', 'HELO relay.example.test'])
  assert.deepEqual(greetings(secured.commands), ['EHLO relay.example.test', 'EHLO relay.example.test'])
})
