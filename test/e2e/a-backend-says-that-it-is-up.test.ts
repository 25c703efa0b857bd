/** ETRN (RFC 1985): a backend that is up again says so, and what is held for it goes at once; nobody else is offered that. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../lab/fake-clock.ts'
import { startLab } from '../lab/lab.ts'

test('a backend says that it is up: what is held goes now, over another connection', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ connect: 'refuse' })
  const other = await lab.backend()
  // Not the time that passes, but the backend's word makes the gateway look.
  const clock = createFakeClock()
  const domains = {
    'one.test': { deliver: [backend], hold: {} },
    'sub.one.test': { deliver: [backend], hold: {} },
    'kept.test': { deliver: [backend] },
    'two.test': { deliver: [other], hold: {} },
  }
  const gateway = await lab.gateway({ domains }, { clock })
  for (const to of ['a@one.test', 'b@one.test']) assert.equal((await lab.send({ to })).code, 250)
  assert.equal(gateway.held(), 2)

  const stranger = await lab.connect({ source: '127.9.8.7' })
  assert.doesNotMatch((await stranger.hello()).join(' '), /ETRN/)
  await stranger.command('ETRN one.test', 502)
  assert.equal(gateway.find('etrn').length, 0)

  await backend.restart()
  const dialogue = await lab.connect({ source: backend.address })
  await dialogue.expect(220)
  await dialogue.command('ETRN one.test', 503)
  const offers = await dialogue.command('EHLO backend.test', 250)
  assert.match(offers.text, /ETRN/)
  await dialogue.command('ETRN', 500)
  await dialogue.command('ETRN not_a..name', 501)
  await dialogue.command('ETRN #uucp', 458)
  await dialogue.command('ETRN two.test', 459)
  await dialogue.command('ETRN elsewhere.test', 459)
  await dialogue.command('ETRN kept.test', 458)
  await dialogue.command('ETRN sub.one.test', 251)
  const started = await dialogue.command('ETRN one.test', 253)
  assert.match(started.text, /2 pending messages for node one\.test started/)
  await dialogue.command('ETRN one.test', 458)
  // Its own first look comes 800 ms after it found the backend down.
  await lab.until(() => {
    if (clock.monotonicMs() < 700) clock.advance(1)
    return gateway.held() === 0
  })
  assert.equal(backend.messages.length, 2)
  await dialogue.command('ETRN @one.test', 251)
  await dialogue.command('MAIL FROM:<a@sender.test>', 250)
  await dialogue.command('ETRN @one.test', 503)
})

test('a drain that waits for a person does not go on because its backend asks for it', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  const gateway = await lab.gateway({ deliver: [backend], hold: {} })
  const sendToEach = async () => {
    for (let number = 0; number < 11; number++)
      assert.equal((await lab.send({ to: `user${number}@example.test` })).code, 250)
  }
  // It knew them all, and comes back without any.
  await sendToEach()
  await backend.kill()
  await sendToEach()
  assert.equal(gateway.held(), 11)
  backend.change({ rcpt: '550 5.1.1 no such user' })
  await backend.restart()
  await lab.until(() => gateway.find('drain stopped').length > 0)
  const dialogue = await lab.connect({ source: backend.address })
  await dialogue.expect(220)
  await dialogue.command('EHLO backend.test', 250)
  assert.match((await dialogue.command('ETRN example.test', 458)).text, /a person has to look first/)
})
