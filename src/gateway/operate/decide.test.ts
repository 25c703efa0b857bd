import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lane, mailbox } from '../../../test/unit/held-message.ts'
import { type HeldRecipient, type RecipientState, recipientStates } from '../../queue/queue.ts'
import { type Circumstances, decide } from './decide.ts'

const inState = (state: RecipientState, more: Partial<HeldRecipient> = {}): HeldRecipient => ({
  index: 0,
  recipient: mailbox('you@example.test'),
  lane: lane('old'),
  state,
  wasKnown: true,
  attempts: 1,
  notBeforeMs: undefined,
  backend: undefined,
  elsewhereMs: undefined,
  lastReply: undefined,
  lastHost: undefined,
  lastAttemptMs: undefined,
  keepUntilMs: undefined,
  firstRefusedMs: undefined,
  wasDelayTold: false,
  ...more,
})

const today: Circumstances = { nowMs: 1_000, watchedUntilMs: 0, isNamed: false, lane: lane('today'), hasWays: true }
type What = Parameters<typeof decide>[0]

/** What becomes of each state: where it goes, `…` for a sentence of ours, `-` where the command does not mean it. */
function outcomes(what: What, at: Partial<Circumstances> = {}): Readonly<Record<string, string>> {
  const word = (state: RecipientState) => {
    const decision = decide(what, inState(state), { ...today, ...at })
    if (decision === undefined) return '-'
    if (typeof decision === 'string') return '…'
    if ('already' in decision) return 'already'
    assert.ok(decision.from.includes(state), `${state} is none that ${what} may be done to`)
    return decision.to.kind
  }
  return Object.fromEntries(recipientStates.map((state) => [state, word(state)]))
}

const nothing = Object.fromEntries(recipientStates.map((state) => [state, '-']))
const everything = (to: string) => Object.fromEntries(recipientStates.map((state) => [state, to]))

test('what is being answered at this moment is left alone, and said so where it was named', () => {
  for (const what of ['hold', 'release', 'remove', 'retry', 'route'] as const) {
    assert.equal(decide(what, inState('offered'), today), undefined)
    assert.match(String(decide(what, inState('offered'), { ...today, isNamed: true })), /being answered/)
  }
})

test('hold keeps back what waits, and nothing that has ended', () => {
  const waits = { ready: 'held', waiting: 'held', unknown: 'held', 'no-route': 'held' }
  assert.deepEqual(outcomes('hold'), { ...nothing, ...waits })
  assert.deepEqual(outcomes('hold', { isNamed: true }), { ...everything('…'), ...waits, held: 'already' })
})

test('release lets go what a person holds, and nothing else', () => {
  assert.deepEqual(outcomes('release'), { ...nothing, held: 'ready' })
  assert.deepEqual(outcomes('release', { isNamed: true }), { ...everything('already'), offered: '…', held: 'ready' })
  assert.deepEqual(outcomes('release', { lane: undefined }), { ...nothing, held: 'no-route' })
  // A stopped gateway knows no ways: the drain finds out.
  assert.deepEqual(outcomes('release', { lane: undefined, hasWays: false }), { ...nothing, held: 'ready' })
})

test('remove takes everything away but what is being answered', () => {
  assert.deepEqual(outcomes('remove'), { ...everything('gone'), offered: '-' })
})

test('retry: what waits goes now; what has ended only where it was named; what a person holds is to be released', () => {
  const waits = { ready: 'ready', waiting: 'ready', unknown: 'ready', 'no-route': 'ready' }
  assert.deepEqual(outcomes('retry'), { ...nothing, ...waits })
  assert.deepEqual(outcomes('retry', { isNamed: true }), { ...everything('ready'), offered: '…', held: '…' })
  assert.equal(outcomes('retry', { lane: undefined })['no-route'], '-')
  assert.equal(outcomes('retry', { lane: undefined, isNamed: true })['no-route'], '…')
})

test('another way: for everything but what is being answered, and what a person holds stays held', () => {
  assert.deepEqual(outcomes('route'), { ...everything('ready'), offered: '-', held: 'held' })
  assert.deepEqual(outcomes('route', { lane: undefined }), { ...everything('…'), offered: '-' })
  const decision = decide('route', inState('refused'), today)
  assert.deepEqual(decision, { to: { kind: 'ready' }, from: ['refused'], lane: 'today' })
})

test('what a backend may have goes nowhere while its word may come, and then to that backend first', () => {
  const unknown = inState('unknown', { backend: 'smtp://one', elsewhereMs: 9_000 })
  const watched = { ...today, watchedUntilMs: 2_000 }
  assert.match(String(decide('retry', unknown, watched)), /may have it/)
  assert.match(String(decide('route', unknown, watched)), /may have it/)

  const toIt = { kind: 'unknown', backend: 'smtp://one', elsewhereMs: 9_000 }
  const retried = { to: { ...toIt, notBeforeMs: 1_000 }, from: ['unknown'], lane: 'today' }
  assert.deepEqual(decide('retry', unknown, { ...today, watchedUntilMs: 1_000 }), retried)
  // One that was kept back meanwhile is still watched when it is released.
  const held = inState('held', { backend: 'smtp://one', elsewhereMs: 9_000 })
  const released = { to: { ...toIt, notBeforeMs: 2_000 }, from: ['held'], lane: 'today' }
  assert.deepEqual(decide('release', held, watched), released)
  // So is one whose route went, and one that a fault of our own had set aside.
  for (const state of ['no-route', 'set-aside'] as const) {
    const decision = decide('retry', inState(state, { backend: 'smtp://one', elsewhereMs: 9_000 }), {
      ...watched,
      isNamed: true,
    })
    assert.deepEqual(typeof decision === 'object' && 'to' in decision && decision.to, { ...toIt, notBeforeMs: 2_000 })
  }
})
