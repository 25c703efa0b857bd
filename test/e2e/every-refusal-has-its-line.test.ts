/** Who looks after mail is asked "why did they hear no": whatever a sender is refused, the log says it, and a flood of it is told by its first lines. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'
import { freeAddress, freePort } from '../lab/loopback.ts'

test('a message that declares more than SIZE allows is refused at MAIL, with a line and an event', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  const gateway = await lab.gateway({ deliver: backend, limits: { messageBytes: 10_000, refusedPerMinute: 2 } })
  const sender = await lab.connect()
  await sender.hello()
  for (let number = 0; number < 3; number++) await sender.command('MAIL FROM:<a@sender.test> SIZE=10001', 552)
  assert.deepEqual(
    gateway
      .find('message refused')
      .map(({ fields: { why, from, declaredSize, client } }) => [why, from, declaredSize, client]),
    Array(2).fill(['too-big', 'a@sender.test', 10_001, '127.0.0.1']),
  )
  assert.equal(gateway.events.filter((event) => event.kind === 'message-stopped' && event.why === 'too-big').length, 3)
  await gateway.stop()
  assert.equal(gateway.find('more was refused')[0]?.fields.messages, 1)
})

test('mail that comes back to us from ourselves is refused at MAIL with a line on that side too', async (t) => {
  const lab = await startLab(t)
  const address = freeAddress()
  const us = { address, port: await freePort(address) }
  const gateway = await lab.gateway({ deliver: `smtp://${us.address}:${us.port}`, listen: [us] })
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 451)
  assert.deepEqual(
    gateway.find('message refused').map(({ fields }) => fields.why),
    ['loop'],
  )
})

test('what the server refuses by itself: syntax, order, limits', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  const gateway = await lab.gateway({ deliver: backend, limits: { recipients: 1, errors: 5 } })
  const sender = await lab.connect()
  await sender.hello()
  await sender.command('RCPT TO:<you@example.test>', 503)
  await sender.command('AUTH LOGIN', 502)
  await sender.command('MAIL FROM:<a@sender.test>', 250)
  await sender.command('RCPT TO:<you@example.test>', 250)
  await sender.command('RCPT TO:<me@example.test>', 452)
  await sender.command('RCPT TO:<no address>', 501)
  await sender.command('XYZZY', 500)
  await sender.write('EXPN list\r\n')
  await sender.closed()
  assert.deepEqual(
    gateway.find('smtp command refused').map(({ fields }) => String(fields.reply).slice(0, 3)),
    ['503', '502', '452', '501', '500', '502'],
  )
  assert.deepEqual(
    gateway.find('smtp session refused').map(({ fields }) => fields.why),
    ['too many errors'],
  )
})
