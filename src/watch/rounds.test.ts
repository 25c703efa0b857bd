import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../test/lab/fake-clock.ts'
import { factsOf } from '../../test/unit/facts/facts.ts'
import { host } from '../../test/unit/facts/names.ts'
import { silentLog } from '../base/log.ts'
import { seededRandom } from '../base/random.ts'
import type { Checked } from '../checks/check-domain.ts'
import type { Finding, NotChecked, Severity } from '../checks/finding.ts'
import type { Alerting } from './alerts/alerting.ts'
import type { Condition, Note } from './condition.ts'
import type { HistoryEvent } from './history.ts'
import { createRounds } from './rounds.ts'
import type { WatchedDomain } from './settings.ts'

const finding = (id: string, severity: Severity, name = 'example.com'): Finding => ({
  ...{ kind: 'finding', id: id as Finding['id'], severity, title: `title of ${id}`, seen: 'Seen.', why: 'Because.' },
  ...{ subject: { kind: 'domain', name }, remedy: { text: 'Mend it.' }, rfc: [], data: {} },
})
const notChecked = (id: string): NotChecked => ({
  ...{ kind: 'not-checked', id: id as NotChecked['id'], title: '', why: 'No answer.', reason: 'no-answer' },
  subject: { kind: 'domain', name: 'example.com' },
})

function start({ everyMs = 3_600_000, domains = ['example.com'] }: { everyMs?: number; domains?: string[] } = {}) {
  const clock = createFakeClock()
  const events: HistoryEvent[] = []
  const notes: Note[] = []
  const open = new Map<string, Condition>()
  const kept = new Map<string, string>()
  const checkedNames: string[] = []
  let next: (domain: WatchedDomain) => Promise<Checked> = async () => ({ facts: factsOf(), outcomes: [] })
  let watched = domains.map((name): WatchedDomain => ({ name: host(name), declaration: undefined }))
  const alerting: Alerting = {
    raise(condition) {
      open.set(condition.key, condition)
      return true
    },
    clear(key) {
      open.delete(key)
      return undefined
    },
    clearAllBut(prefix, keys) {
      for (const key of [...open.keys()]) if (key.startsWith(prefix) && !keys.has(key)) open.delete(key)
      return []
    },
    note: (note) => void notes.push(note),
    open: () =>
      [...open.values()].map((condition) => ({ condition, sinceMs: 0, toldMs: 0, clearedMs: undefined, returns: 0 })),
    tellNow() {},
    stop() {},
  }
  const rounds = createRounds({
    clock,
    random: seededRandom(7),
    log: silentLog,
    alerting,
    history: {
      note: (event) => void events.push(event),
      async see(domain, _, value) {
        kept.set(domain, value)
      },
      async seen(domain) {
        const value = kept.get(domain)
        return value === undefined ? undefined : { atMs: 0, value }
      },
    },
    everyMs: () => everyMs,
    domains: () => watched,
    check(domain) {
      checkedNames.push(domain.name)
      return next(domain)
    },
    looked() {},
  })
  return {
    ...{ clock, rounds, events, notes, open, checkedNames, kept },
    will: (...outcomes: (Finding | NotChecked)[]) => {
      next = async () => ({ facts: factsOf(), outcomes })
    },
    answer: (check: typeof next) => {
      next = check
    },
    declare: (...names: string[]) => {
      watched = names.map((name) => ({ name: host(name), declaration: undefined }))
      rounds.changed()
    },
  }
}

const name = host('example.com')
const settle = async () => {
  for (let turn = 0; turn < 30; turn++) await Promise.resolve()
}

test('a finding that appears, worsens and goes is an event each time, and a condition while it lasts', async () => {
  const { rounds, events, open, will } = start({ everyMs: 0 })
  will(finding('single-exchanger', 'warning'))
  await rounds.checkNow(name)
  await rounds.checkNow(name)
  will(finding('single-exchanger', 'error'))
  await rounds.checkNow(name)
  assert.equal([...open.values()][0]?.severity, 'error')
  will()
  await rounds.checkNow(name)
  assert.deepEqual(
    events.map(({ kind, severity }) => [kind, severity]),
    [
      ['finding-appeared', 'warning'],
      ['finding-worsened', 'error'],
      ['finding-gone', 'notice'],
    ],
  )
  const [appeared, , gone] = events
  assert.equal(gone?.title, `no longer so: ${appeared?.title}`)
  assert.match(gone?.detail ?? '', /^It had been so for /)
  assert.equal(open.size, 0)
})

test('what could not be looked at is neither gone nor new', async () => {
  const { rounds, events, open, will } = start({ everyMs: 0 })
  will(finding('tls-certificate-expired', 'error'))
  await rounds.checkNow(name)
  will(notChecked('tls-certificate-expired'))
  const state = await rounds.checkNow(name)
  assert.equal(state.findings.length, 1)
  assert.equal(open.size, 1)
  assert.equal(events.length, 1)
})

test('a notice is kept and nobody is alarmed', async () => {
  const { rounds, events, open, will } = start({ everyMs: 0 })
  will(finding('mx-ttl-extreme', 'notice'))
  await rounds.checkNow(name)
  assert.equal(events.length, 1)
  assert.equal(open.size, 0)
})

test('records that somebody else changed are told with what they were and are', async () => {
  const { rounds, notes, answer } = start({ everyMs: 0 })
  await rounds.checkNow(name)
  assert.equal(notes.length, 0)
  const facts = factsOf((usual) => {
    if (usual.mx.kind !== 'answer') return assert.fail()
    return { ...usual, mx: { ...usual.mx, records: usual.mx.records.slice(0, 1) } }
  })
  answer(async () => ({ facts, outcomes: [] }))
  await rounds.checkNow(name)
  assert.equal(notes.length, 1)
  assert.deepEqual([notes[0]?.kind, notes[0]?.severity], ['records-changed', 'warning'])
  assert.match(notes[0]?.detail ?? '', /example\.com MX: was 10 .*; 20 .*, is 10 /)
})

test('a look-up that fails is no change of records', async () => {
  const { rounds, notes, answer } = start({ everyMs: 0 })
  await rounds.checkNow(name)
  const { mx } = factsOf()
  const failed = {
    kind: 'failed',
    name: mx.kind === 'answer' ? mx.name : assert.fail(),
    aliases: [],
    reason: 'timeout',
  } as never
  answer(async () => ({ facts: { ...factsOf(), mx: failed, exchangers: [] }, outcomes: [] }))
  await rounds.checkNow(name)
  answer(async () => ({ facts: factsOf(), outcomes: [] }))
  await rounds.checkNow(name)
  assert.deepEqual(notes, [])
})

test('after a restart the last state is read, so that nothing appears twice', async () => {
  const first = start({ everyMs: 0 })
  first.will(finding('single-exchanger', 'warning'))
  await first.rounds.checkNow(name)
  const second = start({ everyMs: 0 })
  second.kept.set('example.com', first.kept.get('example.com') ?? '')
  second.will(finding('single-exchanger', 'warning'))
  await second.rounds.checkNow(name)
  assert.deepEqual(second.events, [])
})

test('each domain has its turn once a round, spread over it, at most four at once', async () => {
  const domains = Array.from({ length: 20 }, (_, number) => `d${number}.example`)
  const { clock, checkedNames, answer } = start({ everyMs: 600_000, domains })
  let most = 0
  let now = 0
  const ends: (() => void)[] = []
  answer(async () => {
    most = Math.max(most, ++now)
    await new Promise<void>((end) => void ends.push(end))
    now--
    return { facts: factsOf(), outcomes: [] }
  })
  for (let second = 0; second < 120; second++) {
    clock.advance(1_000)
    await settle()
    if (second % 10 === 9) for (const end of ends.splice(0)) end()
    await settle()
  }
  assert.equal(most, 4)
  assert.deepEqual(checkedNames.slice(0, 20).toSorted(), domains.toSorted())
})

test('a check that fails keeps the others from nothing', async () => {
  const { clock, checkedNames, answer, rounds } = start({ everyMs: 60_000, domains: ['a.example', 'b.example'] })
  answer(async () => {
    throw new Error('broken')
  })
  for (let second = 0; second < 120; second++) {
    clock.advance(1_000)
    await settle()
  }
  assert.ok(checkedNames.filter((each) => each === 'b.example').length >= 2)
  rounds.stop()
})

test('a reload goes on with the round: what stays keeps its turn, what is new comes last, what left is not checked', async () => {
  const domains = Array.from({ length: 10 }, (_, number) => `d${number}.example`)
  const { clock, rounds, checkedNames, declare } = start({ everyMs: 600_000, domains })
  const until = async (checks: number) => {
    for (let second = 0; second < 3_600 && checkedNames.length < checks; second++) {
      clock.advance(1_000)
      await settle()
    }
  }
  await until(4)
  const done = [...checkedNames]
  const [gone = '', ...left] = domains.filter((each) => !done.includes(each))
  const added = ['new1.example', 'new2.example']
  for (let time = 0; time < 5; time++) declare(...added, ...domains.filter((each) => each !== gone))
  await until(11)
  rounds.stop()
  assert.deepEqual(checkedNames.slice(4, 9).toSorted(), left.toSorted())
  assert.deepEqual(checkedNames.slice(9).toSorted(), added)
})

test('who loads again and again keeps no domain from its turn', async () => {
  const { clock, rounds, checkedNames, declare } = start({ everyMs: 3_600_000 })
  for (let minute = 0; minute < 180; minute++) {
    clock.advance(60_000)
    await settle()
    declare('example.com')
  }
  rounds.stop()
  assert.ok(checkedNames.length >= 3, `checked ${checkedNames.length} times in three hours`)
})

test('what a check finds after the end is told to nobody', async () => {
  const { rounds, events, open, answer } = start({ everyMs: 0 })
  const end = Promise.withResolvers<Checked>()
  answer(() => end.promise)
  const checking = rounds.checkNow(name)
  rounds.stop()
  end.resolve({ facts: factsOf(), outcomes: [finding('single-exchanger', 'error')] })
  assert.equal((await checking).findings.length, 1)
  assert.deepEqual([events.length, open.size], [0, 0])
})

test('of a domain that is declared no more nothing is wrong any more', async () => {
  const { rounds, open, will, declare } = start({ everyMs: 0 })
  will(finding('single-exchanger', 'error'))
  await rounds.checkNow(name)
  assert.equal(open.size, 1)
  declare('example.org')
  assert.equal(open.size, 0)
})
