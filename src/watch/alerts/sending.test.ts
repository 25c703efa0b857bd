import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { type Fields, type Log, silentLog } from '../../base/log.ts'
import { seededRandom } from '../../base/random.ts'
import type { Severity } from '../../checks/finding.ts'
import type { AlertMessage } from './alerting.ts'
import { createSending, type Undelivered } from './sending.ts'

const message: AlertMessage = {
  ...{ atMs: 0, alerts: [], reminders: [], recoveries: [] },
  notes: [
    { key: 'n', kind: 'gateway-alert', severity: 'warning', domain: undefined, title: 'one', detail: '', atMs: 0 },
    { key: 'm', kind: 'gateway-alert', severity: 'error', domain: undefined, title: 'two', detail: '', atMs: 0 },
  ],
}

function start(
  deliver: (message: AlertMessage) => Promise<Undelivered | undefined>,
  { tries = 4, least = 'warning' }: { tries?: number; least?: Severity } = {},
) {
  const clock = createFakeClock()
  const lines: [string, Fields | undefined][] = []
  const line = (event: string, fields?: Fields) => void lines.push([event, fields])
  const log: Log = { ...silentLog, info: line, warn: line, error: line }
  const over: AlertMessage[] = []
  const made = createSending({ name: 'a channel', least, deliver }, tries, { clock, random: seededRandom(1), log })
  const sending = {
    ...made,
    send: (each: AlertMessage) =>
      made.send({ message: each, written: Promise.resolve(), over: () => void over.push(each) }),
    stop: () => made.stop().map((kept) => kept.message),
  }
  /** Lets promises and timers have their turns. */
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 5_000) {
      for (let turn = 0; turn < 10; turn++) await Promise.resolve()
      clock.advance(5_000)
    }
    for (let turn = 0; turn < 10; turn++) await Promise.resolve()
  }
  return { sending, lines, over, pass }
}

test('a channel that is down is tried again with growing pauses, and then given up', async () => {
  let tried = 0
  const { sending, lines, over, pass } = start(async () => {
    tried++
    return { why: 'it answered 503', isFinal: false }
  })
  sending.send(message)
  await pass(1_000)
  assert.equal(tried, 1)
  await pass(20_000)
  assert.equal(tried, 2)
  assert.deepEqual(over, [])
  await pass(3_600_000)
  assert.equal(tried, 4)
  assert.deepEqual(over, [message])
  assert.deepEqual(lines.at(-1), [
    'alert given up',
    { channel: 'a channel', tries: 4, why: 'it answered 503', entries: 2 },
  ])
})

test('what will not change is given up at once', async () => {
  let tried = 0
  const { sending, pass } = start(async () => {
    tried++
    return { why: 'it answered 404', isFinal: true }
  })
  sending.send(message)
  await pass(3_600_000)
  assert.equal(tried, 1)
})

test('messages behind one that is being tried wait for it, and go in their order', async () => {
  const heard: number[] = []
  let fails = 1
  const { sending, pass } = start(async ({ atMs }) => {
    if (fails-- > 0) return { why: 'not yet', isFinal: false }
    heard.push(atMs)
    return undefined
  })
  for (const atMs of [1, 2, 3]) sending.send({ ...message, atMs })
  await pass(60_000)
  assert.deepEqual(heard, [1, 2, 3])
})

test('of more than a hundred that wait the oldest are dropped, and the log says so', async () => {
  const { sending, lines, over } = start(() => new Promise(() => undefined))
  for (let number = 0; number < 150; number++) sending.send(message)
  assert.equal(lines.filter(([event]) => event === 'alert dropped, too many wait').length, 49)
  assert.equal(over.length, 49)
})

test('a bug in a channel stops neither it nor anybody else', async () => {
  let tried = 0
  const { sending, lines, pass } = start(async () => {
    tried++
    throw new TypeError('broken')
  })
  sending.send(message)
  sending.send(message)
  await pass(10_000)
  assert.equal(tried, 2)
  assert.equal(lines.filter(([event]) => event === 'alert failed').length, 2)
})

test('who ends soon waits until each message has been tried, and no longer', async () => {
  let fails = true
  const { sending, pass } = start(async () => (fails ? { why: 'not yet', isFinal: false } : undefined))
  sending.send(message)
  await sending.tried()
  fails = false
  sending.send(message)
  const all = sending.tried()
  await pass(60_000)
  await all
  await sending.tried()
})

test('stopped, it begins nothing new', async () => {
  let tried = 0
  const { sending, pass } = start(async () => {
    tried++
    return { why: 'not yet', isFinal: false }
  })
  sending.send(message)
  await pass(1_000)
  const second = { ...message, atMs: 2 }
  sending.send(second)
  assert.deepEqual(sending.stop(), [message, second], 'what nobody has heard is given back')
  sending.send(message)
  await pass(3_600_000)
  assert.equal(tried, 1)
})

test('stopped while it tries, it may be heard all the same, and is neither given up nor tried again', async () => {
  const answer = Promise.withResolvers<Undelivered | undefined>()
  const { sending, lines, over, pass } = start(() => answer.promise)
  sending.send(message)
  assert.deepEqual(sending.stop(), [message])
  answer.resolve({ why: 'it answered 404', isFinal: true })
  await pass(3_600_000)
  assert.deepEqual([lines, over], [[], []], 'it stays kept')
})

test('a channel hears what is severe enough for it, and of the rest nobody says that it was sent', async () => {
  const told: string[][] = []
  const { sending, lines, over, pass } = start(
    async ({ notes }) => {
      told.push(notes.map(({ title }) => title))
      return undefined
    },
    { least: 'error' },
  )
  const lesser = { ...message, notes: message.notes.slice(0, 1) }
  sending.send(lesser)
  sending.send(message)
  await pass(10_000)
  assert.deepEqual(told, [['two']])
  assert.deepEqual(lines, [['alert sent', { channel: 'a channel', tries: 1 }]])
  assert.deepEqual(over, [lesser, message])
})

test('nothing is tried before it is on disk', async () => {
  const written = Promise.withResolvers<void>()
  let tried = 0
  const clock = createFakeClock()
  const deliver = async () => void tried++
  const sending = createSending({ name: 'a channel', least: 'notice', deliver }, 4, {
    ...{ clock, random: seededRandom(1), log: silentLog },
  })
  sending.send({ message, written: written.promise, over() {} })
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
  assert.equal(tried, 0)
  written.resolve()
  await sending.tried()
  assert.equal(tried, 1)
})
