import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../base/random.ts'
import { reply } from '../../mail/reply.ts'
import { type HeldRecipient, recipientStates } from '../../queue/queue.ts'
import { holdPolicy } from '../../routing/hold-policy.ts'
import type { Answer, Carried } from '../carry/carried.ts'
import type { Way } from '../ways/lanes.ts'
import { listenUntilMs } from './may-have-it.ts'
import { type Answered, beforeOf, sortAnswers } from './sort-answers.ts'

const nowMs = 1_700_000_000_000
const day = 86_400_000
const way = { policy: holdPolicy({}, {}) } as unknown as Way
const said = (code: number, enhanced: string, by: 'backend' | 'us' = 'backend'): Answer => ({
  kind: 'said',
  by,
  reply: reply(code, enhanced, 'so it is'),
})
const accepted: Answer = { kind: 'accepted', reply: reply(250, '2.0.0', 'taken') }
const outage: Answer = { kind: 'outage', reply: reply(451, '4.4.1', 'nobody there') }
const held = (more: Partial<HeldRecipient> = {}) => ({ wasKnown: true, attempts: 0, ...more }) as HeldRecipient

const before = { from: ['ready'] } as const

const silent = {
  kind: 'unknown',
  endpoint: { backend: { key: 'smtp://b' } },
  fault: { kind: 'timeout', step: 'dot', reply: undefined, detail: 'silence' },
  late: undefined,
  waitedMs: 0,
} as unknown as Carried

/** @returns what becomes of it in a word, with the minutes that it waits for */
function sorted(answered: Omit<Answered, 'index' | 'before'>, carried?: Carried): string {
  const { recipients, refused } = sortAnswers([{ index: 7, before, ...answered }], {
    nowMs,
    random: seededRandom(1),
    way,
    carried,
  })
  const [first] = [...recipients, ...refused]
  assert.equal(first?.index, 7)
  const to = recipients[0]?.to
  if (!to) return 'refused'
  return to.kind === 'waiting' ? `waiting ${Math.round((to.notBeforeMs - nowMs) / 60_000)}` : to.kind
}

test('what was said decides what becomes of a recipient', () => {
  assert.equal(sorted({ answer: accepted }), 'gone')
  assert.equal(sorted({ answer: said(550, '5.7.1') }), 'refused')
  assert.equal(sorted({ answer: said(450, '4.2.0') }), 'waiting 1')
  assert.match(sorted({ answer: said(450, '4.2.0'), held: held({ attempts: 9 }) }), /^waiting (?:2[4-9]|3[0-6])$/)
  // Nobody could be asked, or it is about us: as before, and when somebody can.
  assert.equal(sorted({ answer: outage }), 'ready')
  assert.equal(sorted({ answer: said(451, '4.3.5', 'us') }), 'ready')
  // A null MX is nobody's to mend.
  assert.equal(sorted({ answer: said(556, '5.1.10', 'us') }), 'refused')
})

test('an attempt comes to what matters most of what was said of its recipients', () => {
  const outcome = (answers: readonly (Answer | undefined)[], carried?: Carried) =>
    sortAnswers(
      answers.map((answer, index) => ({ index, before, answer })),
      { nowMs, random: seededRandom(1), way, carried },
    ).outcome
  assert.equal(outcome([said(550, '5.7.1'), accepted, said(450, '4.2.0')]), 'delivered')
  assert.equal(outcome([said(450, '4.2.0'), said(550, '5.7.1')]), 'refused')
  assert.equal(outcome([said(450, '4.2.0'), outage]), 'deferred')
  // A backend that may have it (LMTP answers for each) is heard later: what it says then is an attempt of its own.
  assert.equal(outcome([accepted, undefined], silent), 'unknown')
  assert.equal(outcome([said(550, '5.7.1'), undefined], silent), 'unknown')
})

test('a backend that had accepted a recipient must refuse it for a day before it is believed', () => {
  const unknown = said(550, '5.1.1')
  assert.equal(sorted({ answer: unknown }), 'refused')
  assert.equal(sorted({ answer: unknown, held: held({ wasKnown: false }) }), 'refused')
  assert.equal(sorted({ answer: unknown, held: held() }), 'waiting 1')
  assert.match(sorted({ answer: unknown, held: held({ firstRefusedMs: nowMs - day + 1 }) }), /^waiting/)
  assert.equal(sorted({ answer: unknown, held: held({ firstRefusedMs: nowMs - day }) }), 'refused')
  // Something else than that it does not exist is believed at once.
  assert.equal(sorted({ answer: said(554, '5.6.0'), held: held() }), 'refused')
  const [waiting] = sortAnswers([{ index: 0, before, answer: unknown, held: held({ firstRefusedMs: nowMs - 5 }) }], {
    nowMs,
    random: seededRandom(1),
    way,
    carried: undefined,
  }).recipients
  assert.equal(waiting?.to.kind === 'waiting' && waiting.to.firstRefusedMs, nowMs - 5)
})

test('behind a silent dot the unanswered are unknown, and those that were answered are not', () => {
  assert.equal(sorted({ answer: undefined }, silent), 'unknown')
  assert.equal(sorted({ answer: accepted }, silent), 'gone')
})

test('what is unknown has its times from our dot, and not from when we gave up', () => {
  const after = (waitedMs: number, late: object | undefined) => {
    const carried = { ...silent, waitedMs, late } as Carried
    const sorting = { nowMs, random: seededRandom(1), way, carried }
    const to = sortAnswers([{ index: 0, before, answer: undefined, held: held() }], sorting).recipients[0]?.to
    if (to?.kind !== 'unknown') assert.fail(JSON.stringify(to))
    return { notBeforeMs: to.notBeforeMs - nowMs, elsewhereMs: to.elsewhereMs - nowMs }
  }
  const { unknownWaitMs } = way.policy
  const listened = after(270_000, {})
  assert.ok(listened.notBeforeMs > 330_000 && listened.notBeforeMs < 340_000, `${listened.notBeforeMs} ms`)
  assert.equal(listened.elsewhereMs, unknownWaitMs - 270_000)
  assert.equal(after(120_000, undefined).notBeforeMs, 180_000)
  // The drain waits for all of it, and a pause follows.
  const waited = after(600_000, {})
  assert.ok(waited.notBeforeMs > 45_000 && waited.notBeforeMs < 75_000, `${waited.notBeforeMs} ms`)
  assert.equal(listenUntilMs({ waitedMs: 270_000 }, 1_000_000), 1_330_000)
})

test('a backend that breaks off behind each dot is given it ever more rarely, and its time does not begin anew', () => {
  const unknownWaitMs = 60 * 60_000
  const patient = { policy: holdPolicy({ unknownWait: unknownWaitMs }, {}) } as unknown as Way
  const behind = (of: HeldRecipient, atMs: number) => {
    const answered = [{ index: 0, before, answer: undefined, held: of }]
    const sorting = { nowMs: atMs, random: seededRandom(1), way: patient, carried: silent }
    const to = sortAnswers(answered, sorting).recipients[0]?.to
    return to?.kind === 'unknown' ? to : assert.fail(JSON.stringify(to))
  }
  const firstTo = behind(held(), nowMs)
  assert.deepEqual([firstTo.notBeforeMs, firstTo.elsewhereMs], [nowMs + 300_000, nowMs + unknownWaitMs])
  let last = firstTo
  const dots: number[] = []
  for (let attempts = 0; last.notBeforeMs < last.elsewhereMs; attempts++) {
    dots.push(last.notBeforeMs)
    last = behind(held({ ...last, attempts, notBeforeMs: undefined, state: 'unknown' }), last.notBeforeMs)
    assert.equal(last.elsewhereMs, firstTo.elsewhereMs)
  }
  assert.ok(dots.length <= 3, `${dots.length} copies more within the hour`)
  assert.equal(last.notBeforeMs, firstTo.elsewhereMs)
  // Another backend has it too: that one has an hour of its own.
  const other = behind(held({ ...last, attempts: 4, backend: 'smtp://other' }), last.notBeforeMs)
  assert.equal(other.elsewhereMs, last.notBeforeMs + unknownWaitMs)
  // Nobody else was there: as rarely as anything is tried.
  const again = behind(held({ ...last, attempts: 9 }), last.notBeforeMs)
  assert.equal(again.elsewhereMs, firstTo.elsewhereMs)
  assert.ok(again.notBeforeMs - last.notBeforeMs >= 24 * 60_000)
})

test('what a backend may have since an earlier dot stays behind that one, whatever puts it off', () => {
  const hourMs = 60 * 60_000
  const after = (answer: Answer, more: Partial<HeldRecipient> = {}) => {
    const bound = held({ state: 'unknown', backend: 'smtp://b', elsewhereMs: nowMs + hourMs, ...more })
    const sorting = { nowMs, random: seededRandom(1), way, carried: undefined }
    const [first] = sortAnswers([{ index: 0, before: beforeOf(bound), answer, held: bound }], sorting).recipients
    return first?.to
  }
  for (const answer of [said(450, '4.2.0'), said(550, '5.1.1'), said(451, '4.3.5', 'us'), outage]) {
    const to = after(answer)
    assert.ok(to?.kind === 'unknown', JSON.stringify(answer))
    assert.deepEqual([to.backend, to.elsewhereMs], ['smtp://b', nowMs + hourMs])
    assert.ok(to.notBeforeMs > nowMs && to.notBeforeMs < nowMs + 2 * 60_000)
    assert.equal(to.firstRefusedMs, answer.reply.code === 550 ? nowMs : undefined)
  }
  // Others are asked as soon as they may be, and where one of them has put it off, it is known still who may have it.
  const soon = after(said(450, '4.2.0'), { attempts: 9, elsewhereMs: nowMs + 1 })
  assert.equal(soon?.kind === 'unknown' && soon.notBeforeMs, nowMs + 1)
  const later = after(said(450, '4.2.0'), { elsewhereMs: nowMs - 1 })
  assert.ok(later?.kind === 'unknown' && later.notBeforeMs > nowMs)
  assert.equal(after(accepted)?.kind, 'gone')
})

test('but for a yes, nothing is said of what others have moved since the backend was asked', () => {
  const ready = beforeOf(held({ state: 'ready' }))
  const bound = beforeOf(held({ state: 'unknown', backend: 'smtp://b' }))
  assert.deepEqual([ready, bound], [{ from: ['ready'] }, { from: ['unknown'], behind: 'smtp://b' }])
  const answers: (Answer | undefined)[] = [accepted, said(450, '4.2.0'), outage, undefined]
  for (const compared of [ready, bound])
    for (const answer of answers) {
      const [first] = sortAnswers([{ index: 0, before: compared, answer }], {
        nowMs,
        random: seededRandom(1),
        way,
        carried: silent,
      }).recipients
      assert.deepEqual(first?.from, answer === accepted ? recipientStates : compared.from)
      assert.equal(first?.behind, answer === accepted ? undefined : compared.behind)
    }
})
