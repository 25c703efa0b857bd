import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { type Fields, silentLog } from '../../base/log.ts'
import type { Condition } from '../condition.ts'
import { type AlertingOptions, type AlertMessage, createAlerting, isQuiet } from './alerting.ts'
import type { OpenCondition } from './open-conditions.ts'
import { jsonOf, subjectOf, textOf } from './wording.ts'

const usual: AlertingOptions = {
  isHeard: true,
  groupMs: 30_000,
  intervalMs: 300_000,
  repeatMs: 86_400_000,
  settleMs: 300_000,
  afterMs: ({ kind }) => (kind === 'backend-down' ? 30_000 : 0),
  quiet: undefined,
}

const down: Condition = {
  key: 'backend smtp://10.0.0.1:25',
  kind: 'backend-down',
  severity: 'error',
  domain: undefined,
  title: 'smtp://10.0.0.1:25 is down',
  detail: 'connection refused.',
  remedy: 'See to it.',
}
const upAgain = 'smtp://10.0.0.1:25 is up again'
const finding: Condition = {
  ...down,
  key: 'finding example.com x',
  kind: 'finding',
  severity: 'warning',
  title: 'one exchanger',
}

function start(
  options: Partial<AlertingOptions> | (() => Partial<AlertingOptions>) = {},
  before: readonly OpenCondition[] = [],
) {
  const clock = createFakeClock()
  const sent: AlertMessage[] = []
  const warned: [string, Fields | undefined][] = []
  const kept = new Map<string, OpenCondition>()
  const alerting = createAlerting(
    () => ({ ...usual, ...(typeof options === 'function' ? options() : options) }),
    before,
    {
      clock,
      log: { ...silentLog, warn: (event, fields) => void warned.push([event, fields]) },
      send: (message) => void sent.push(message),
      saved(key, open) {
        if (open) kept.set(key, structuredClone(open))
        else kept.delete(key)
      },
    },
  )
  const pass = (ms: number) => {
    for (let left = ms; left > 0; left -= 1_000) clock.advance(1_000)
  }
  return { clock, sent, warned, kept, alerting, pass }
}

test('a backend that flaps fifty times is one alert and one recovery', () => {
  const { sent, alerting, pass } = start()
  for (let turn = 0; turn < 50; turn++) {
    alerting.raise(down)
    pass(20_000)
    alerting.clear(down.key, upAgain)
    pass(20_000)
  }
  pass(3_600_000)
  assert.equal(sent.length, 2)
  assert.deepEqual(
    sent[0]?.alerts.map(({ condition }) => condition.title),
    [down.title],
  )
  assert.deepEqual(
    sent[1]?.recoveries.map(({ condition, now, returns }) => [condition.title, now, returns]),
    [[down.title, upAgain, 49]],
  )
  assert.deepEqual(alerting.open(), [])
})

test('an alert says since when it is so now, and that it was so before', () => {
  const first = start()
  const atMs = () => first.clock.now()
  const firstMs = atMs()
  first.alerting.raise(down)
  first.pass(20_000)
  first.alerting.clear(down.key, upAgain)
  first.pass(100_000)
  const againMs = atMs()
  first.alerting.raise(down)
  first.pass(60_000)
  const [message] = first.sent
  assert.ok(message)
  assert.match(textOf(message), /\(since .+, again; the first time at .+\)/)
  const [told] = (jsonOf(message, { hostname: 'mx' }) as { alerts: { since: string; first: string }[] }).alerts
  assert.deepEqual(
    [told?.since, told?.first].map((time) => Date.parse(time ?? '')),
    [againMs, firstMs],
  )
  first.alerting.stop()

  const second = start({}, [...first.kept.values()])
  const back = second.alerting.clear(down.key, upAgain)
  assert.deepEqual([back?.sinceMs, back?.firstMs], [againMs, firstMs])
  second.pass(600_000)
  assert.match(textOf(second.sent[0] as AlertMessage), /coming back 1 time meanwhile/)
})

test('one that is away for a moment is nobody’s alert, and its return no news', () => {
  const { sent, alerting, pass } = start()
  alerting.raise(down)
  pass(10_000)
  alerting.clear(down.key, upAgain)
  pass(3_600_000)
  assert.deepEqual(sent, [])
})

test('what comes together is told together, and what follows waits for its interval', () => {
  const { sent, alerting, pass } = start()
  alerting.raise(finding)
  pass(10_000)
  alerting.raise({ ...finding, key: 'finding example.com y', severity: 'error', title: 'no exchanger' })
  pass(60_000)
  assert.equal(sent.length, 1)
  // Worst first.
  assert.deepEqual(
    sent[0]?.alerts.map(({ condition }) => condition.title),
    ['no exchanger', 'one exchanger'],
  )
  alerting.raise({ ...finding, key: 'finding example.com z' })
  pass(120_000)
  assert.equal(sent.length, 1)
  pass(300_000)
  assert.equal(sent.length, 2)
})

test('what lasts is told again after a day, and what became worse at once', () => {
  const { sent, alerting, pass } = start()
  alerting.raise(finding)
  pass(600_000)
  alerting.raise(finding)
  pass(600_000)
  assert.equal(sent.length, 1)
  alerting.raise({ ...finding, severity: 'error' })
  pass(600_000)
  assert.equal(sent[1]?.alerts[0]?.condition.severity, 'error')
  pass(86_400_000)
  assert.equal(sent.length, 3)
  assert.equal(sent[2]?.reminders.length, 1)
  assert.equal(sent[2]?.alerts.length, 0)
})

test('in quiet hours warnings wait until they are over, and errors do not', () => {
  // All day long but for one minute, whatever the time zone of the machine.
  const now = new Date(createFakeClock().now())
  const minute = now.getHours() * 60 + now.getMinutes()
  const quiet = { from: minute, until: (minute + 120) % 1440, errors: 'tell' } as const
  const { sent, alerting, pass } = start({ quiet })
  alerting.raise(finding)
  alerting.note({
    key: 'n',
    kind: 'records-changed',
    severity: 'warning',
    domain: 'example.com',
    title: 't',
    detail: 'd',
  })
  pass(3_600_000)
  assert.equal(sent.length, 0)
  alerting.raise(down)
  pass(120_000)
  assert.deepEqual(
    sent.map(({ alerts, notes }) => [alerts.length, notes.length]),
    [[1, 0]],
  )
  pass(3_600_000)
  assert.deepEqual(
    sent.map(({ alerts, notes }) => [alerts.length, notes.length]),
    [
      [1, 0],
      [1, 1],
    ],
  )
})

test('quiet hours may pass midnight', () => {
  const at = (hours: number, minutes: number) => new Date(2026, 5, 1, hours, minutes).getTime()
  const night = { from: 22 * 60, until: 7 * 60, errors: 'tell' } as const
  assert.deepEqual(
    [at(21, 59), at(22, 0), at(2, 0), at(6, 59), at(7, 0)].map((ms) => isQuiet(night, ms)),
    [false, true, true, true, false],
  )
})

test('after a restart nothing is told twice, and the recovery is told', () => {
  const first = start()
  first.alerting.raise(down)
  first.pass(120_000)
  assert.equal(first.sent.length, 1)
  first.alerting.stop()

  const second = start({}, [...first.kept.values()])
  second.alerting.raise(down)
  second.pass(600_000)
  assert.equal(second.sent.length, 0)
  second.alerting.clear(down.key, upAgain)
  second.pass(600_000)
  assert.equal(second.sent[0]?.recoveries.length, 1)
  assert.equal(second.kept.size, 0)
})

for (const [way, byMs] of [
  ['forward', 86_400_000],
  ['back', -86_400_000],
] as const)
  test(`a clock that jumps a day ${way} sends nothing and swallows nothing`, () => {
    const { clock, sent, alerting, pass } = start({ groupMs: 0, intervalMs: 0 })
    const note = { key: 'n', kind: 'gateway-alert', severity: 'error', domain: undefined } as const
    alerting.note({ ...note, title: 'a note', detail: '' })
    alerting.raise(finding)
    alerting.raise(down)
    pass(2_000)
    assert.deepEqual([sent.length, sent[0]?.alerts.length], [1, 1], 'the backend has not been down for long enough')
    clock.jump(byMs)
    alerting.note({ ...note, title: 'the same note', detail: '' })
    pass(20_000)
    assert.equal(sent.length, 1)
    pass(10_000)
    assert.deepEqual(
      sent[1]?.alerts.map(({ condition }) => condition.title),
      [down.title],
    )

    alerting.clear(down.key, upAgain)
    clock.jump(byMs)
    pass(290_000)
    assert.equal(sent.length, 2, 'it has not settled yet')
    pass(20_000)
    assert.deepEqual(
      sent[2]?.recoveries.map(({ condition }) => condition.title),
      [down.title],
    )
    clock.jump(byMs)
    pass(60_000)
    assert.equal(sent.length, 3, 'it is no day since the finding was told')
  })

test('the same note is told once an hour', () => {
  const { sent, alerting, pass } = start()
  const note = {
    key: 'n',
    kind: 'gateway-alert',
    severity: 'error',
    domain: undefined,
    title: 't',
    detail: 'd',
  } as const
  for (let turn = 0; turn < 30; turn++) {
    alerting.note(note)
    pass(60_000)
  }
  assert.equal(sent.length, 1)
  pass(3_600_000)
  alerting.note(note)
  pass(600_000)
  assert.equal(sent.length, 2)
})

test('a recovery says in its subject and first of all what is right now, and what was wrong beside it', () => {
  const { sent, alerting, pass } = start()
  alerting.raise(down)
  pass(60_000)
  alerting.clear(down.key, 'smtp://10.0.0.1:25 is out of service')
  pass(60_000)
  assert.equal(alerting.clear(down.key, upAgain), undefined, 'it has been in order since the first word')
  pass(600_000)
  const [, message] = sent
  assert.ok(message)
  const speaker = { hostname: 'mx.example.test' }
  assert.equal(subjectOf(message, speaker), `[waypost mx.example.test] ${upAgain}`)
  assert.match(
    textOf(message),
    /^smtp:\/\/10\.0\.0\.1:25 is up again\n {2}before: smtp:\/\/10\.0\.0\.1:25 is down \(.+, 60 s\)\n$/,
  )
  assert.equal((jsonOf(message, speaker) as { recoveries: { now: string }[] }).recoveries[0]?.now, upAgain)
})

test('a recovery that an earlier version kept says what is over', () => {
  const kept = { condition: down, sinceMs: 0, toldMs: 1, clearedMs: 2, returns: 0 }
  const { sent, pass } = start({}, [kept])
  pass(600_000)
  const [message] = sent
  assert.ok(message)
  assert.equal(subjectOf(message, { hostname: 'mx' }), `[waypost mx] over: ${down.title}`)
})

test('findings that a check no longer has are over', () => {
  const { alerting } = start()
  alerting.raise(finding)
  alerting.raise({ ...finding, key: 'finding example.com y' })
  alerting.raise({ ...finding, key: 'finding example.org y' })
  alerting.clearAllBut('finding example.com ', new Set(['finding example.com x']), () => 'right')
  assert.deepEqual(
    alerting
      .open()
      .filter(({ clearedMs }) => clearedMs === undefined)
      .map(({ condition }) => condition.key),
    ['finding example.com x', 'finding example.org y'],
  )
})

test('findings of very many domains are bounded, the log says so once, and a backend that is down is told all the same', () => {
  const { sent, warned, alerting } = start({ afterMs: () => 0 })
  for (let number = 0; number < 50_010; number++)
    alerting.raise({ ...finding, key: `finding d${number}.example x`, domain: `d${number}.example` })
  assert.deepEqual(warned, [['too many conditions, more of the kind are not told', { kind: 'finding', open: 50_000 }]])
  assert.equal(alerting.open().length, 50_000)
  assert.equal(alerting.raise(down), true)
  alerting.tellNow()
  assert.equal(sent[0]?.alerts[0]?.condition.kind, 'backend-down')
})

test('the first channel hears of what stands already, and not of what was and is over', () => {
  let isHeard = false
  const { sent, kept, alerting, pass } = start(() => ({ isHeard }))
  alerting.raise(down)
  alerting.raise(finding)
  alerting.note({ key: 'n', kind: 'records-changed', severity: 'notice', domain: undefined, title: 'n', detail: '' })
  pass(3_600_000)
  alerting.clear(finding.key, 'in order')
  pass(3_600_000)
  assert.deepEqual([sent, kept.get(down.key)?.toldMs], [[], undefined])

  isHeard = true
  pass(60_000)
  assert.equal(sent.length, 1)
  assert.deepEqual(
    sent[0]?.alerts.map(({ condition }) => condition.key),
    [down.key],
  )
  assert.deepEqual([sent[0]?.recoveries, sent[0]?.notes], [[], []])
})
