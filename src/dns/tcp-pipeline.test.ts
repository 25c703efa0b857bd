import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createFakeClock } from '../../test/lab/fake-clock.ts'
import { steadyClock } from '../../test/lab/fast-clock.ts'
import { until } from '../../test/lab/until.ts'
import type { Clock } from '../base/clock.ts'
import { systemDoor } from '../base/door.ts'
import type { IpAddress } from '../base/ip.ts'
import { systemRandom } from '../base/random.ts'
import { encodeQuery } from './message.ts'
import { parseName } from './name.ts'
import { Frames } from './tcp-conversation.ts'
import { type PipelineOutcome, TcpPipeline } from './tcp-pipeline.ts'
import { typeCodes } from './types.ts'
import { nameFromHost } from './wire-name.ts'

const deps = { clock: steadyClock, random: systemRandom, door: systemDoor }

/** A server that hands each query to the test, by connection. */
async function startServer(
  t: TestContext,
  heard: (query: Buffer, socket: Socket, connection: number) => void,
  clock: Clock = steadyClock,
) {
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer((socket) => {
    sockets.add(socket)
    const connection = ++connections
    const frames = new Frames()
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      frames.push(chunk)
      for (let query = frames.shift(); query; query = frames.shift()) heard(Buffer.from(query), socket, connection)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const bound = server.address()
  const port = bound !== null && typeof bound === 'object' ? bound.port : 0
  const pipeline = new TcpPipeline({ address: '127.0.0.1' as IpAddress, port }, { ...deps, clock })
  t.after(() => pipeline.close())
  return { pipeline, connections: () => connections }
}

function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(message.length)
  return Buffer.concat([length, message])
}

function answerTo(query: Buffer): Buffer {
  const message = Buffer.from(query)
  message[2] = (message[2] ?? 0) | 0x80
  return framed(message)
}

function ask(pipeline: TcpPipeline, text: string, timeoutMs = 5000) {
  const parsed = parseName(text)
  assert.ok(parsed.kind === 'name')
  const name = nameFromHost(parsed.name)
  const query = encodeQuery(name, typeCodes.MX, undefined)
  return new Promise<PipelineOutcome>((resolve) => pipeline.ask(query, 12 + name.length + 4, timeoutMs, resolve))
}

test('a thousand questions over one connection, answered backwards, octet by octet at times', async (t) => {
  const held: Buffer[] = []
  const { pipeline, connections } = await startServer(t, (query, socket) => {
    held.push(query)
    if (held.length < 1000) return
    const all = Buffer.concat(held.toReversed().map(answerTo))
    for (const octet of all.subarray(0, 300)) socket.write(Uint8Array.of(octet))
    socket.write(all.subarray(300))
  })
  const names = Array.from({ length: 1000 }, (_, index) => `d${index}.example`)
  const outcomes = await Promise.all(names.map((name) => ask(pipeline, name)))
  outcomes.forEach((outcome, index) => {
    assert.ok(outcome.kind === 'message')
    assert.ok(outcome.bytes.includes(`d${index}`), 'each has the answer to its own question')
  })
  assert.equal(connections(), 1)
  assert.equal(new Set(held.map((query) => query.readUInt16BE(0))).size, 1000)
})

test('a server that closes after some answers is asked for the rest over a new connection', async (t) => {
  const answered = new Map<number, number>()
  const { pipeline, connections } = await startServer(t, (query, socket, connection) => {
    const count = (answered.get(connection) ?? 0) + 1
    answered.set(connection, count)
    if (count <= 3) socket.write(answerTo(query))
    if (count === 3) socket.end()
  })
  const outcomes = await Promise.all(Array.from({ length: 9 }, (_, index) => ask(pipeline, `d${index}.example`)))
  assert.deepEqual(new Set(outcomes.map(({ kind }) => kind)), new Set(['message']))
  assert.equal(connections(), 3)
})

test('a server that will not have it is left in peace, at once', async (t) => {
  const { pipeline, connections } = await startServer(t, (_, socket) => socket.destroy())
  const outcomes = await Promise.all([ask(pipeline, 'a.example'), ask(pipeline, 'b.example')])
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    ['unusable', 'unusable'],
  )
  assert.equal(pipeline.isUsable, false)
  assert.equal(connections(), 1)
})

test('a server that answers one question a connection is not sent all the others again and again', async (t) => {
  const { pipeline, connections } = await startServer(t, (query, socket) => void socket.end(answerTo(query)))
  const outcomes = await Promise.all(Array.from({ length: 50 }, (_, index) => ask(pipeline, `d${index}.example`)))
  assert.equal(outcomes.filter(({ kind }) => kind === 'message').length, 1)
  assert.equal(outcomes.filter(({ kind }) => kind === 'unusable').length, 49)
  assert.equal(connections(), 1)
})

test('an answer to another question ends the connection and reaches nobody', async (t) => {
  const { pipeline } = await startServer(t, (query, socket) => {
    const forged = answerTo(query)
    forged.write('x', 2 + 13, 'latin1')
    socket.write(forged)
  })
  assert.deepEqual(await ask(pipeline, 'abc.example'), { kind: 'unusable' })
})

test('silence ends at its time: of a server that has answered it is a timeout, of another nothing is said', async (t) => {
  let count = 0
  const { pipeline } = await startServer(t, (query, socket) => {
    if (count++ === 0) socket.write(answerTo(query))
  })
  assert.equal((await ask(pipeline, 'a.example')).kind, 'message')
  assert.equal((await ask(pipeline, 'b.example', 50)).kind, 'timeout')
  const mute = await startServer(t, () => {})
  assert.equal((await ask(mute.pipeline, 'a.example', 50)).kind, 'unusable')
})

test('a few more questions behind many are held back a moment, many more or the first ones are not', async (t) => {
  let heard = 0
  const clock = createFakeClock()
  const { pipeline } = await startServer(t, () => heard++, clock)
  const asked: Promise<PipelineOutcome>[] = []
  const askMore = (count: number) => {
    for (let index = 0; index < count; index++) asked.push(ask(pipeline, `d${asked.length}.example`))
  }
  askMore(1)
  await until(() => heard === 1, 60_000, 'one went at once')
  askMore(99)
  await until(() => heard === 100, 60_000, 'so did many')
  askMore(10)
  await new Promise((resolve) => setImmediate(resolve))
  askMore(10)
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(heard, 100)
  clock.advance(2)
  await until(() => heard === 120, 60_000, 'the few went when the moment was over')
  askMore(10)
  await new Promise((resolve) => setImmediate(resolve))
  askMore(50)
  await until(() => heard === 180, 60_000, 'with many more they go at once')
  pipeline.close()
  assert.ok((await Promise.all(asked)).every(({ kind }) => kind === 'unusable'))
})
