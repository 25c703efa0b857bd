import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Door, systemDoor } from '../../src/base/door.ts'
import { startLab } from '../lab/lab.ts'

// Before the dot has left nothing can have been delivered (RFC 5321 §4.1.1.4), so another backend may have it.
const body = `${'x'.repeat(70)}\n`

test('the backend dies after a part of the body: the second gets it whole, once', async (t) => {
  const lab = await startLab(t)
  const first = await lab.backend({ inBody: { afterBytes: 200_000, do: 'reset' } })
  const second = await lab.backend()
  await lab.gateway({ deliver: [first, { to: second, preference: 20 }] })
  // More than may be on its way when the end is heard: the dot has not left.
  const sent = await lab.send({ to: 'you@example.test', body: body.repeat(60_000) })
  assert.equal(sent.code, 250)
  assert.equal(first.messages.length, 0)
  assert.equal(second.messages.length, 1)
  assert.equal(
    second.messages[0]?.content
      .toString('latin1')
      .split('\r\n')
      .filter((line) => line === body.trim()).length,
    60_000,
  )
})

test('the backend answers 552 in the middle of the body: that is its verdict', async (t) => {
  const lab = await startLab(t)
  const first = await lab.backend({ inBody: { afterBytes: 100_000, do: { say: '552 5.3.4 Too much', and: 'close' } } })
  const second = await lab.backend()
  await lab.gateway({ deliver: [first, { to: second, preference: 20 }] })
  const sent = await lab.send({ to: 'you@example.test', body: body.repeat(60_000) })
  assert.deepEqual([sent.code, sent.enhanced], [552, '5.3.4'])
  assert.equal(second.sessions.length, 0)
})

/** A world in which the end of a message leaves only when this has come. */
const holdsDotsUntil = (ready: () => Promise<unknown>): Door => ({
  open(...target) {
    const opening = systemDoor.open(...target)
    if (opening.kind === 'forbidden') return opening
    const { socket } = opening
    const write = socket.write.bind(socket) as (chunk: Buffer | string, ...more: never[]) => boolean
    socket.write = (chunk: Buffer | string, ...more: never[]) => {
      if (String(chunk.slice(-3)) !== '.\r\n') return write(chunk, ...more)
      void ready().then(() => write(chunk, ...more))
      return true
    }
    return opening
  },
})

test('the backend dies between the last octet and the dot: the second gets it whole, once', async (t) => {
  const lab = await startLab(t)
  const message = `Subject: x\r\n\r\n${`${'x'.repeat(70)}\r\n`.repeat(6_000)}`
  const first = await lab.backend({ inBody: { afterBytes: message.length, do: 'reset' } })
  const second = await lab.backend()
  const door = holdsDotsUntil(() => lab.until(() => first.openSessions === 0))
  const gateway = await lab.gateway({ deliver: [first, { to: second, preference: 20 }] }, { door })
  const sent = await lab.send({ to: 'you@example.test', message })
  assert.equal(sent.code, 250)
  assert.deepEqual([first.sessions.length, first.messages.length, second.messages.length], [1, 0, 1])
  assert.ok(second.messages[0]?.content.toString('latin1').endsWith(message))
  assert.equal(gateway.find('outcome unknown').length, 0)
})
