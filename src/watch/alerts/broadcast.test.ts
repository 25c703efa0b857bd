import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { steadyClock } from '../../../test/lab/fast-clock.ts'
import { until } from '../../../test/lab/until.ts'
import { startWebHook } from '../../../test/lab/web-hook.ts'
import { host } from '../../../test/unit/facts/names.ts'
import { systemDoor } from '../../base/door.ts'
import { createHostLookup } from '../../base/host-lookup.ts'
import { type Fields, type Log, silentLog } from '../../base/log.ts'
import { seededRandom } from '../../base/random.ts'
import { watchOptions } from '../options.ts'
import type { AlertMessage } from './alerting.ts'
import { type BroadcastSettings, createBroadcast } from './broadcast.ts'

const schema = z.object(watchOptions)
const settingsOf = (alerts: Record<string, unknown>): BroadcastSettings => ({
  alerts: schema.parse({ alerts }).alerts,
  hostname: host('mx.example.test'),
})

const messageOf = (title: string, atMs = 0): AlertMessage => ({
  ...{ atMs, alerts: [], reminders: [], recoveries: [] },
  notes: [{ key: title, kind: 'gateway-alert', severity: 'error', domain: undefined, title, detail: '', atMs }],
})

/** `lines`: event and channel of what was logged. */
function start(alerts: Record<string, unknown>) {
  const lines: [string, unknown][] = []
  const line = (event: string, fields?: Fields) => void lines.push([event, fields?.channel])
  const log: Log = { ...silentLog, info: line, warn: line, error: line }
  const broadcast = createBroadcast(settingsOf(alerts), {
    ...{
      clock: steadyClock,
      door: systemDoor,
      lookupHost: createHostLookup(steadyClock),
      random: seededRandom(1),
      log,
    },
    readSecret: async () => ({ kind: 'missing', why: 'there is none' }),
    readText: async () => assert.fail('no channel here names authorities'),
    whyNotAlive: () => undefined,
  })
  return { broadcast, lines, logged: (event: string) => until(() => lines.some(([each]) => each === event)) }
}

const subjects = ({ requests }: Awaited<ReturnType<typeof startWebHook>>) =>
  requests.map(({ body }) => JSON.parse(body).notes[0]?.title)

/** Nobody listens there. */
const broken = { url: 'http://127.0.0.1:1/' }

test('a reload that mends a channel delivers what waited for it, and once though two were broken', async (t) => {
  const hook = await startWebHook(t)
  const { broadcast, logged } = start({ webhook: [broken, { ...broken, least: 'error' }] })
  t.after(() => void broadcast.close())
  broadcast.send(messageOf('first', 1))
  broadcast.send(messageOf('second', 2))
  await logged('alert not sent yet')
  broadcast.apply(settingsOf({ webhook: [{ url: hook.url }] }))
  await until(() => hook.requests.length === 2)
  await broadcast.tried()
  assert.deepEqual(subjects(hook), ['first', 'second'])
})

test('a reload leaves a channel that stays with what it has, and it hears nothing twice', async (t) => {
  const [stays, isNew] = [await startWebHook(t), await startWebHook(t)]
  stays.answer = 503
  const { broadcast, logged } = start({ webhook: [{ url: stays.url }], tries: '6' })
  broadcast.send(messageOf('first'))
  await logged('alert not sent yet')
  broadcast.apply(settingsOf({ webhook: [{ url: isNew.url }, { url: stays.url }], tries: '6', group: '1s' }))
  broadcast.send(messageOf('second'))
  await logged('alert sent')
  assert.deepEqual(subjects(isNew), ['second'])
  assert.deepEqual(
    broadcast.close().map(({ notes }) => notes[0]?.title),
    ['first'],
    'it waits for its next try; the second was heard by one',
  )
})

test('what waited for a channel that is gone and has no successor is told to the log', async () => {
  const { broadcast, lines, logged } = start({ webhook: [broken] })
  broadcast.send(messageOf('first'))
  await logged('alert not sent yet')
  broadcast.apply(settingsOf({}))
  assert.deepEqual(lines.at(-1), [
    'alerts dropped, their channel left the configuration',
    'webhook at http://127.0.0.1:1',
  ])
  assert.deepEqual(broadcast.close(), [])
})
