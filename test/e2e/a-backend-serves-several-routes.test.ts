import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../lab/fake-clock.ts'
import { startLab } from '../lab/lab.ts'

test('a spare of one route that is the only one of another: its share of each is told', async (t) => {
  const lab = await startLab(t)
  const [first, second] = [await lab.backend(), await lab.backend()]
  const gateway = await lab.gateway({
    domains: {
      'example.test': { deliver: [first, { to: second, preference: 20 }] },
      'solo.test': { deliver: second },
    },
  })
  const shares = () =>
    gateway.backends().flatMap(({ url, share, shares }) => (url === second.url ? [{ share, shares }] : []))
  assert.deepEqual(shares(), [
    {
      share: 1,
      shares: [
        { route: 'example.test', share: 0 },
        { route: 'solo.test', share: 1 },
      ],
    },
  ])
  assert.equal(gateway.backends().find(({ url }) => url === first.url)?.shares, undefined)
  await gateway.setOut(first.url, true)
  assert.deepEqual(
    shares()[0]?.shares?.map(({ share }) => share),
    [1, 1],
  )
})

test('a backend that is suspect gets nothing while another of its route is up, and all where there is none', async (t) => {
  const lab = await startLab(t)
  const suspect = await lab.backend({ greeting: (_, count) => (count === 1 ? '421 4.3.2 Not now' : undefined) })
  const [equal, spare] = [await lab.backend(), await lab.backend()]
  const gateway = await lab.gateway(
    {
      domains: {
        'example.test': { deliver: [suspect, equal] },
        'spare.test': { deliver: [suspect, { to: spare, preference: 20 }] },
        'solo.test': { deliver: suspect },
      },
    },
    // No time passes, so nothing looks at it again.
    { clock: createFakeClock() },
  )
  const told = ({ url }: { readonly url: string }) => {
    const { state, share, shares } = gateway.backends().find((one) => one.url === url) ?? assert.fail()
    return [state, share, ...(shares ?? []).map((each) => each.share)]
  }
  assert.deepEqual(told(suspect), ['up', 1, 0.5, 1, 1])
  for (let message = 0; message < 2; message++) assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.deepEqual(told(suspect), ['suspect', 1, 0, 0, 1])
  assert.deepEqual(
    [told(equal), told(spare)],
    [
      ['up', 1],
      ['up', 1],
    ],
  )
  assert.equal(equal.messages.length, 2)
})
