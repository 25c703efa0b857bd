import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { steadyClock } from '../../../test/lab/fast-clock.ts'
import { until } from '../../../test/lab/until.ts'
import type { Clock } from '../../base/clock.ts'
import { createInlets } from '../../base/inlet.ts'
import { Connection, type NoMore } from './connection.ts'

/** How the octets come to the connection: by the socket's 'data', as where we accept, or by an inlet, as where we open. */
type Way = 'accepted' | 'opened'

/** A connection and the socket of its peer. */
async function pair(
  t: TestContext,
  way: Way,
  maxBuffered?: number,
  newInlet = createInlets(),
  clock: Clock = steadyClock,
): Promise<{ connection: Connection; peer: Socket }> {
  const server = createServer({ allowHalfOpen: true, noDelay: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const inlet = way === 'opened' ? newInlet() : undefined
  const opened = connect({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    noDelay: true,
    allowHalfOpen: true,
    ...(inlet ? { onread: inlet.onread } : {}),
  })
  const hasConnected = once(opened, 'connect')
  const [accepted] = (await once(server, 'connection')) as [Socket]
  await hasConnected
  const [socket, peer] = inlet ? [opened, accepted] : [accepted, opened]
  peer.on('error', () => {})
  const connection = new Connection(socket, clock, {
    inlet,
    ...(maxBuffered === undefined ? {} : { maxBuffered }),
  })
  t.after(() => {
    connection.destroy()
    peer.destroy()
    server.close()
  })
  return { connection, peer }
}

async function next(connection: Connection): Promise<Buffer | NoMore | undefined> {
  await connection.input()
  return connection.read()
}

for (const way of ['accepted', 'opened'] as const) connectionTests(way)

function connectionTests(way: Way): void {
  test(`${way}: what waits to be read is bounded, and the peer waits for the reader`, async (t) => {
    const { connection, peer } = await pair(t, way, 64 * 1024)
    const total = 32 << 20
    for (let sent = 0; sent < total; sent += 65_536) peer.write(Buffer.alloc(65_536))
    await until(() => connection.hasInput)
    let before = -1
    await until(() => {
      const isStill = peer.writableLength === before
      before = peer.writableLength
      return isStill
    })
    assert.ok(peer.writableLength > 0)
    const held = connection.discardInput()
    assert.ok(held > 0 && held < 256 * 1024, `${held} octets`)
    let received = held
    while (received < total) {
      const chunk = await next(connection)
      assert.ok(Buffer.isBuffer(chunk))
      received += chunk.length
    }
  })

  test(`${way}: many small chunks are put together`, async (t) => {
    const { connection, peer } = await pair(t, way)
    let last = 0
    for (let count = 0; count < 500; count++) {
      peer.write(Buffer.from([count & 0xff]))
      last = count & 0xff
      await new Promise((resolve) => setImmediate(resolve))
    }
    await until(() => connection.unreadTail(1) === String.fromCharCode(last))
    peer.end()
    await until(() => connection.noMore === 'ended')
    const chunks: Buffer[] = []
    for (let chunk = connection.read(); Buffer.isBuffer(chunk); chunk = connection.read()) chunks.push(chunk)
    assert.equal(Buffer.concat(chunks).length, 500)
    assert.ok(chunks.length <= 32, `${chunks.length} chunks`)
  })

  test(`${way}: the deadline ends a read once, and so does an interruption; the connection stays usable`, async (t) => {
    const { connection, peer } = await pair(t, way)
    connection.deadline.arm(20)
    assert.equal(await connection.input(), 'timeout')
    const interrupted = connection.input()
    connection.interrupt()
    assert.equal(await interrupted, 'timeout')
    peer.write('still here')
    assert.equal(String(await next(connection)), 'still here')
  })

  test(`${way}: FIN is told when it comes, what came before can be read, and a close behind it is told too`, async (t) => {
    const { connection, peer } = await pair(t, way)
    const told: string[] = []
    connection.onGone = () => void told.push('gone')
    connection.onLost = () => void told.push('lost')
    peer.end('NOOP\r\nQuit\r\n')
    await until(() => told.length > 0)
    assert.deepEqual([told, connection.noMore], [['gone'], 'ended'])
    assert.deepEqual([connection.unreadTail(6), connection.unreadTail(99)], ['Quit\r\n', 'NOOP\r\nQuit\r\n'])
    assert.equal(String(connection.read()), 'NOOP\r\nQuit\r\n')
    assert.equal(connection.read(), 'ended')
    connection.write('bye')
    const [heard] = (await once(peer, 'data')) as [Buffer]
    assert.equal(String(heard), 'bye')
    connection.end()
    await connection.closed()
    assert.deepEqual(told, ['gone', 'lost'])
  })

  test(`${way}: end sends what was written, drops what still comes, and waits for the peer to close`, async (t) => {
    const { connection, peer } = await pair(t, way, 1024)
    let heard = ''
    peer.on('data', (chunk: Buffer) => {
      heard += chunk
    })
    peer.write(Buffer.alloc(1 << 20))
    await until(() => connection.hasInput)
    connection.write('last words')
    connection.end()
    await once(peer, 'end')
    assert.equal(heard, 'last words')
    peer.end()
    await connection.closed()
    assert.equal(connection.noMore, 'lost')
  })

  test(`${way}: endNow waits for a peer that reads nothing no longer than five seconds`, async (t) => {
    const clock = createFakeClock()
    const { connection, peer } = await pair(t, way, undefined, undefined, clock)
    peer.pause()
    // More than the system takes.
    for (let sent = 0; sent < 64 && !connection.isFull; sent++) connection.write(Buffer.alloc(1 << 20))
    connection.endNow()
    clock.advance(5_001)
    await connection.closed()
  })

  test(`${way}: a reset while nobody reads is told at once`, async (t) => {
    const { connection, peer } = await pair(t, way)
    const lost = new Promise<void>((resolve) => {
      connection.onLost = resolve
    })
    peer.resetAndDestroy()
    await lost
    assert.equal(connection.read(), 'lost')
    assert.equal(connection.written(), 'lost')
  })

  test(`${way}: what is said in one turn goes out as one write, in its order with octets, and what waits goes out before the end`, async (t) => {
    const { connection, peer } = await pair(t, way)
    const heard: Buffer[] = []
    peer.on('data', (chunk) => heard.push(chunk))
    const text = () => Buffer.concat(heard).toString('latin1')
    const writes: unknown[] = []
    const { socket } = connection
    const write = socket.write.bind(socket)
    socket.write = (...args: unknown[]) => {
      writes.push(args[0])
      return (write as (...all: unknown[]) => boolean)(...args)
    }
    connection.write('one ')
    connection.write('two ')
    assert.deepEqual(writes, [], 'not before the turn ends')
    await until(() => text() === 'one two ')
    assert.deepEqual(writes, ['one two '])
    connection.write('three ')
    connection.write(Buffer.from('four '))
    connection.write('five ')
    assert.equal(await connection.written(), 'written')
    assert.deepEqual(writes.slice(1).map(String).slice(0, 3), ['three ', 'four ', 'five '])
    for (let count = 0; count < 20_000; count++) connection.write('250 2.0.0 Ok\r\n')
    assert.ok(writes.length > 10, 'a turn keeps no more than a little')
    connection.write('six')
    connection.end()
    await once(peer, 'end')
    assert.match(text(), /^one two three four five (?:250 2\.0\.0 Ok\r\n){20000}six$/)
  })

  test(`${way}: what was written is told handed when it was given to the socket, and not where it came too late`, async (t) => {
    const told: boolean[] = []
    const handed = (isHanded: boolean) => void told.push(isHanded)
    const one = await pair(t, way)
    one.connection.write('250 Ok\r\n')
    one.connection.whenHanded(handed)
    assert.deepEqual(told, [], 'it waits for the end of the turn')
    await until(() => told.length === 1)
    one.connection.whenHanded(handed)
    assert.deepEqual(told, [true, true], 'at once where nothing waits')

    const lost = await pair(t, way)
    lost.connection.write('250 Ok\r\n')
    lost.connection.whenHanded(handed)
    lost.connection.destroy()
    await until(() => told.length === 3)
    assert.equal(told[2], false)

    // The reset lies in the kernel, and no event has told of it.
    const unseen = await pair(t, way)
    await until(() => !unseen.peer.connecting)
    unseen.peer.resetAndDestroy()
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
    unseen.connection.write('250 Ok\r\n')
    unseen.connection.whenHanded(handed)
    assert.equal(unseen.connection.noMore, undefined)
    unseen.connection.flush()
    assert.equal(told[3], false)
  })
}

test('what waits to be read is not written over by what comes to others in the same room; a quick reader sees the room itself', async (t) => {
  const newInlet = createInlets()
  const [one, other] = [await pair(t, 'opened', undefined, newInlet), await pair(t, 'opened', undefined, newInlet)]
  // The one is waited for and the other not, when they come.
  const came = one.connection.input()
  one.peer.write('first of one')
  other.peer.write('first of the other')
  await until(() => other.connection.hasInput)
  assert.equal(await came, 'input')
  let seen: Buffer | NoMore | undefined
  let text = ''
  assert.equal(String(other.connection.read()), 'first of the other')
  other.connection.next((read) => {
    seen = read
    text = String(read)
  })
  other.peer.write('second of the other')
  await until(() => seen !== undefined)
  assert.equal(text, 'second of the other')
  assert.equal(String(one.connection.read()), 'first of one')
  one.peer.write('third, which is longer than all')
  await until(() => one.connection.hasInput)
  assert.equal(String(seen), 'third, which is lon')
})
