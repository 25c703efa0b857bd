/** No backend of a route can take mail: it is kept, its sender hears 250, and it goes when one is back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFastClock } from '../lab/fast-clock.ts'
import { startLab } from '../lab/lab.ts'

test('nobody can take the message: it is held, and delivered when a backend is back', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ connect: 'refuse' })
  const gateway = await lab.gateway({ deliver: [backend], hold: {} }, { clock: createFastClock(20) })

  const sent = await lab.send({ to: 'you@example.test', body: 'keep me' })
  assert.equal(sent.code, 250, JSON.stringify(sent))
  assert.equal(gateway.held(), 1)

  await backend.restart()
  await lab.until(() => gateway.held() === 0)
  assert.equal(backend.messages.length, 1)
  assert.match(String(backend.messages[0]?.content), /keep me/)
})

test('twenty messages wait, and go in the order in which they came, once each', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  const gateway = await lab.gateway({ deliver: [backend], hold: {} }, { clock: createFastClock(20) })
  await backend.kill()
  for (let number = 0; number < 20; number++)
    assert.equal((await lab.send({ to: 'you@example.test', body: `number ${number}.` })).code, 250)
  assert.equal(gateway.held(), 20)

  await backend.restart()
  await lab.until(() => gateway.held() === 0)
  const order = backend.messages.map(({ content }) => Number(/number (\d+)\./.exec(String(content))?.[1]))
  assert.deepEqual(
    order.toSorted((a, b) => a - b),
    Array.from({ length: 20 }, (_, number) => number),
  )
  assert.ok(
    order.every((number, at) => Math.abs(number - at) <= 10),
    order.join(),
  )
})
