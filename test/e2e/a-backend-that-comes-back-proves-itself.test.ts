import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../lab/fake-clock.ts'
import { createFastClock } from '../lab/fast-clock.ts'
import { startLab } from '../lab/lab.ts'

// A backend that has just come back may fall again, so its share grows with what it delivers.
test('a better tier that comes back gets mail from its first `up`, with a share that grows over three messages', async (t) => {
  const lab = await startLab(t)
  const [main, spare] = [await lab.backend(), await lab.backend()]
  // The probe’s second is 50 ms here.
  const gateway = await lab.gateway({ deliver: [main, { to: spare, preference: 20 }] }, { clock: createFastClock(20) })
  const send = () => lab.send({ to: 'you@example.test' })
  const stateOfMain = () => gateway.backends().find(({ url }) => url === main.url)?.state
  assert.equal((await send()).code, 250)
  assert.deepEqual([main.messages.length, spare.messages.length], [1, 0])

  await main.kill()
  for (let message = 0; message < 3; message++) assert.equal((await send()).code, 250)
  assert.equal(spare.messages.length, 3)
  assert.equal(stateOfMain(), 'down')

  await main.restart()
  await lab.until(() => stateOfMain() === 'up')
  const went: string[] = []
  while (went.filter((to) => to === 'main').length < 3) {
    const before = main.messages.length
    assert.equal((await send()).code, 250)
    went.push(main.messages.length > before ? 'main' : 'spare')
    assert.ok(went.length < 20, went.join())
  }
  // A quarter of the mail until the first message, then half, then three quarters.
  assert.deepEqual(went, ['spare', 'spare', 'spare', 'main', 'spare', 'main', 'spare', 'main'])
  for (let message = 0; message < 8; message++) assert.equal((await send()).code, 250)
  assert.equal(main.messages.length, 1 + 3 + 8)
})

test('a member of a tier that comes back gets less than its share at first', async (t) => {
  const lab = await startLab(t)
  const [one, other] = [await lab.backend(), await lab.backend()]
  const gateway = await lab.gateway({ deliver: [one, other] }, { clock: createFastClock(20) })
  const send = () => lab.send({ to: 'you@example.test' })
  await one.kill()
  for (let message = 0; message < 4; message++) assert.equal((await send()).code, 250)
  assert.equal(other.messages.length, 4)
  await one.restart()
  await lab.until(() => gateway.backends().every(({ state }) => state === 'up'))
  for (let message = 0; message < 4; message++) assert.equal((await send()).code, 250)
  assert.ok(one.messages.length <= 1, String(one.messages.length))
  while (one.messages.length < 3) assert.equal((await send()).code, 250)
  const before = one.messages.length
  for (let message = 0; message < 10; message++) assert.equal((await send()).code, 250)
  assert.ok(Math.abs(one.messages.length - before - 5) <= 1, String(one.messages.length - before))
})

test('mail never tries what is down: one refused connection, and the probe is the only visitor', async (t) => {
  const lab = await startLab(t)
  const [main, spare] = [await lab.backend({ greeting: '554 5.3.2 not now' }), await lab.backend()]
  // No time passes, so no probe comes.
  const gateway = await lab.gateway({ deliver: [main, { to: spare, preference: 20 }] }, { clock: createFakeClock() })
  for (let message = 0; message < 10; message++) assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  // Three failures in a row make it down; suspect ones stand behind the tier that is up.
  assert.ok(main.sessions.length <= 3, String(main.sessions.length))
  assert.notEqual(gateway.backends()[0]?.state, 'up')
  assert.equal(spare.messages.length, 10)
})

test('a backend that failed once, while another takes its mail, is looked at and gets its share again', async (t) => {
  const lab = await startLab(t)
  const once = await lab.backend({ greeting: (_, count) => (count === 1 ? '421 4.3.2 Not now' : undefined) })
  const gateway = await lab.gateway({ deliver: [once, await lab.backend()] }, { clock: createFastClock(20) })
  for (let message = 0; message < 2; message++) assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.equal(gateway.find('backend state', { to: 'suspect' }).length, 1)
  await lab.until(() => gateway.backends().every(({ state }) => state === 'up'))
  for (let message = 0; message < 2; message++) assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.equal(once.messages.length, 1)
})

test('the backend of the postmaster is tried again as any other', async (t) => {
  const lab = await startLab(t)
  const postmaster = await lab.backend()
  const gateway = await lab.gateway(
    { deliver: 'maildir:/nowhere', postmaster: [postmaster] },
    { clock: createFastClock(20) },
  )
  await postmaster.kill()
  assert.equal((await lab.send({ to: 'postmaster' })).code, 451)
  const state = () => gateway.backends().find(({ url }) => url === postmaster.url)?.state
  assert.equal(state(), 'down')
  await postmaster.restart()
  await lab.until(() => state() === 'up')
  assert.equal((await lab.send({ to: 'postmaster' })).code, 250)
})

test('a backend that went down, left the configuration and was declared again is tried again', async (t) => {
  const lab = await startLab(t)
  const [main, spare] = [await lab.backend(), await lab.backend()]
  const clock = createFastClock(20)
  const gateway = await lab.gateway({ deliver: [main, spare] }, { clock })
  await main.kill()
  for (let message = 0; message < 2; message++) assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.equal(gateway.backends().find(({ url }) => url === main.url)?.state, 'down')
  await gateway.apply({ deliver: spare })
  await main.restart()
  // Its next probe, due within two seconds, finds that nobody wants it any more.
  const forgottenMs = clock.monotonicMs() + 4_000
  await lab.until(() => clock.monotonicMs() > forgottenMs)
  await gateway.apply({ deliver: [main, spare] })
  await lab.until(() => gateway.backends().find(({ url }) => url === main.url)?.state === 'up')
})
