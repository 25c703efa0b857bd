import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFastClock } from '../lab/fast-clock.ts'
import { startLab } from '../lab/lab.ts'
import { gate } from '../lab/until.ts'

test('a backend with three dots unanswered for a minute gets no more mail; when it answers one it does again', async (t) => {
  const lab = await startLab(t)
  const answers = [gate<string>(), gate<string>(), gate<string>()]
  const main = await lab.backend({ afterDot: (_message, count) => answers[count - 1]?.promise })
  const spare = await lab.backend()
  // The minute is three seconds here.
  const gateway = await lab.gateway(
    { deliver: [main, { to: spare, preference: 20 }], budgets: { dotMs: 3_600_000 } },
    { clock: createFastClock(20) },
  )
  // Of two networks.
  let sent = 0
  const send = () => lab.send({ to: 'you@example.test', source: `127.0.${10 + (sent++ % 2)}.1` })
  const stateOfMain = () => gateway.backends().find(({ url }) => url === main.url)?.state

  const waiting = [send(), send(), send()]
  await lab.until(() => main.messages.length === 3)
  assert.equal(stateOfMain(), 'up')
  await lab.until(() => stateOfMain() !== 'up')
  assert.equal(stateOfMain(), 'slow')
  await lab.until(() => gateway.find('backend state', { to: 'slow' }).length === 1)
  assert.equal((await send()).code, 250)
  assert.deepEqual([main.messages.length, spare.messages.length], [3, 1])

  // Nobody else was given what it may have; its own word is waited for.
  answers[1]?.open('250 2.0.0 after all')
  await lab.until(() => stateOfMain() === 'up')
  await lab.until(() => gateway.find('backend state', { from: 'slow', to: 'up' }).length === 1)
  assert.equal((await send()).code, 250)
  assert.deepEqual([main.messages.length, spare.messages.length], [4, 1])
  for (const answer of answers) answer.open('250 2.0.0 after all')
  assert.deepEqual(
    (await Promise.all(waiting)).map(({ code }) => code),
    [250, 250, 250],
  )
  assert.equal(spare.messages.length, 1)
})

test('where no other backend is left, a slow one makes the route out: the sender hears 451 at RCPT', async (t) => {
  const lab = await startLab(t)
  const answer = gate<string>()
  const main = await lab.backend({ afterDot: () => answer.promise })
  const gateway = await lab.gateway({ deliver: main, budgets: { dotMs: 3_600_000 } }, { clock: createFastClock(20) })
  let sent = 0
  const send = () => lab.send({ to: 'you@example.test', source: `127.0.${10 + (sent++ % 2)}.1` })
  const waiting = [send(), send(), send()]
  await lab.until(() => gateway.backends()[0]?.state === 'slow')
  const told = await send()
  assert.deepEqual([told.step, told.code], ['rcpt', 451])
  answer.open('250 2.0.0 after all')
  await Promise.all(waiting)
  assert.equal((await send()).code, 250)
})

test('three slow messages of one sender take the backend from that sender alone', async (t) => {
  const lab = await startLab(t)
  const answer = gate<string>()
  const main = await lab.backend({ afterDot: (_message, count) => (count <= 3 ? answer.promise : undefined) })
  const gateway = await lab.gateway({ deliver: main, budgets: { dotMs: 3_600_000 } }, { clock: createFastClock(20) })
  const expensive = () => lab.send({ to: 'you@example.test', source: '127.0.10.1' })
  const waiting = [expensive(), expensive(), expensive()]
  await lab.until(() => gateway.find('backend slow for one network', { network: '127.0.10.0/24' }).length === 1)
  assert.equal(gateway.backends()[0]?.state, 'up')
  assert.deepEqual([(await expensive()).code, main.messages.length], [451, 3])
  assert.equal((await lab.send({ to: 'you@example.test', source: '127.0.11.1' })).code, 250)
  // One answer to anybody, and the backend is known to work: for that sender too.
  assert.equal((await expensive()).code, 250)
  answer.open('250 2.0.0 after all')
  await Promise.all(waiting)
})
