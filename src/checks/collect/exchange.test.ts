import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { startDns } from '../../../test/lab/dns.ts'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { steadyClock } from '../../../test/lab/fast-clock.ts'
import { labAddress, labName } from '../../../test/lab/names.ts'
import { until } from '../../../test/lab/until.ts'
import type { Clock } from '../../base/clock.ts'
import { type Door, systemDoor } from '../../base/door.ts'
import { systemRandom } from '../../base/random.ts'
import { typeCodes } from '../../dns/types.ts'
import { createExchange, type Exchanged, type Question } from './exchange.ts'

const question: Question = {
  name: labName('example.test'),
  type: typeCodes.MX,
  over: 'udp',
  edns: true,
  recursion: false,
  checkingDisabled: false,
}

test('a server is asked at its pace: a second of it at once, then in turn, and not when that is too late', async (t) => {
  const dns = await startDns(t, { 'example.test': { MX: [[10, 'mx.example.test']] } })
  const fake = createFakeClock()
  const waits: number[] = []
  // Deadlines of answers are real; waiting for a turn is what the test looks at.
  const clock: Clock = {
    ...fake,
    after(delayMs, run) {
      if (delayMs >= 2_000) return steadyClock.after(delayMs, run)
      waits.push(Math.round(delayMs))
      return steadyClock.after(0, run)
    },
  }
  fake.advance(100_000)
  const exchange = createExchange({ clock, random: systemRandom, door: systemDoor })
  t.after(() => exchange.close())
  const ask = () => exchange.ask(dns.server, question, 5_000, { perSecond: 5, untilMs: 100_400 })
  const kinds: string[] = []
  for (let count = 0; count < 9; count++) kinds.push((await ask()).kind)
  assert.deepEqual(kinds, [...Array(8).fill('response'), 'unsent'])
  assert.deepEqual(waits, [200, 400])
})

test('connections at once are few, whatever is asked, and those that wait have their turn or are told as unsent', async (t) => {
  const server = createServer((socket) => socket.on('error', () => {}).resume())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const at = { address: labAddress('127.0.0.1'), port: (server.address() as AddressInfo).port }
  const clock = createFakeClock()
  clock.advance(10_000)
  const sockets: Socket[] = []
  let most = 0
  const door: Door = {
    open(...wanted) {
      const opening = systemDoor.open(...wanted)
      if (opening.kind === 'opened') sockets.push(opening.socket)
      most = Math.max(most, sockets.filter(({ destroyed }) => !destroyed).length)
      return opening
    },
  }
  const exchange = createExchange({ clock, random: systemRandom, door })
  t.after(() => exchange.close())
  const pace = { perSecond: 1_000_000, untilMs: 12_500 }
  const asked = Promise.all(
    Array.from({ length: 100 }, () => exchange.ask(at, { ...question, over: 'tcp' }, 1_000, pace)),
  )
  for (const [connected, waitMs] of [
    [32, 1_000],
    [64, 1_000],
    [96, 500],
  ] as const) {
    await until(() => sockets.length === connected, 60_000, `${connected} have connected`)
    clock.advance(waitMs)
  }
  const kinds = (await asked).map(({ kind }) => kind)
  assert.deepEqual(kinds, [...Array(96).fill('timeout'), ...Array(4).fill('unsent')])
  assert.equal(most, 32)
})

test('questions at once over UDP are few too, and those of the resolver need not wait for them', async (t) => {
  const silent = createSocket('udp4')
  let heard = 0
  silent.on('message', () => heard++)
  await new Promise<void>((resolve) => silent.bind(0, '0.0.0.0', resolve))
  t.after(() => silent.close())
  const dns = await startDns(t, { 'example.test': { MX: [[10, 'mx.example.test']] } })
  const clock = createFakeClock()
  clock.advance(10_000)
  const exchange = createExchange({ clock, random: systemRandom, door: systemDoor })
  t.after(() => exchange.close())
  const { port } = silent.address()
  const asked: Promise<Exchanged>[] = []
  // Not all in one go, for the receiver's buffer holds no 500.
  for (let batch = 1; batch <= 6; batch++) {
    for (let index = 0; index < 100; index++) {
      const server = { address: labAddress(`127.77.${batch}.${index}`), port }
      asked.push(exchange.ask(server, question, 1_000, { perSecond: 10, untilMs: 12_000 }))
    }
    await until(() => heard === Math.min(500, asked.length), 60_000, `${asked.length} have been asked`)
  }
  assert.equal((await exchange.ask(dns.server, question, 1_000)).kind, 'response')
  clock.advance(1_000)
  await until(() => heard === 600, 60_000, 'the rest has been asked')
  clock.advance(1_000)
  assert.deepEqual([...new Set((await Promise.all(asked)).map(({ kind }) => kind))], ['timeout'])
})

test('flags are as they were said: recursion, CD, EDNS with DO', async (t) => {
  const dns = await startDns(t, { 'example.test': { MX: [[10, 'mx.example.test']] } })
  const exchange = createExchange({ clock: steadyClock, random: systemRandom, door: systemDoor })
  t.after(() => exchange.close())
  for (const over of ['udp', 'tcp'] as const) {
    const wanted = { ...question, over, recursion: true, checkingDisabled: true, edns: false }
    const exchanged = await exchange.ask(dns.server, wanted, 5_000)
    assert.ok(exchanged.kind === 'response')
    const { recursionDesired, checkingDisabled, edns } = exchanged.message
    assert.deepEqual([recursionDesired, checkingDisabled, edns], [true, true, undefined])
  }
})

test('a closed exchange ends what waits', async (t) => {
  const dns = await startDns(t, {})
  dns.fault('*', 'silence')
  const exchange = createExchange({ clock: steadyClock, random: systemRandom, door: systemDoor })
  const waiting = [
    exchange.ask(dns.server, question, 60_000),
    exchange.ask(dns.server, { ...question, over: 'tcp' }, 60_000),
  ]
  await new Promise((resolve) => setImmediate(resolve))
  exchange.close()
  assert.deepEqual(
    (await Promise.all(waiting)).map(({ kind }) => kind),
    ['unreachable', 'unreachable'],
  )
})
