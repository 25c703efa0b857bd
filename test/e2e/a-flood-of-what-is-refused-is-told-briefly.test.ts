/** The disk under the log is not the flooder's; what became of a message that came in whole and in order is told all the same. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'

const most = 3

test('messages that are refused as they come in, and sessions of other protocols: their first lines, then how many more', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  const gateway = await lab.gateway({ deliver: backend, limits: { refusedPerMinute: most } })
  const sender = await lab.connect()
  await sender.hello()
  for (let number = 0; number < 10; number++) {
    await sender.untilData('a@sender.test', 'you@example.test')
    await sender.write('a bare\rCR\r\n.\r\n')
    assert.equal((await sender.reply()).code, 554)
    // An honest message between them: errors are forgiven behind it.
    await sender.untilData('a@sender.test', 'you@example.test')
    await sender.write('honest\r\n.\r\n')
    assert.equal((await sender.reply()).code, 250)
  }
  sender.destroy()
  for (let number = 0; number < 5; number++) {
    const other = await lab.connect()
    await other.reply()
    await other.write('GET / HTTP/1.1\r\n')
    await other.closed()
  }
  assert.equal(gateway.find('message refused').length, most)
  assert.equal(gateway.find('smtp session refused').length, most)
  assert.equal(gateway.find('delivered').length, 10)
  await gateway.stop()
  const more = gateway.find('more was refused').map(({ fields }) => fields)
  assert.deepEqual(more, [{ client: '127.0.0.1', messages: 7, commands: 0, sessions: 2, withinSeconds: 60 }])
})

for (const [event, level, rcpt] of [
  ['backend refuses us', 'alert', '554 5.7.1 Relay access denied'],
  ['backend cannot take it', 'info', '452 4.3.1 Insufficient system storage'],
] as const)
  test(`a backend says ${rcpt} to every recipient: "${event}" is told at once, and then how often`, async (t) => {
    const lab = await startLab(t)
    const backend = await lab.backend({ rcpt })
    const gateway = await lab.gateway({ deliver: backend })
    const sender = await lab.connect()
    await sender.hello()
    await sender.command('MAIL FROM:<a@sender.test>', 250)
    for (let number = 0; number < 30; number++) await sender.command(`RCPT TO:<u${number}@example.test>`, 451)
    const told = () => gateway.find(event).map(({ level, fields }) => [level, fields.step, fields.more])
    assert.deepEqual(told(), [[level, 'rcpt', undefined]])
    await gateway.stop()
    assert.deepEqual(told()[1], [level, 'rcpt', 29])
  })

test('every message that came in whole has its line, also where a backend refuses them all', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ afterDot: '554 5.7.1 no' })
  const gateway = await lab.gateway({ deliver: backend, limits: { refusedPerMinute: most } })
  for (let number = 0; number < 10; number++) assert.equal((await lab.send({ to: 'you@example.test' })).code, 554)
  assert.equal(gateway.find('refused').length, 10)
})
