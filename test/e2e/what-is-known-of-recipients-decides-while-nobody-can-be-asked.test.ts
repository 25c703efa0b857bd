/**
 * Recipients while all backends are away: one that was accepted is taken, one that was refused is refused in the backend's words, a stranger as the
 * domain wants it, no more than twenty of them a minute; and postmaster always. It survives a restart.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFastClock } from '../lab/fast-clock.ts'
import { startLab } from '../lab/lab.ts'

test('learnt from a backend, used without it, also after a restart', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({
    rcpt: (to) => (to.startsWith('bad') ? '550 5.1.1 no bad@example.test here' : undefined),
  })
  const words = { deliver: backend, hold: {} }
  const first = await lab.gateway(words)
  assert.equal((await lab.send({ to: 'good@example.test' })).code, 250)
  assert.equal((await lab.send({ to: 'bad@example.test' })).code, 550)
  await first.stop()
  await backend.kill()
  const second = await lab.gateway(words, { state: first.state })

  const good = await lab.send({ to: 'good@example.test' })
  assert.deepEqual([good.step, good.code], ['dot', 250])
  const bad = await lab.send({ to: 'bad@example.test' })
  assert.deepEqual([bad.step, bad.code, bad.enhanced], ['rcpt', 550, '5.1.1'])
  assert.match(bad.text, /no bad@example\.test here/)
  assert.equal((await lab.send({ to: 'postmaster@example.test' })).code, 250)
  for (let number = 0; number < 20; number++)
    assert.equal((await lab.send({ to: `stranger${number}@example.test` })).code, 250)
  const oneMore = await lab.send({ to: 'stranger20@example.test' })
  assert.deepEqual([oneMore.step, oneMore.code], ['rcpt', 450])
  // Another client has its own twenty, and whom the backend knows is taken from anybody.
  assert.equal((await lab.send({ to: 'stranger21@example.test', source: '127.9.9.9' })).code, 250)
  assert.equal((await lab.send({ to: 'good@example.test' })).code, 250)
  assert.equal(second.held(), 23)
})

test('unknownRecipients: defer: a stranger is asked to come again', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  await lab.gateway({ deliver: backend, hold: { unknownRecipients: 'defer' } }, { clock: createFastClock(5) })
  assert.equal((await lab.send({ to: 'good@example.test' })).code, 250)
  await backend.kill()
  assert.equal((await lab.send({ to: 'good@example.test' })).code, 250)
  const stranger = await lab.send({ to: 'stranger@example.test' })
  assert.deepEqual([stranger.step, stranger.code], ['rcpt', 451])
})

for (const [unknownRecipients, putOff] of [
  ['hold', 450],
  ['defer', 451],
] as const)
  test(`unknownRecipients: ${unknownRecipients}: who guesses hears the same of those who exist, and nobody else hears it`, async (t) => {
    const lab = await startLab(t)
    const backend = await lab.backend()
    const words = { deliver: backend, hold: { unknownRecipients }, limits: { refusedPerMinute: 12 } }
    await lab.gateway(words, { clock: createFastClock(0.001) })
    assert.equal((await lab.send({ to: 'good@example.test' })).code, 250)
    await backend.kill()
    const guesser = await lab.connect({ source: '127.60.0.1' })
    await guesser.hello()
    await guesser.command('MAIL FROM:<a@sender.test>', 250)
    const ask = (name: string) => guesser.command(`RCPT TO:<${name}@example.test>`)
    if (unknownRecipients === 'hold') for (let number = 0; number < 20; number++) await ask(`taken${number}`)
    // The same one again is no guess, however often its sender tries.
    for (let number = 0; number < 15; number++) assert.equal((await ask('mistyped')).code, putOff)
    const known = await ask('good')
    assert.equal(known.code, 250)
    await guesser.command('RSET', 250)
    await guesser.command('MAIL FROM:<a@sender.test>', 250)
    for (let number = 0; number < 11; number++) assert.equal((await ask(`guess${number}`)).code, putOff)
    const [stranger, good] = [await ask('one-more'), await ask('good')]
    assert.deepEqual([good.code, good.enhanced, good.text], [450, '4.7.1', stranger.text])
    guesser.destroy()
    assert.equal((await lab.send({ to: 'good@example.test', source: '127.60.0.2' })).code, 250)
  })

test('a sender that a backend does not want teaches nothing of its users: their mail is taken while it is away', async (t) => {
  const lab = await startLab(t)
  const forged: { reply: string } = { reply: '' }
  const backend = await lab.backend({ rcpt: () => forged.reply || undefined })
  await lab.gateway({ deliver: backend, hold: {} })
  const replies = ['550 5.1.8 bad sender address', '553 5.1.7 sender rejected', '550 5.1.0 rejected', '550 spam']
  for (const [number, reply] of replies.entries()) {
    forged.reply = reply
    assert.ok((await lab.send({ to: `user${number}@example.test`, from: 'forged@sender.test' })).code >= 550)
  }
  // This one says so of the recipient.
  forged.reply = '550 5.1.1 no such user'
  assert.equal((await lab.send({ to: 'gone@example.test' })).code, 550)
  await backend.kill()
  for (const number of replies.keys()) assert.equal((await lab.send({ to: `user${number}@example.test` })).code, 250)
  assert.equal((await lab.send({ to: 'gone@example.test' })).code, 550)
})

test('nothing is learnt where a backend accepts anything, or where the configuration says who exists', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ rcpt: (to) => (to.startsWith('bad') ? '550 5.1.1 no such user' : undefined) })
  const words = { deliver: backend, hold: { unknownRecipients: 'defer' } } as const
  const gateway = await lab.gateway({
    domains: {
      'any.test': { ...words, recipients: 'any' },
      'list.test': { ...words, recipients: ['good', 'bad'] },
      'ask.test': words,
    },
  })
  for (const domain of ['any.test', 'list.test', 'ask.test']) {
    assert.equal((await lab.send({ to: `good@${domain}` })).code, 250)
    assert.equal((await lab.send({ to: `bad@${domain}` })).code, 550)
  }
  await gateway.stop()
  await backend.kill()
  // The same state, and now all are asked for: only what was learnt is known.
  await lab.gateway({ domains: { 'any.test': words, 'list.test': words, 'ask.test': words } }, { state: gateway.state })
  for (const domain of ['any.test', 'list.test'])
    for (const name of ['good', 'bad']) assert.equal((await lab.send({ to: `${name}@${domain}` })).code, 451, domain)
  assert.equal((await lab.send({ to: 'good@ask.test' })).code, 250)
  assert.equal((await lab.send({ to: 'bad@ask.test' })).code, 550)
})

test('whom a message was for is known, and so is one that was only asked for; a stranger who asks for thousands takes it from nobody', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  await lab.gateway({
    deliver: backend,
    hold: { unknownRecipients: 'defer' },
    limits: { recipients: 3_000, refusedPerMinute: 100_000 },
  })
  const ask = async (source: string, names: readonly string[]) => {
    const sender = await lab.connect({ source })
    await sender.hello()
    await sender.command('MAIL FROM:<a@sender.test>', 250)
    await sender.write(names.map((name) => `RCPT TO:<${name}@example.test>\r\n`).join(''))
    for (const _ of names) await sender.expect(250)
    await sender.command('QUIT', 221)
  }
  assert.equal((await lab.send({ to: ['bob@example.test', 'carol@example.test'] })).code, 250)
  await ask('127.60.0.1', ['probed'])
  await ask(
    '127.60.7.1',
    Array.from({ length: 300 }, (_, number) => `bob+${number}`),
  )
  await backend.kill()
  const code = async (name: string) => (await lab.send({ to: `${name}@example.test` })).code
  assert.deepEqual([await code('bob'), await code('carol'), await code('probed')], [250, 250, 250])
  assert.deepEqual([await code('bob+99'), await code('bob+100'), await code('bob+299')], [250, 451, 451])
})

test('whom held mail was delivered to is known too', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  const gateway = await lab.gateway({ deliver: backend, hold: {} }, { clock: createFastClock(20) })
  await backend.kill()
  assert.equal((await lab.send({ to: 'new@example.test' })).code, 250)
  await backend.restart()
  await lab.until(() => gateway.held() === 0)
  await gateway.stop()
  await backend.kill()
  await lab.gateway({ deliver: backend, hold: { unknownRecipients: 'defer' } }, { state: gateway.state })
  assert.equal((await lab.send({ to: 'new@example.test' })).code, 250)
  assert.equal((await lab.send({ to: 'newer@example.test' })).code, 451)
})
