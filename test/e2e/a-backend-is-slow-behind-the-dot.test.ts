import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFastClock } from '../lab/fast-clock.ts'
import { startLab } from '../lab/lab.ts'
import { gate } from '../lab/until.ts'

// SEMANTICS.md §3: three transactions over 60 s behind the dot, and none answered meanwhile
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
  const send = () => lab.send({ to: 'you@example.test' })
  const stateOfMain = () => gateway.backends().find(({ url }) => url === main.url)?.state

  const waiting = [send(), send(), send()]
  await lab.until(() => main.messages.length === 3)
  assert.equal(stateOfMain(), 'up')
  await lab.until(() => stateOfMain() !== 'up')
  assert.equal(stateOfMain(), 'slow')
  assert.equal((await send()).code, 250)
  assert.deepEqual([main.messages.length, spare.messages.length], [3, 1])

  // Nobody else was given what it may have; its own word is waited for.
  answers[1]?.open('250 2.0.0 after all')
  await lab.until(() => stateOfMain() === 'up')
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
  const send = () => lab.send({ to: 'you@example.test' })
  const waiting = [send(), send(), send()]
  await lab.until(() => gateway.backends()[0]?.state === 'slow')
  const sent = await send()
  assert.deepEqual([sent.step, sent.code], ['rcpt', 451])
  answer.open('250 2.0.0 after all')
  await Promise.all(waiting)
  assert.equal((await send()).code, 250)
})
