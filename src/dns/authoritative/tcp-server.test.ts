import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { askTcp, framed, question } from '../../../test/lab/ask.ts'
import { authorityDefaults, startAuthority } from '../../../test/lab/authority.ts'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { steadyClock } from '../../../test/lab/fast-clock.ts'
import { freeAddress } from '../../../test/lab/loopback.ts'
import { until } from '../../../test/lab/until.ts'
import { zoneOf } from '../../../test/lab/zone-lines.ts'
import type { IpAddress } from '../../base/ip.ts'
import { silentLog } from '../../base/log.ts'
import { createTcpServer } from './tcp-server.ts'
import type { AnswerCounts } from './write-answer.ts'

const soa = '@ SOA ns1.example.test. hostmaster.example.test. 5 14400 3600 604800 300'
const example = zoneOf('example.test.', `${soa}\n@ NS ns1\nns1 A 192.0.2.53\n@ MX 10 mx1\nmx1 A 192.0.2.1`)
const mx = question('example.test.', 'MX')

test('one connection with many questions leaves others their turn', async (t) => {
  let answered = 0
  let inTurn = 0
  let mostInTurn = 0
  const overTcp = (query: Uint8Array, _: string, out: Buffer) => {
    answered++
    // Set before the server asks for its own next turn, so that this runs before it.
    if (++inTurn === 1)
      setImmediate(() => {
        mostInTurn = Math.max(mostInTurn, inTurn)
        inTurn = 0
      })
    out.set(query)
    return query.length
  }
  const server = createTcpServer(
    [{ address: freeAddress() as IpAddress, port: 0 }],
    { connections: 10, connectionsPerClient: 10, questionsPerSecond: 0, idleMs: 60_000 },
    {
      answerer: { overUdp: () => 0, overTcp, counts: {} as AnswerCounts },
      transfers: { begin: () => undefined, stop() {} },
      isSecondary: () => false,
      isExempt: () => false,
      ...{ clock: steadyClock, log: silentLog },
    },
  )
  await server.start()
  t.after(() => server.stop())
  const [bound] = server.bound
  assert.ok(bound)
  const tcp = askTcp(bound)
  tcp.write(Buffer.concat(Array.from({ length: 1_000 }, () => framed(question('example.test.', 'MX')))))
  for (let index = 0; index < 1_000; index++) await tcp.next()
  await until(() => inTurn === 0)
  tcp.socket.destroy()
  assert.equal(answered, 1_000)
  assert.ok(mostInTurn <= 50, String(mostInTurn))
})

test('when all connections are taken the idlest makes room, and never a secondary', async (t) => {
  const overTcp = (query: Uint8Array, _: string, out: Buffer) => {
    out.set(query)
    return query.length
  }
  const clock = createFakeClock()
  const server = createTcpServer(
    [{ address: freeAddress() as IpAddress, port: 0 }],
    { connections: 3, connectionsPerClient: 3, questionsPerSecond: 0, idleMs: 60_000 },
    {
      answerer: { overUdp: () => 0, overTcp, counts: {} as AnswerCounts },
      transfers: { begin: () => undefined, stop() {} },
      isSecondary: (address) => address === '127.0.0.3',
      isExempt: () => false,
      ...{ clock, log: silentLog },
    },
  )
  await server.start()
  t.after(() => server.stop())
  const [bound] = server.bound
  assert.ok(bound)
  const gone: string[] = []
  const open = async (name: string, localAddress: string) => {
    clock.advance(100)
    const socket = connect({ host: bound.address, port: bound.port, localAddress })
    t.after(() => socket.destroy())
    socket.on('error', () => undefined).once('close', () => gone.push(name))
    const ask = async () => {
      clock.advance(100)
      socket.write(framed(question('example.test.', 'MX')))
      await once(socket, 'data')
    }
    await ask()
    return ask
  }
  await open('secondary', '127.0.0.3')
  const first = await open('first', '127.0.0.4')
  await open('second', '127.0.0.5')
  await first()
  await open('third', '127.0.0.6')
  await until(() => gone.length === 1)
  await open('fourth', '127.0.0.7')
  await until(() => gone.length === 2)
  assert.deepEqual(gone, ['second', 'first'])
  assert.equal(server.connections, 3)
})

test('one client asks over TCP at a bounded pace, over all of its connections, and loses nothing; others do not wait for it', async (t) => {
  const clock = createFakeClock()
  const tcp = { ...authorityDefaults.tcp, questionsPerSecond: 10 }
  const secondaries = [{ server: { address: '127.0.0.3' as IpAddress, port: 53 }, key: undefined }]
  const server = await startAuthority(t, [example], { tcp, secondaries }, { clock })
  const asked = (count: number) => Buffer.concat(Array.from({ length: count }, () => framed(mx)))
  const answered = () => server.authority.statistics.answers.positive
  const [one, two] = [askTcp(server, '127.0.0.4'), askTcp(server, '127.0.0.4')]
  one.write(asked(8))
  for (let count = 0; count < 8; count++) await one.next()
  two.write(asked(8))
  for (let count = 0; count < 2; count++) await two.next()
  for (const free of [askTcp(server, '127.0.0.5'), askTcp(server, '127.0.0.3')]) {
    free.write(framed(mx))
    await free.next()
    free.socket.destroy()
  }
  assert.equal(answered(), 12, 'six of the second connection wait')
  clock.advance(300)
  for (let count = 0; count < 3; count++) await two.next()
  assert.equal(answered(), 15)
  for (let count = 0; count < 3; count++) clock.advance(100)
  for (let count = 0; count < 3; count++) await two.next()
  const secondary = askTcp(server, '127.0.0.3')
  secondary.write(asked(50))
  for (let count = 0; count < 50; count++) await secondary.next()
  for (const each of [one, two, secondary]) each.socket.destroy()
})

test('while most connections are taken, idle ones end sooner, and a secondary is given its time', async (t) => {
  const clock = createFakeClock()
  const tcp = { ...authorityDefaults.tcp, connections: 8, idleMs: 20_000 }
  const secondaries = [{ server: { address: '127.0.0.3' as IpAddress, port: 53 }, key: undefined }]
  const server = await startAuthority(t, [example], { tcp, secondaries }, { clock })
  const open = async (from: string) => {
    const client = askTcp(server, from)
    client.write(framed(mx))
    await client.next()
    return client
  }
  const secondary = await open('127.0.0.3')
  const few = await Promise.all(Array.from({ length: 4 }, () => open('127.0.0.4')))
  clock.advance(6_000)
  assert.equal(server.authority.statistics.tcpConnections, 5, 'there is room')
  const sixth = await open('127.0.0.5')
  clock.advance(10)
  await Promise.all(few.map(({ closed }) => closed))
  assert.equal(server.authority.statistics.tcpConnections, 2)
  for (const each of [secondary, sixth]) each.socket.destroy()
})
