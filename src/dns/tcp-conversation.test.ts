import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { openBlackHole } from '../../test/lab/black-hole.ts'
import { steadyClock } from '../../test/lab/fast-clock.ts'
import { freeAddress } from '../../test/lab/loopback.ts'
import { labAddress } from '../../test/lab/names.ts'
import { type Answering, framed, startTcpServer } from '../../test/lab/tcp-server.ts'
import { type Door, systemDoor } from '../base/door.ts'
import type { NameServer } from './servers.ts'
import { type ConversationEnd, converseOverTcp, Frames } from './tcp-conversation.ts'

const message = Buffer.from('question')

interface Held {
  readonly end: ConversationEnd
  readonly heard: readonly string[]
}

async function converse(server: NameServer, enough: number, timeoutMs = 5_000, door: Door = systemDoor): Promise<Held> {
  const heard: string[] = []
  const take = (bytes: Buffer) => (heard.push(bytes.toString('latin1')) < enough ? 'more' : 'enough')
  const open = new Set<() => void>()
  const conversation = { server, message, timeoutMs, purpose: 'publisher', take, open } as const
  const end = await converseOverTcp(conversation, { clock: steadyClock, door })
  assert.equal(open.size, 0)
  return { end, heard }
}

const withServer = async (t: TestContext, answer: Answering, enough: number, timeoutMs?: number): Promise<Held> =>
  converse((await startTcpServer(t, answer)).server, enough, timeoutMs)

test('several messages in one piece, an empty one among them, and no more than are wanted', async (t) => {
  const all = Buffer.concat(['one', '', 'three', 'four'].map((text) => framed(Buffer.from(text))))
  const { end, heard } = await withServer(t, (_asked, _say, socket) => socket.write(all), 3)
  assert.deepEqual([end, heard], [{ kind: 'done' }, ['one', '', 'three']])
})

test('one message in many pieces, its length among them, and the largest there can be', async (t) => {
  const large = 'x'.repeat(65_535)
  const { heard } = await withServer(
    t,
    (asked, say, socket) => {
      for (const octet of framed(asked)) socket.write(Buffer.of(octet))
      say(Buffer.from(large))
    },
    2,
  )
  assert.equal(heard[0], 'question')
  assert.ok(heard[1] === large)
})

test('a connection that ends or falls silent, with half a message said', async (t) => {
  const half = framed(Buffer.from('answer')).subarray(0, 5)
  const gone = await withServer(t, (_asked, _say, socket) => socket.end(half), 1)
  assert.deepEqual(gone, { end: { kind: 'lost', isSent: true, code: 'closed' }, heard: [] })
  const silent = await withServer(t, (_asked, _say, socket) => socket.write(half), 1, 150)
  assert.deepEqual(silent, { end: { kind: 'timeout', isSent: true }, heard: [] })
})

test('what was never sent is told as that: nobody answers, nobody listens, the door is shut', async (t) => {
  const address = labAddress(freeAddress())
  const hole = await openBlackHole(address)
  t.after(() => hole.close())
  assert.deepEqual((await converse({ address, port: hole.port }, 1, 150)).end, { kind: 'timeout', isSent: false })
  const { server } = await startTcpServer(t, () => undefined)
  assert.deepEqual((await converse({ ...server, port: 1 }, 1)).end, {
    kind: 'lost',
    isSent: false,
    code: 'ECONNREFUSED',
  })
  const shut: Door = { open: () => ({ kind: 'forbidden', why: 'it is a test' }) }
  assert.deepEqual((await converse(server, 1, 100, shut)).end, { kind: 'lost', isSent: false, code: 'forbidden' })
})

test('messages come whole however their octets are cut', () => {
  const message = fc.uint8Array({ maxLength: 700 }).map((octets) => Buffer.from(octets))
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 8 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 900 })),
      (sent, cuts) => {
        const stream = Buffer.concat(sent.flatMap((one) => [Buffer.of(one.length >> 8, one.length & 255), one]))
        const frames = new Frames()
        const heard: Buffer[] = []
        for (let at = 0; at < stream.length; ) {
          const length = cuts.next().value
          frames.push(stream.subarray(at, at + length))
          at += length
          for (let next = frames.shift(); next; next = frames.shift()) heard.push(next)
        }
        assert.deepEqual(heard, sent)
        assert.equal(frames.shift(), undefined)
      },
    ),
  )
})
