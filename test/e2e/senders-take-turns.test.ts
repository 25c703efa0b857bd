import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFastClock, sleepOn } from '../lab/fast-clock.ts'
import { startLab } from '../lab/lab.ts'

test('senders whose recipients trickle in do not keep the sessions of a backend from others', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  const clock = createFastClock(10)
  await lab.gateway({ deliver: [{ to: backend, connections: 2 }], limits: { connectionsPerAddress: 100 } }, { clock })
  let isOver = false
  const trickle = async () => {
    const sender = await lab.connect({ source: '127.92.1.1' })
    await sender.hello()
    await sender.command('MAIL FROM:<a@sender.test>', 250)
    // Each within the second that a session waits.
    for (let count = 0; !isOver && count < 500; count++) {
      await sender.write(`RCPT TO:<you${count}@example.test>\r\n`)
      if (!(await sender.nextReply())) return
      await sleepOn(clock, 400)
    }
  }
  const tricklers = Array.from({ length: 4 }, () => trickle().catch(() => undefined))
  await lab.until(() => backend.openSessions === 2)
  const sent = await lab.send({ to: 'me@example.test', source: '127.92.2.1' })
  isOver = true
  await Promise.all(tricklers)
  assert.equal(sent.code, 250)
})
