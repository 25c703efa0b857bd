import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'

// `balance: least-connections`
test('least-connections: while one backend is slow, the other gets what comes', async (t) => {
  const lab = await startLab(t)
  const backends = [await lab.backend(), await lab.backend()] as const
  await lab.gateway({ deliver: backends, balance: 'least-connections' })
  backends[0].change({ afterDot: 'silence' })
  backends[1].change({ afterDot: 'silence' })
  const first = lab.send({ to: 'you@example.test' })
  await lab.until(() => backends.some(({ messages }) => messages.length === 1))
  const [slow, quick] = backends[0].messages.length === 1 ? backends : ([backends[1], backends[0]] as const)
  quick.change({ afterDot: undefined })
  for (let message = 0; message < 6; message++) assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.deepEqual([slow.messages.length, quick.messages.length], [1, 6])
  slow.say('250 2.0.0 taken')
  assert.equal((await first).code, 250)
})

test('round-robin, the default, does not look at the load', async (t) => {
  const lab = await startLab(t)
  const [slow, quick] = [await lab.backend({ afterDot: 'silence' }), await lab.backend()]
  await lab.gateway({ deliver: [slow, quick] })
  const all = Array.from({ length: 6 }, () => lab.send({ to: 'you@example.test' }))
  await lab.until(() => slow.messages.length === 3 && quick.messages.length === 3)
  slow.say('250 2.0.0 taken')
  for (const sent of await Promise.all(all)) assert.equal(sent.code, 250)
})

test('an idle tier shares evenly under least-connections', async (t) => {
  const lab = await startLab(t)
  const backends = [await lab.backend(), await lab.backend(), await lab.backend()]
  await lab.gateway({ deliver: backends, balance: 'least-connections' })
  for (let message = 0; message < 9; message++) assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.deepEqual(
    backends.map(({ messages }) => messages.length),
    [3, 3, 3],
  )
})
