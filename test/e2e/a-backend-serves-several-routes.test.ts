import assert from 'node:assert/strict'
import { test } from 'node:test'
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
