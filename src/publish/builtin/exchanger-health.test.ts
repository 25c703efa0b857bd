import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { collectLog } from '../../../test/lab/log.ts'
import { systemDoor } from '../../base/door.ts'
import { type IpAddress, parseIp } from '../../base/ip.ts'
import { seededRandom } from '../../base/random.ts'
import type { HostName } from '../../dns/name.ts'
import type { Knocked } from '../../smtp/knock.ts'
import { createExchangerHealth, mostWatched } from './exchanger-health.ts'

const ip = (text: string): IpAddress => parseIp(text) ?? assert.fail(text)
const one = ip('192.0.2.1')
const two = ip('192.0.2.2')
const six = ip('2001:db8::1')
const host = 'mx.example.test' as HostName

const up: Knocked = { kind: 'up' }
const refused: Knocked = { kind: 'down', isRefused: true, why: 'ECONNREFUSED' }
const silent: Knocked = { kind: 'down', isRefused: false, why: 'no connection in time' }

function stage() {
  const clock = createFakeClock()
  const { log, find } = collectLog()
  const answers = new Map<IpAddress, Knocked>()
  const asked: IpAddress[] = []
  let changes = 0
  const health = createExchangerHealth(
    { intervalMs: 20_000, timeoutMs: 10_000, port: 25, hello: 'node1.example.test' },
    {
      ...{ clock, random: seededRandom(1), log, door: systemDoor, changed: () => void changes++ },
      knock: async ({ address }) => {
        asked.push(address)
        return answers.get(address) ?? up
      },
    },
  )
  /** Lets time pass, second by second, so that each answer is heard before the next question. */
  const pass = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      clock.advance(1_000)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return { health, answers, asked, find, pass, changes: () => changes }
}

const watched = (...addresses: IpAddress[]) => new Map(addresses.map((address) => [address, host]))

test('one that answered and refuses connections is down at once; it is told once, and when it is up again', async () => {
  const { health, answers, pass, find, changes } = stage()
  health.watch(watched(one, two))
  await pass(2)
  assert.equal(health.isDown(two), false)
  answers.set(two, refused)
  await pass(25)
  assert.equal(health.isDown(two), true)
  assert.equal(health.isDown(one), false)
  assert.equal(find('exchanger is down', { address: two, host }).length, 1)
  assert.equal(changes(), 1)
  answers.set(two, up)
  await pass(25)
  assert.equal(health.isDown(two), false)
  assert.equal(find('exchanger is up again', { address: two }).length, 1)
  assert.equal(changes(), 2)
})

test('silence must come three times in a row, asked sooner after the first', async () => {
  const { health, answers, asked, pass } = stage()
  health.watch(watched(one))
  await pass(2)
  answers.set(one, silent)
  while (asked.length < 2) await pass(1)
  assert.equal(health.isDown(one), false)
  await pass(7)
  assert.equal(asked.length, 3)
  assert.equal(health.isDown(one), false)
  await pass(7)
  assert.equal(health.isDown(one), true)
})

test('where nobody was ever reached it may be us, so nobody is down; one that answers shows that it is them', async () => {
  const { health, answers, pass, find } = stage()
  answers.set(one, silent).set(two, refused).set(six, refused)
  health.watch(watched(one, two, six))
  await pass(60)
  for (const address of [one, two, six]) assert.equal(health.isDown(address), false, address)
  assert.equal(find('exchanger not reached, and never was: not taken for down', { address: two }).length, 1)
  answers.set(one, up)
  await pass(30)
  assert.equal(health.isDown(two), true)
  // Nobody of its family has answered.
  assert.equal(health.isDown(six), false)
})

test('a question that our own network did not let out says nothing', async () => {
  const { health, answers, pass } = stage()
  health.watch(watched(one))
  await pass(2)
  answers.set(one, { kind: 'not-asked', why: 'ENETUNREACH' })
  await pass(200)
  assert.equal(health.isDown(one), false)
})

test('what is no longer declared is forgotten and not asked; what stays keeps what is known', async () => {
  const { health, answers, asked, pass } = stage()
  health.watch(watched(one, two))
  await pass(2)
  answers.set(one, refused).set(two, refused)
  await pass(25)
  health.watch(watched(one))
  assert.equal(health.isDown(one), true)
  assert.equal(health.isDown(two), false)
  asked.length = 0
  await pass(60)
  assert.ok(asked.length > 0 && asked.every((address) => address === one), asked.join())
  health.stop()
  asked.length = 0
  await pass(60)
  assert.deepEqual(asked, [])
})

test('there is a ceiling; what lies beyond it counts as up, and it is said', async () => {
  const { health, asked, pass, find } = stage()
  const many = Array.from({ length: mostWatched + 5 }, (_, index) => ip(`10.0.${index >> 8}.${index & 255}`))
  health.watch(watched(...many))
  await pass(60)
  assert.equal(new Set(asked).size, mostWatched)
  assert.equal(find('too many exchangers to watch: the rest count as up', { others: 5 }).length, 1)
})
