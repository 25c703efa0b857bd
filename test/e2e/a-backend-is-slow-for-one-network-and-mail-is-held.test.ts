/** A backend is slow for one network alone: held mail of that network waits, and no other message of its lane does. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFastClock } from '../lab/fast-clock.ts'
import { startLab } from '../lab/lab.ts'

test('the oldest of a lane is of that network: what is behind it goes all the same, and when the slowness ends it goes too', async (t) => {
  const lab = await startLab(t)
  const clock = createFastClock(40)
  const fromMs = clock.now()
  const isSlow = () => gateway.find('backend slow for one network').length > 0
  const backend = await lab.backend({
    afterDot: ({ content }) => (String(content).includes('poison') ? 'silence' : undefined),
    rcpt: (to) => (to.startsWith('later') && !isSlow() ? '450 4.2.0 later' : undefined),
  })
  const gateway = await lab.gateway({ deliver: backend, hold: {}, onDefer: 'hold' }, { clock })
  const silent = [1, 2, 3].map((last) =>
    lab.send({ to: 'you@example.test', body: 'poison', source: `127.66.0.${last}` }),
  )
  // Its minute is over when the backend is slow, and not before.
  await lab.until(() => clock.now() - fromMs > 25_000)
  await lab.send({ to: 'later@example.test', body: 'of another network', source: '127.77.0.1' })
  await lab.until(isSlow)
  await lab.send({ to: 'you@example.test', body: 'of that network', source: '127.66.0.9' })
  assert.equal(gateway.held(), 2)

  // An answer ends the slowness; else the silent dots are given up at 270 seconds.
  await lab.until(() => gateway.held() === 0)
  const tookMs = clock.now() - fromMs
  assert.ok(tookMs < 200_000, `${tookMs} ms`)
  const last = backend.messages.slice(-2).map(({ content }) => /of (another|that) network/.exec(String(content))?.[1])
  assert.deepEqual(last, ['another', 'that'])
  await Promise.all(silent)
})
