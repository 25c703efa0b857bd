import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'

const budgets = { sessionIdleInTransactionMs: 20 }

test('a backend that was taken out while the body came in does not get the message', async (t) => {
  const lab = await startLab(t)
  const [first, second] = [await lab.backend(), await lab.backend()]
  const gateway = await lab.gateway({ deliver: [first, { to: second, preference: 20 }], budgets })
  const sender = await lab.connect()
  await sender.hello()
  await sender.untilData('a@sender.test', 'you@example.test')
  await lab.until(() => first.commands.includes('RSET'))
  await gateway.setOut(first.url, true)
  await sender.write('Subject: x\r\n\r\nhello\r\n.\r\n')
  await sender.expect(250)
  assert.deepEqual([first.messages.length, second.messages.length], [0, 1])
})

test('a backend that came back while the body came in gets the message when the other is gone', async (t) => {
  const lab = await startLab(t)
  const [first, second] = [await lab.backend(), await lab.backend()]
  const gateway = await lab.gateway({ deliver: [first, { to: second, preference: 20 }], budgets })
  await gateway.setOut(first.url, true)
  const sender = await lab.connect()
  await sender.hello()
  await sender.untilData('a@sender.test', 'you@example.test')
  await lab.until(() => second.commands.includes('RSET'))
  await gateway.setOut(first.url, false)
  await second.kill()
  await sender.write('Subject: x\r\n\r\nhello\r\n.\r\n')
  await sender.expect(250)
  assert.deepEqual([first.messages.length, second.messages.length], [1, 0])
})

test('QUIT and FIN behind the dot of a message that goes to a file: it is delivered and answered', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  await lab.gateway({ deliver: backend, limits: { bodyMemory: 0 } })
  for (let round = 0; round < 10; round++) {
    const sender = await lab.connect()
    await sender.hello()
    await sender.untilData('a@sender.test', 'you@example.test')
    await sender.write(`Subject: x\r\n\r\n${'line\r\n'.repeat(5_000)}.\r\nQUIT\r\n`)
    sender.halfClose()
    await sender.expect(250)
    await sender.expect(221)
  }
  assert.equal(backend.messages.length, 10)
})

test('the end of the grace within DATA: the sender hears 421, and nothing is delivered', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  const gateway = await lab.gateway({ deliver: backend, budgets: { shutdownGraceMs: 50 } })
  const sender = await lab.connect()
  await sender.hello()
  await sender.untilData('a@sender.test', 'you@example.test')
  await sender.write('Subject: x\r\n')
  const stopping = gateway.stop()
  await sender.expect(421)
  await stopping
  assert.equal(backend.messages.length, 0)
})
