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
import { createUnsent, type UnsentRow } from './unsent.ts'

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
function start(alerts: Record<string, unknown>, kept = new Map<string, UnsentRow>()) {
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
    unsent: createUnsent([...kept.values()], {
      clock: steadyClock,
      newId: () => `${++ids}`,
      rows: {
        async keepUnsent(row) {
          kept.set(row.id, row)
        },
        async sent(gone) {
          for (const id of gone) kept.delete(id)
        },
      },
    }),
  })
  return { broadcast, kept, lines, logged: (event: string) => until(() => lines.some(([each]) => each === event)) }
}

const subjects = ({ requests }: Awaited<ReturnType<typeof startWebHook>>) =>
  requests.map(({ body }) =>
    JSON.parse(body)
      .notes.map(({ title }: { title: string }) => title)
      .join(', '),
  )

let ids = 0

/** Nobody listens there. */
const broken = { url: 'http://127.0.0.1:1/' }

test('a reload that mends a channel delivers what waited for it, and once though two were broken', async (t) => {
  const hook = await startWebHook(t)
  const { broadcast, kept, logged } = start({ webhook: [broken, { ...broken, least: 'error' }] })
  t.after(() => void broadcast.close())
  broadcast.send(messageOf('first', 1))
  broadcast.send(messageOf('second', 2))
  await logged('alert not sent yet')
  broadcast.apply(settingsOf({ webhook: [{ url: hook.url }] }))
  await until(() => kept.size === 0)
  assert.deepEqual(subjects(hook), ['first, second'])
})

test('a reload leaves a channel that stays with what it has, and it hears nothing twice', async (t) => {
  const [stays, isNew] = [await startWebHook(t), await startWebHook(t)]
  stays.answer = 503
  const { broadcast, kept, logged } = start({ webhook: [{ url: stays.url }], tries: '6' })
  broadcast.send(messageOf('first'))
  await logged('alert not sent yet')
  broadcast.apply(settingsOf({ webhook: [{ url: isNew.url }, { url: stays.url }], tries: '6', group: '1s' }))
  broadcast.send(messageOf('second'))
  await logged('alert sent')
  assert.deepEqual(subjects(isNew), ['second'])
  broadcast.close()
  assert.deepEqual(
    [...kept.values()].map(({ value }) => JSON.parse(value).notes[0]?.title),
    ['first', 'second'],
    'the channel that stays has heard neither',
  )
})

test('what waited for a channel that is gone and has no successor is told to the log', async () => {
  const { broadcast, kept, lines, logged } = start({ webhook: [broken] })
  broadcast.send(messageOf('first'))
  await logged('alert not sent yet')
  broadcast.apply(settingsOf({}))
  assert.deepEqual(lines.at(-1), [
    'alerts dropped, their channel left the configuration',
    'webhook at http://127.0.0.1:1',
  ])
  await until(() => kept.size === 0)
  broadcast.close()
})

test('what a killed process had not sent is sent by the next one, once and as one message', async (t) => {
  const [down, well] = [await startWebHook(t), await startWebHook(t)]
  down.answer = 503
  const channels = { webhook: [{ url: down.url }, { url: well.url }] }
  const { broadcast, kept, logged } = start(channels)
  broadcast.send(messageOf('first', 1))
  broadcast.send(messageOf('second', 2))
  await logged('alert not sent yet')
  await until(() => well.requests.length === 2 && kept.size === 2)
  // Killed: it says nothing to anybody from here on, and the rows are what is left of it.
  const rows = new Map(kept)
  broadcast.close()

  down.answer = 200
  const next = start(channels, rows)
  await until(() => rows.size === 0)
  assert.deepEqual(subjects(down).slice(1), ['first, second'])
  next.broadcast.close()
  const third = start(channels, rows)
  await third.broadcast.tried()
  third.broadcast.close()
  assert.equal(down.requests.length, 2)
  assert.deepEqual(subjects(well), ['first', 'second'], 'who had heard hears nothing twice')
})

test('what was left for a channel that was set right meanwhile goes to the one in its place', async (t) => {
  const hook = await startWebHook(t)
  const { broadcast, kept, logged } = start({ webhook: [broken] })
  broadcast.send(messageOf('first', 1))
  await logged('alert not sent yet')
  broadcast.close()
  const next = start({ webhook: [{ url: hook.url }] }, new Map(kept))
  await until(() => hook.requests.length === 1)
  assert.deepEqual(subjects(hook), ['first'])
  next.broadcast.close()
})
