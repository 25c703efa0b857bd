import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { startLab } from '../lab/lab.ts'
import { gate } from '../lab/until.ts'

// What a slow backend does not take yet must not grow in our memory.
const MiB = 1024 * 1024
const line = Buffer.from(`${'x'.repeat(1022)}\r\n`)
const block = Buffer.concat(Array.from({ length: 64 }, () => line))

/** Octets in buffers that somebody still holds. */
function liveBytes(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().arrayBuffers
}

test('50 MiB with a backend that stops reading: memory stays bounded, and the backend gets it whole', async (t) => {
  const lab = await startLab(t)
  const pause = gate()
  const backend = await lab.backend({ inBody: { afterBytes: 100_000, do: 'pause', until: pause.promise } })
  await lab.gateway({ deliver: backend })
  const sender = await lab.connect()
  await sender.hello()
  await sender.untilData('a@sender.test', 'you@example.test')
  const before = liveBytes()
  const blocks = Math.floor((50 * MiB - 1024) / block.length)
  for (let number = 0; number < blocks; number++) await sender.write(block)
  // All of it has come, none of it can be handed on: this is when it would be in memory. Buffers are swept a little behind the collection.
  const isSmall = () => liveBytes() - before < 6 * MiB
  await lab.until(isSmall)
  await sender.write('.\r\n')
  await lab.until(() => backend.sessions.some((session) => session.commands.includes('DATA')))
  await lab.until(isSmall)
  assert.equal(backend.messages.length, 0)
  pause.open()
  await sender.expect(250)
  const content = backend.messages[0]?.content
  assert.ok(content)
  const start = content.indexOf('+0000\r\n') + 7
  assert.equal(content.length - start, blocks * block.length)
  assert.ok(content.subarray(start, start + block.length).equals(block))
  assert.ok(content.subarray(-block.length).equals(block))
})

test('more than SIZE says is refused at MAIL, and at the dot where it was not declared', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  await lab.gateway({ deliver: backend, limits: { messageBytes: 100_000 } })
  const declared = await lab.send({ to: 'you@example.test', mailParameters: 'SIZE=100001' })
  assert.deepEqual([declared.step, declared.code, declared.enhanced], ['mail', 552, '5.3.4'])
  const sent = await lab.send({ to: 'you@example.test', body: `${'x'.repeat(70)}\n`.repeat(2_000) })
  assert.deepEqual([sent.step, sent.code, sent.enhanced], ['dot', 552, '5.3.4'])
  assert.equal(backend.messages.length, 0)
})
