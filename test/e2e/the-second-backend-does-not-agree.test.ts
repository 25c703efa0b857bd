import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'

// What the first backend took and the second one refuses was promised to the sender by the first.
async function replayed(t: Parameters<typeof startLab>[0], answers: Readonly<Record<string, string>>) {
  const lab = await startLab(t)
  const first = await lab.backend({ data: 'close' })
  const second = await lab.backend({ rcpt: (address) => answers[address] })
  const gateway = await lab.gateway({ deliver: [first, { to: second, preference: 20 }] })
  const sent = await lab.send({ to: ['a@example.test', 'b@example.test'] })
  assert.deepEqual(
    sent.recipients.map(({ code }) => code),
    [250, 250],
  )
  assert.equal(first.messages.length, 0)
  return { lab, sent, first, second, gateway }
}

test('all recipients refused with 5yz at the replay: the sender hears that', async (t) => {
  const { sent, second } = await replayed(t, {
    'a@example.test': '550 5.1.1 No such user',
    'b@example.test': '550 5.1.1 No such user',
  })
  assert.deepEqual([sent.step, sent.code, sent.enhanced, sent.text], ['dot', 550, '5.1.1', 'No such user'])
  assert.equal(second.messages.length, 0)
})

test('all deferred at the replay: the sender hears the 4yz', async (t) => {
  const { sent } = await replayed(t, { 'a@example.test': '450 4.2.0 Later', 'b@example.test': '450 4.2.0 Later' })
  assert.deepEqual([sent.code, sent.enhanced], [450, '4.2.0'])
})

for (const [what, answer] of [
  ['refused', '550 5.1.1 No such user'],
  ['deferred', '450 4.2.0 Later'],
] as const) {
  test(`one of two ${what} at the replay: 451, and nobody gets the message`, async (t) => {
    const { sent, second } = await replayed(t, { 'b@example.test': answer })
    assert.deepEqual([sent.code, sent.enhanced], [451, '4.3.0'])
    assert.equal(second.messages.length, 0)
  })
}

test('one refused and the other deferred: 451', async (t) => {
  const { sent } = await replayed(t, { 'a@example.test': '550 5.1.1 No', 'b@example.test': '450 4.2.0 Later' })
  assert.deepEqual([sent.code, sent.enhanced], [451, '4.3.0'])
})

test('a third backend that takes both gets the message, although the second disagreed', async (t) => {
  const lab = await startLab(t)
  const first = await lab.backend({ data: 'close' })
  const second = await lab.backend({ rcpt: (address) => (address.startsWith('b') ? '550 5.1.1 No' : undefined) })
  const third = await lab.backend()
  await lab.gateway({ deliver: [first, { to: second, preference: 20 }, { to: third, preference: 30 }] })
  const sent = await lab.send({ to: ['a@example.test', 'b@example.test'] })
  assert.equal(sent.code, 250)
  assert.deepEqual([second.messages.length, third.messages.length], [0, 1])
})

for (const [said, code] of [
  ['550 5.7.1 sender refused by policy', 550],
  ['450 4.7.1 sender is greylisted', 450],
] as const)
  for (const [what, settings] of [
    ['nothing is held', {}],
    ['there is a hold', { hold: {} }],
  ] as const)
    test(`the sender of two recipients hears ${code} at MAIL of the replay: it is of both, and of a third (${what})`, async (t) => {
      const lab = await startLab(t)
      const backend = await lab.backend({ mail: (_, count) => (count > 1 ? said : undefined) })
      const gateway = await lab.gateway({
        deliver: backend,
        budgets: { sessionIdleInTransactionMs: 30 },
        ...settings,
      })
      const sender = await lab.connect()
      await sender.hello()
      await sender.command('MAIL FROM:<a@sender.test>', 250)
      await sender.command('RCPT TO:<one@example.test>\r\nRCPT TO:<two@example.test>', 250)
      await sender.expect(250)
      // The session is given back, and they are said again on the next one.
      await lab.until(() => backend.commands.includes('RSET'))
      await sender.command('RCPT TO:<three@example.test>', code)
      await sender.command('DATA', 354)
      const heard = await sender.command('Subject: x\r\n\r\nx\r\n.', code)
      assert.equal(`${heard.code} ${heard.enhanced} ${heard.text}`, said)
      assert.equal(backend.messages.length, 0)
      if ('hold' in settings) assert.equal(gateway.held(), 0)
    })
