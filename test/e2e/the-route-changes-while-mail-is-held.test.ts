/**
 * The configuration changes while mail waits: it goes where its recipients go today. A domain that left has no route; its mail is neither bounced nor
 * sent by MX, and goes when the domain is back. What is under way while that happens is not sent twice.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { seededRandom } from '../../src/base/random.ts'
import { assertNothingLost } from '../lab/chaos.ts'
import { createFastClock, sleepOn, steadyClock } from '../lab/fast-clock.ts'
import { startLab } from '../lab/lab.ts'
import { sendMany } from '../lab/numbered.ts'
import { createOracle } from '../lab/oracle.ts'
import type { DomainWords } from '../lab/settings.ts'

test('the route leads to another backend: it gets what is held', async (t) => {
  const lab = await startLab(t)
  const [oracle, random] = [createOracle(), seededRandom(1)]
  const [old, next] = [await lab.backend({ connect: 'refuse' }), await lab.backend()]
  const gateway = await lab.gateway({ domains: { 'example.test': { deliver: old, hold: {} } } })
  await sendMany(lab, oracle, 10, random)
  assert.equal(gateway.held(), 10)
  await gateway.apply({ domains: { 'example.test': { deliver: next, hold: {} } } })
  await lab.until(() => gateway.held() === 0)
  assert.equal(next.messages.length, 10)
  assertNothingLost(await oracle.judge([old, next], gateway.queue))
})

test('the domain leaves and comes back: its mail waits without a route, and an alert says so', async (t) => {
  const lab = await startLab(t)
  const [oracle, random] = [createOracle(), seededRandom(2)]
  const backend = await lab.backend()
  const other = await lab.backend()
  const both = {
    'example.test': { deliver: backend, hold: {} },
    'other.test': { deliver: other, hold: {} },
  }
  const gateway = await lab.gateway({ domains: both }, { clock: createFastClock(20) })
  await backend.kill()
  await sendMany(lab, oracle, 3, random)
  await gateway.apply({ domains: { 'other.test': both['other.test'] } })
  await backend.restart()
  const states = async () => (await gateway.queue.list({}, 10)).messages.map(({ recipients }) => recipients[0]?.state)
  await lab.until(async () => String(await states()) === 'no-route,no-route,no-route')
  await lab.until(() => gateway.find('held mail has no route').length > 0)
  assert.equal(gateway.find('held mail has no route')[0]?.level, 'alert')
  await gateway.apply({ domains: both })
  await lab.until(() => gateway.held() === 0)
  assertNothingLost(await oracle.judge([backend, other], gateway.queue))
})

test('the routes change again and again while the hold is drained: nothing goes twice', async (t) => {
  const lab = await startLab(t)
  const [oracle, random] = [createOracle(), seededRandom(3)]
  const clock = createFastClock(5)
  const words = {
    async afterDot() {
      await sleepOn(clock, 100 * random.number())
      return undefined
    },
  }
  const [first, second] = [await lab.backend(words), await lab.backend(words)]
  const config = (...order: readonly (typeof first)[]) => ({
    // Two domains of one route: their lane stays while the other moves.
    domains: {
      'example.test': { deliver: order, hold: {} },
      'other.test': { deliver: [first], hold: {} },
    },
  })
  const gateway = await lab.gateway(config(first), { clock })
  await sendMany(lab, oracle, 1, random)
  await first.kill()
  for (let number = 0; number < 250; number++) await sendMany(lab, oracle, 1, random)
  await first.restart()
  await lab.until(() => first.messages.length > 5)
  for (let number = 0; gateway.held() > 0; number++) {
    await gateway.apply(number % 2 === 0 ? config(second, first) : config(first))
    // In the middle of it: others are under way when the next one comes.
    const before = gateway.held()
    await lab.until(() => gateway.held() < before || before === 0)
  }
  assertNothingLost(await oracle.judge([first, second], gateway.queue))
})

/** A session that begins before a reload and says its dot behind it, while nobody can be asked. */
async function acrossAReload(before: DomainWords, after: DomainWords | undefined, t: TestContext) {
  const lab = await startLab(t)
  const others = { 'other.test': { deliver: await lab.backend(), hold: {} } }
  const gateway = await lab.gateway({ domains: { ...others, 'example.test': before } })
  const sender = await lab.connect()
  await sender.hello()
  await sender.untilData('joe@sender.test', 'you@example.test')
  await gateway.apply({ domains: { ...others, ...(after && { 'example.test': after }) } })
  await sender.write('Subject: over a reload\r\n\r\n.\r\n')
  await sender.expect(250)
  return { lab, gateway }
}

test('a session is older than the configuration: what it holds goes by the way of today, at once', async (t) => {
  const lab = await startLab(t)
  const [gone, now] = [await lab.backend({ connect: 'refuse' }), await lab.backend()]
  const hold = {}
  const { gateway } = await acrossAReload(
    { deliver: now, hold, addresses: { 'you@': gone } },
    { deliver: now, hold },
    t,
  )
  // Not the half minute and more after which a lane that leads nowhere is looked at again.
  const heldMs = steadyClock.monotonicMs()
  await lab.until(() => now.messages.length === 1 && gateway.held() === 0)
  assert.ok(steadyClock.monotonicMs() - heldMs < 30_000)
})

test('a session is older than the configuration, and its route still serves others: it is not theirs', async (t) => {
  const lab = await startLab(t)
  const [first, second] = [await lab.backend({ connect: 'refuse' }), await lab.backend()]
  const [hold, addresses] = [{}, { 'somebody@': first, 'you@': first }]
  const { gateway } = await acrossAReload(
    { deliver: second, hold, addresses },
    { deliver: first, hold, addresses: { 'somebody@': first, 'you@': second } },
    t,
  )
  const heldMs = steadyClock.monotonicMs()
  await lab.until(() => second.messages.length === 1)
  assert.ok(steadyClock.monotonicMs() - heldMs < 30_000)
  await first.restart()
  await lab.until(() => gateway.held() === 0)
  assert.equal(first.messages.length, 0)
})

test('a session is older than the configuration, and the domain has left: its mail has no route, and an alert says so', async (t) => {
  const lab = await startLab(t)
  const { gateway } = await acrossAReload({ deliver: await lab.backend({ connect: 'refuse' }), hold: {} }, undefined, t)
  const state = async () => (await gateway.queue.list({}, 10)).messages[0]?.recipients[0]?.state
  await lab.until(async () => (await state()) === 'no-route')
  await lab.until(() => gateway.find('held mail has no route').length > 0)
  assert.equal(gateway.find('held mail has no route')[0]?.level, 'alert')
})
