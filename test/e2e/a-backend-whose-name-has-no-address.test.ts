import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IpAddress } from '../../src/base/ip.ts'
import { standings } from '../../src/gateway/backends/standing.ts'
import { createFastClock } from '../lab/fast-clock.ts'
import { startLab } from '../lab/lab.ts'

test('mail is held for a backend whose name is mistyped, which is told as down, and goes when the name has an address', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  let found: readonly IpAddress[] = []
  const url = `smtp://backend.example.test:${backend.port}`
  const gateway = await lab.gateway(
    { deliver: url, hold: {} },
    {
      lookupHost: async () => {
        if (found.length > 0) return found
        throw Object.assign(new Error('no such host'), { code: 'ENOTFOUND' })
      },
    },
  )
  const told = () => {
    const own = gateway.backends().filter((one) => one.url === url)
    return own.map(({ state, share, lastError }) => [state, share, lastError])
  }
  assert.deepEqual(told(), [['up', 1, null]])
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.equal(gateway.held(), 1)
  assert.deepEqual(told(), [['down', 0, 'its name has no address in DNS: ENOTFOUND']])
  // What alerts and pages go by.
  assert.equal(standings(gateway.backends()).get(url)?.serves, false)

  found = [backend.address as IpAddress]
  await lab.until(() => backend.messages.length === 1)
  await lab.until(() => gateway.held() === 0)
  assert.deepEqual(told(), [['up', 1, null]])
})

test('the name has an address again: what was held goes when anybody finds it, and not when its long pause is over', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  let found: readonly IpAddress[] = []
  const clock = createFastClock(200)
  const gateway = await lab.gateway(
    { deliver: `smtp://backend.example.test:${backend.port}`, hold: {} },
    {
      clock,
      lookupHost: async () => {
        if (found.length > 0) return found
        throw Object.assign(new Error('no such host'), { code: 'ENOTFOUND' })
      },
    },
  )
  const fromMs = clock.now()
  await lab.send({ to: 'you@example.test', body: 'held' })
  // It was tried after 1, 3 and 8 minutes, a fifth more or less, and is again after 18.
  await lab.until(() => clock.now() - fromMs > 600_000)
  found = [backend.address as IpAddress]
  await lab.send({ to: 'you@example.test', body: 'live' })
  await lab.until(() => gateway.held() === 0)
  const minutes = (clock.now() - fromMs) / 60_000
  assert.ok(minutes < 13, `${minutes}`)
})
