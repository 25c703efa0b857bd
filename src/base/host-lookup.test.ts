import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../test/lab/fake-clock.ts'
import { steadyClock } from '../../test/lab/fast-clock.ts'
import { createHostLookup } from './host-lookup.ts'
import { parseIp } from './ip.ts'

test('the system says where a host is, and why it is nowhere', async () => {
  const lookupHost = createHostLookup(steadyClock)
  const found = await lookupHost('localhost')
  assert.ok(found.length > 0 && found.every((address) => /^(127\.|::1$)/.test(address)), found.join())
  const nowhere = createHostLookup(steadyClock, () => Promise.reject(Object.assign(new Error(), { code: 'ENOTFOUND' })))
  await assert.rejects(nowhere('nowhere.test'), { code: 'ENOTFOUND' })
})

test('a resolver that never answers is not waited for longer than 30 s', async () => {
  const clock = createFakeClock()
  let answer: (addresses: []) => void = () => assert.fail()
  const lookupHost = createHostLookup(
    clock,
    () =>
      new Promise((resolve) => {
        answer = resolve
      }),
  )
  let isOver = false
  const asked = assert.rejects(lookupHost('slow.test'), { code: 'ETIMEDOUT' }).then(() => {
    isOver = true
  })
  clock.advance(29_999)
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(isOver, false)
  clock.advance(1)
  await asked
  answer([])
})

test('an answer in time is the answer', async () => {
  const address = parseIp('192.0.2.1') ?? assert.fail()
  assert.deepEqual(await createHostLookup(createFakeClock(), async () => [address])('here.test'), [address])
})
