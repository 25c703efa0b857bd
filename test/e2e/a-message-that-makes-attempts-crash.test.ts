/** A fault of our own that one message brings to light: it is tried three times and set aside, and nothing waits for it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFastClock } from '../lab/fast-clock.ts'
import { startLab } from '../lab/lab.ts'

test('a message that makes an attempt crash is set aside after three, with its error, and blocks nothing', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ connect: 'refuse' })
  const gateway = await lab.gateway({ deliver: [backend], hold: {} }, { clock: createFastClock(40) })
  for (const number of [0, 1, 2, 3, 4])
    assert.equal((await lab.send({ to: 'you@example.test', body: `number ${number}.` })).code, 250)
  const [first] = (await gateway.queue.list({}, 1)).messages
  const poison = first?.message.id ?? assert.fail()
  // Deferred before, more often than a crash is forgiven: that is no crash.
  for (const atMs of [1, 2, 3])
    await gateway.queue.settle({
      id: poison,
      recipients: [{ index: 0, to: { kind: 'ready' } }],
      attempt: { atMs, backend: backend.url, outcome: 'deferred', text: '450 later', recipients: 1 },
    })
  const read = gateway.queue.body
  let crashes = 0
  gateway.queue.body = async (id) => {
    if (id !== poison) return read(id)
    crashes++
    throw new TypeError(`a fault \x1b[31m of ours`)
  }

  await backend.restart()
  await lab.until(() => gateway.held() === 1)
  assert.equal(backend.messages.length, 4)
  await lab.until(() => gateway.find('held message set aside').length === 1)
  assert.equal(crashes, 3)
  await lab.until(async () => (await gateway.queue.get(poison))?.recipients[0]?.state === 'set-aside')
  const entry = await gateway.queue.get(poison)
  assert.deepEqual(
    entry?.attempts.slice(3).map(({ outcome, text }) => [outcome, text]),
    Array.from({ length: 3 }, () => ['failed', 'TypeError: a fault \\x1b[31m of ours']),
  )

  gateway.queue.body = read
  const operations = gateway.heldMail?.operations ?? assert.fail()
  const all = await operations.act('retry', {}, undefined)
  assert.equal('messages' in all && all.messages, 0)
  const named = await operations.act('retry', { ids: [poison] }, undefined)
  assert.equal('messages' in named && named.messages, 1)
  await lab.until(() => gateway.held() === 0)
  assert.match(String(backend.messages[4]?.content), /number 0\./)
})
