import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BackendReport } from '../../gateway/backends/report.ts'
import { type DomainFacts, mailState } from './mail-state.ts'

const dayMs = 24 * 60 * 60_000
const report = (url: string, state: BackendReport['state']): BackendReport => ({
  ...{ url, address: '', state, sessions: 0, lastError: null, share: 0 },
})

/** @param words  `a:up b:down@20`: backends with their state and, behind "@", their preference */
function stateOf(words: string, more: Partial<DomainFacts> = {}) {
  const backends = words.split(' ').map((word) => {
    const [, url = '', state = 'up', preference = '10'] = /^(\w+):(\w+)(?:@(\d+))?$/.exec(word) ?? []
    return { url, state: state as BackendReport['state'], preference: Number(preference) }
  })
  return mailState({
    route: {
      entries: backends.map(({ url, preference }) => ({ backend: { url } as never, preference, weight: 1 })),
    },
    hold: { holdMs: dayMs },
    whyNotKept: undefined,
    reports: new Map(backends.map(({ url, state }) => [url, [report(url, state)]])),
    misconfigured: undefined,
    waiting: 0,
    stopped: new Map(),
    label: (url) => url.toUpperCase(),
    ...more,
  })
}

test('mail flows while all are well; what is held then is on its way', () => {
  assert.deepEqual(stateOf('a:up b:up'), { state: 'flows', why: '', isDraining: false })
  assert.deepEqual(stateOf('a:up', { waiting: 3 }), {
    state: 'flows',
    why: '3 held messages on the way.',
    isDraining: true,
  })
})

test('degraded: one is not well, a spare serves, a drain is stopped', () => {
  assert.deepEqual(stateOf('a:down b:up'), {
    state: 'degraded',
    why: 'A is down, 1 other of its route is well.',
    isDraining: false,
  })
  assert.match(stateOf('a:down b:up@20').why, /a spare takes the mail/)
  assert.match(stateOf('a:suspect b:up@20').why, /a spare takes the mail/)
  assert.doesNotMatch(stateOf('a:suspect b:suspect@20').why, /a spare takes the mail/)
  assert.equal(stateOf('a:suspect').state, 'degraded')
  const halted = stateOf('a:up', { waiting: 9, stopped: new Map([['a', 'it knows nobody']]) })
  assert.deepEqual([halted.state, halted.isDraining], ['degraded', false])
  assert.match(halted.why, /^The drain to A is stopped: it knows nobody/)
})

test('holding while nobody answers; failing where nothing is kept', () => {
  assert.deepEqual(stateOf('a:down b:slow', { waiting: 2 }), {
    state: 'holding',
    why: 'No backend answers; mail is kept here until one does: 2 messages.',
    isDraining: false,
  })
  assert.match(stateOf('a:out').why, /^Every backend is out of service/)
  assert.equal(stateOf('a:down', { hold: { holdMs: 0 } }).state, 'failing')
  assert.match(stateOf('a:down', { whyNotKept: '' }).why, /senders are asked to come again/)
})

test('failing where its MX does not let its mail be handed on, whoever is up or down', () => {
  const misconfigured = 'we do not stand in the MX of example.test'
  const failing = {
    state: 'failing',
    why: 'We do not stand in the MX of example.test; nothing is held for it, and senders are asked to come again (451 4.3.5).',
    isDraining: false,
  }
  assert.deepEqual(stateOf('a:down', { misconfigured }), failing)
  assert.deepEqual(stateOf('a:up', { misconfigured, waiting: 2 }), failing)
})

test('a backend with one address that is well serves, and one that nobody has asked yet is taken for well', () => {
  const reports = new Map([['a', [report('a', 'down'), report('a', 'up')]]])
  assert.deepEqual(stateOf('a:up', { reports }), {
    state: 'degraded',
    why: 'A serves, but one of its 2 addresses is down.',
    isDraining: false,
  })
  assert.equal(stateOf('a:up', { reports: new Map() }).state, 'flows')
})

test('what has no backend and no room to be kept fails, and says why', () => {
  const { state, why } = stateOf('a:down', { whyNotKept: 'the hold is full' })
  assert.equal(state, 'failing')
  assert.match(why, /the hold is full, so senders are asked to come again/)
})
