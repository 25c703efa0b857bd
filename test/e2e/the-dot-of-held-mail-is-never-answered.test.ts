/** A backend says nothing behind the dot of a held message: that message waits for its word, and nothing else of its lane does. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFastClock } from '../lab/fast-clock.ts'
import { startLab } from '../lab/lab.ts'
import type { BackendWords } from '../lab/words.ts'

/** It never answers what says so. */
const silentAtPoison: BackendWords = {
  connect: 'refuse',
  afterDot: ({ content }) => (String(content).includes('poison') ? 'silence' : undefined),
}

test('the first of a lane: what is behind it goes half a minute later', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend(silentAtPoison)
  const clock = createFastClock(60)
  const gateway = await lab.gateway({ deliver: backend, hold: {} }, { clock })
  for (const body of ['poison', ...Array.from({ length: 9 }, () => 'fine')])
    await lab.send({ to: 'you@example.test', body })
  await backend.restart()
  await lab.until(() => backend.messages.length === 1)
  const fromMs = clock.now()
  await lab.until(() => gateway.held() === 1)
  const tookMs = clock.now() - fromMs
  assert.ok(tookMs < 120_000, `${tookMs} ms`)
  assert.equal(backend.messages.filter(({ content }) => String(content).includes('poison')).length, 1)
})

test('what a backend has put off meanwhile is tried when its minute is over', async (t) => {
  const lab = await startLab(t)
  let asked = 0
  const backend = await lab.backend({
    ...silentAtPoison,
    rcpt: (to) => (to.startsWith('later') && asked++ === 0 ? '450 4.2.0 later' : undefined),
  })
  const clock = createFastClock(60)
  const gateway = await lab.gateway({ deliver: backend, hold: {} }, { clock })
  for (const body of ['fine', 'fine', 'fine', 'poison']) await lab.send({ to: 'you@example.test', body })
  await lab.send({ to: 'later@example.test', body: 'fine' })
  await backend.restart()
  await lab.until(() => asked === 1)
  const fromMs = clock.now()
  await lab.until(() => gateway.held() === 1)
  const tookMs = clock.now() - fromMs
  assert.ok(tookMs < 180_000, `${tookMs} ms`)
})

test('of every message from now on: what it has been handed already, a few more, and not all that is held', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend(silentAtPoison)
  const gateway = await lab.gateway(
    { deliver: [{ to: backend, connections: 100 }], hold: {} },
    { clock: createFastClock(60) },
  )
  for (let number = 1; number <= 10; number++) await lab.send({ to: 'you@example.test', body: 'fine' })
  for (let number = 1; number <= 40; number++)
    await lab.send({ to: 'you@example.test', body: 'poison', source: `127.${number}.0.1` })
  await backend.restart()
  await lab.until(() => gateway.backends()[0]?.state === 'slow')
  await lab.until(() => gateway.find('drain waits').length > 0)
  // Eleven at once when it fell silent.
  const silent = backend.messages.filter(({ content }) => String(content).includes('poison')).length
  assert.ok(silent >= 3 && silent <= 15, `${silent}`)
  assert.equal(gateway.held(), 40)
})

test('a person lets another one of its lane go: it goes at once', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend(silentAtPoison)
  const clock = createFastClock(2)
  const gateway = await lab.gateway({ deliver: backend, hold: {} }, { clock })
  const act = gateway.heldMail?.operations.act ?? assert.fail('nothing is held')
  await lab.send({ to: 'kept@example.test', body: 'fine' })
  await act('hold', {}, undefined)
  for (const body of ['fine', 'fine', 'fine', 'poison']) await lab.send({ to: 'you@example.test', body })
  await backend.restart()
  await lab.until(() => backend.messages.length === 4)
  await lab.until(() => gateway.held() === 2)
  const fromMs = clock.now()
  await act('release', {}, undefined)
  await lab.until(() => gateway.held() === 1)
  assert.ok(clock.now() - fromMs < 15_000)
  assert.equal(backend.messages.length, 5)
})
