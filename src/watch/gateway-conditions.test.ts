import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../test/lab/fake-clock.ts'
import { makeCertificate } from '../../test/unit/certificate-maker.ts'
import { silentLog } from '../base/log.ts'
import type { BackendReport } from '../gateway/backends/report.ts'
import type { Gauges } from '../gateway/figures/gauges.ts'
import type { LaneSummary } from '../queue/queue.ts'
import type { Route } from '../routing/backend.ts'
import { type AlertMessage, createAlerting } from './alerts/alerting.ts'
import { createGatewayConditions } from './gateway-conditions.ts'
import type { HistoryEvent } from './history.ts'
import { createToldConditions } from './told-conditions.ts'

/** @param urls  of one preference, or each with its own */
const route = (...urls: (string | readonly [string, number])[]) =>
  ({
    entries: urls.map((each) => {
      const [url, preference] = typeof each === 'string' ? [each, 10] : each
      return { backend: { url }, preference }
    }),
  }) as unknown as Route
const report = (url: string, state: BackendReport['state'], address = '10.0.0.1:25'): BackendReport => ({
  ...{ url, address, state, sessions: 0, lastError: state === 'up' ? null : 'connection refused', share: 1 },
})

function start(
  certificate?: { readonly path: string; readonly pem: () => string },
  looked = (): unknown => undefined,
  routes = [route('smtp://a:25', 'smtp://b:25')],
) {
  const clock = createFakeClock()
  const notes: HistoryEvent[] = []
  const sent: AlertMessage[] = []
  let backends: BackendReport[] = []
  let lanes: LaneSummary[] = []
  let whyNotKept: string | undefined
  const alerting = createAlerting(
    () => ({
      isHeard: true,
      groupMs: 0,
      intervalMs: 0,
      repeatMs: 0,
      settleMs: 60_000,
      afterMs: () => 0,
      quiet: undefined,
    }),
    [],
    { clock, log: silentLog, send: (message) => void sent.push(message), saved() {} },
  )
  const gauges = (): Gauges => ({
    connections: 0,
    backends,
    held: undefined,
    whyNotKept,
    heldByDomain: [],
    heldByLane: lanes,
  })
  const read = () => {
    looked()
    return gauges()
  }
  const history = { note: (event: HistoryEvent) => void notes.push(event) }
  const conditions = createGatewayConditions({
    clock,
    log: silentLog,
    alerting,
    conditions: createToldConditions({ clock, alerting, history }),
    history,
    read,
    readText: async () => certificate?.pem() ?? '',
    watched: () => ({
      queueOlderThanMs: 900_000,
      certificateEndsWithinMs: 14 * 86_400_000,
      certificate: certificate?.path,
      routes,
    }),
  })
  const open = () =>
    alerting
      .open()
      .filter(({ clearedMs }) => clearedMs === undefined)
      .map(({ condition: { key, severity } }) => [key, severity])
  return {
    ...{ clock, notes, sent, alerting, conditions, open },
    report: (next: BackendReport[]) => {
      backends = next
    },
    close: (why: string | undefined) => {
      whyNotKept = why
    },
    set: (next: { backends?: BackendReport[]; lanes?: LaneSummary[] }) => {
      backends = next.backends ?? backends
      lanes = next.lanes ?? lanes
      conditions.look()
    },
  }
}

test('a backend that is down is a warning while another serves, an error when it was the last, and over when it is back', () => {
  const { set, open, notes } = start()
  set({ backends: [report('smtp://a:25', 'down'), report('smtp://b:25', 'up')] })
  assert.deepEqual(open(), [['backend smtp://a:25', 'warning']])
  set({ backends: [report('smtp://a:25', 'down'), report('smtp://b:25', 'down')] })
  assert.deepEqual(open().toSorted(), [
    ['backend smtp://a:25', 'error'],
    ['backend smtp://b:25', 'error'],
  ])
  set({ backends: [report('smtp://a:25', 'up'), report('smtp://b:25', 'out')] })
  assert.deepEqual(open(), [])
  assert.deepEqual(
    notes.map(({ kind, severity }) => [kind, severity]),
    [
      ['backend-down', 'warning'],
      ['backend-down', 'error'],
      ['backend-down-over', 'notice'],
      ['backend-down-ended', 'notice'],
    ],
  )
  assert.deepEqual(
    notes.slice(2).map(({ title, detail }) => [title, detail]),
    [
      ['smtp://a:25 is up again', 'Before, for 0 s: "smtp://a:25 is down".'],
      ['smtp://b:25 is out of service', 'Before, for 0 s: "smtp://b:25 is down".'],
    ],
  )
})

test('a spare that is down is said to have had no mail, and whether something else stands in', () => {
  const [first, spare] = ['smtp://a:25', 'smtp://b:25']
  const said = (...others: (readonly [string, number])[]) => {
    const { set, alerting } = start(undefined, undefined, [route([first, 10], [spare, 20], ...others)])
    set({ backends: [report(first, 'up'), report(spare, 'down')] })
    const [open] = alerting.open()
    return open?.condition.detail
  }
  const why = 'connection refused. It had no mail now: servers that are tried before it take it,'
  assert.equal(said(), `${why} but nothing stands in if they fail.`)
  assert.equal(said(['smtp://c:25', 20]), `${why} and others stand in if they fail.`)

  const { set, alerting } = start(undefined, undefined, [route([first, 10], [spare, 20])])
  set({ backends: [report(first, 'down'), report(spare, 'up')] })
  const [open] = alerting.open()
  assert.equal(open?.condition.detail, 'connection refused. Other servers of its routes take its mail meanwhile.')
})

test('a backend that was down and has only been doubted since is neither told again nor over, until it is up', () => {
  const { set, open, notes } = start()
  set({ backends: [report('smtp://a:25', 'suspect', ''), report('smtp://b:25', 'up')] })
  assert.deepEqual(open(), [])
  set({ backends: [report('smtp://a:25', 'down'), report('smtp://b:25', 'up')] })
  set({ backends: [report('smtp://a:25', 'suspect', ''), report('smtp://b:25', 'up')] })
  set({ backends: [report('smtp://a:25', 'suspect'), report('smtp://b:25', 'up')] })
  assert.deepEqual(open(), [['backend smtp://a:25', 'warning']])
  assert.equal(notes.length, 1)
  set({ backends: [report('smtp://a:25', 'up'), report('smtp://b:25', 'up')] })
  assert.deepEqual(open(), [])
})

test('a backend of several addresses is up while one of them serves', () => {
  const { set, open } = start()
  set({ backends: [report('smtp://a:25', 'down', '10.0.0.1:25'), report('smtp://a:25', 'up', '10.0.0.2:25')] })
  assert.deepEqual(open(), [])
})

test('a backend that is slow is told as that, and not as down', () => {
  const { set, alerting } = start()
  set({ backends: [{ ...report('smtp://a:25', 'slow'), lastError: null }, report('smtp://b:25', 'up')] })
  const [first] = alerting.open()
  assert.equal(first?.condition.title, 'smtp://a:25 is slow')
  assert.match(first?.condition.detail ?? '', /^several messages wait for its answer/)
})

test('mail that waits longer than the limit is told, with its domain where the way names one', () => {
  const { clock, set, open, alerting, notes } = start()
  const lane = (name: string, oldestMs: number) =>
    ({ lane: name, ready: 2, waiting: 1, unknown: 0, oldestMs }) as unknown as LaneSummary
  set({ lanes: [lane('office', clock.now()), lane('mx example.com', clock.now() - 1_000_000)] })
  assert.deepEqual(open(), [['queue mx example.com', 'warning']])
  const [first] = alerting.open()
  assert.equal(first?.condition.domain, 'example.com')
  assert.match(first?.condition.detail ?? '', /3 messages are held/)
  clock.advance(900_000)
  assert.equal(open().length, 2)
  set({ lanes: [lane('office', clock.now())] })
  assert.deepEqual(open(), [])
  assert.deepEqual(
    notes.slice(2).map(({ title }) => title),
    ['no mail waits on the way mx example.com any more', 'no mail waits too long on the way office any more'],
  )
})

test('a drain that stopped stays an alert until a person resumes it', () => {
  const { conditions, set, open, notes } = start()
  conditions.tell({ kind: 'drain-stopped', atMs: 0, backend: 'smtp://a:25', why: 'it refused 11 of 12' })
  set({ backends: [report('smtp://a:25', 'up')] })
  assert.deepEqual(open(), [['drain smtp://a:25', 'error']])
  conditions.tell({ kind: 'drain-resumed', atMs: 0, backend: 'smtp://a:25', why: undefined })
  assert.deepEqual(open(), [])
  assert.equal(notes.at(-1)?.title, 'the drain to smtp://a:25 goes on')
})

test('our certificate near its end, renewed', async () => {
  const clock = createFakeClock()
  const dayMs = 86_400_000
  const issued = (days: number) =>
    makeCertificate({ name: 'mx.example.test', nowMs: clock.now(), notAfterMs: clock.now() + days * dayMs }).pem
  let pem = issued(10)
  const { clock: own, conditions, open, notes } = start({ path: '/etc/cert.pem', pem: () => pem })
  const settle = async () => {
    own.advance(1_000)
    for (let turn = 0; turn < 20; turn++) await Promise.resolve()
  }
  await settle()
  assert.deepEqual(open(), [['certificate /etc/cert.pem', 'warning']])
  pem = issued(80)
  conditions.tell({ kind: 'certificate-renewed', atMs: 0, certificate: '/etc/cert.pem' })
  await settle()
  assert.deepEqual(open(), [])
  assert.match(notes.at(-1)?.title ?? '', /^our certificate ends on 20/)
})

test('what the log marks as an alert is told once an hour for each backend, and kept each time', () => {
  const { clock, conditions, sent, notes } = start()
  const alert = (backend: string) =>
    conditions.tell({ kind: 'alert', atMs: 0, event: 'backend refuses us', about: { id: '1', backend, why: 'no' } })
  alert('smtp://a:25')
  alert('smtp://a:25')
  alert('smtp://b:25')
  conditions.tell({ kind: 'alert', atMs: 0, event: 'mail is held', about: { lane: 'office' } })
  clock.advance(5_000)
  assert.deepEqual(
    sent.flatMap((message) => message.notes.map(({ title }) => title)),
    ['backend refuses us: backend smtp://a:25', 'backend refuses us: backend smtp://b:25'],
  )
  assert.equal(notes.length, 3)
})

test('what can be done about a backend that is down is its remedy, where it is known', () => {
  const { set, alerting } = start(undefined, undefined, [route('mx')])
  set({ backends: [{ ...report('mx', 'down', ''), remedy: 'write { to: mx, private: true }' }] })
  assert.deepEqual(
    alerting.open().map(({ condition }) => condition.remedy),
    ['Write { to: mx, private: true }.'],
  )
})

test('each domain of a route whose MX does not lead here is told', () => {
  const { clock, conditions, sent } = start()
  for (const domain of ['one.test', 'two.test', 'one.test'])
    conditions.tell({
      ...{ kind: 'alert', atMs: 0, event: 'route misconfigured' },
      about: { id: '1', route: 'one.test', domain, why: 'we do not stand there', remedy: 'publish it' },
    })
  clock.advance(5_000)
  assert.deepEqual(
    sent.flatMap(({ notes }) => notes.map(({ domain, detail }) => [domain, detail])),
    ['one.test', 'two.test'].map((domain) => [domain, 'we do not stand there. Message 1. What to do: publish it']),
  )
})

test('a change of a backend is looked at a moment later', () => {
  const { clock, conditions, report: is, open } = start()
  is([report('smtp://a:25', 'down'), report('smtp://b:25', 'up')])
  conditions.tell({
    kind: 'backend-state',
    atMs: 0,
    backend: 'smtp://a:25',
    endpoint: undefined,
    from: 'up',
    to: 'down',
    why: 'connection refused',
  })
  assert.deepEqual(open(), [])
  clock.advance(100)
  assert.deepEqual(open(), [['backend smtp://a:25', 'warning']])
})

test('backends that change without end are looked at all the same, and no more than twice a second', () => {
  const looks: number[] = []
  const { clock, conditions } = start(undefined, () => looks.push(clock.monotonicMs()))
  const change = { kind: 'backend-state', atMs: 0, backend: 'smtp://a:25', endpoint: undefined } as const
  for (let ms = 0; ms < 5_000; ms += 50) {
    conditions.tell({ ...change, from: 'up', to: 'down', why: 'connection refused' })
    clock.advance(50)
  }
  assert.equal(looks[0], 100)
  assert.ok(looks.length >= 8 && looks.length <= 10, String(looks))
})

test('a hold that can keep nothing is an error while it lasts, told once and not by each message', () => {
  const { conditions, close, open, notes, clock } = start()
  close('the store cannot be written')
  const alert = (event: string) =>
    conditions.tell({ kind: 'alert', atMs: clock.now(), event, about: { why: 'read-only' } })
  alert('the store cannot be written')
  alert('message not held')
  clock.advance(200)
  assert.deepEqual(open(), [['hold', 'error']])
  close(undefined)
  conditions.look()
  assert.deepEqual(open(), [])
  assert.deepEqual(
    notes.map(({ kind, title }) => [kind, title]),
    [
      ['hold-closed', 'mail cannot be held'],
      ['hold-closed-over', 'mail can be held again'],
    ],
  )
})
