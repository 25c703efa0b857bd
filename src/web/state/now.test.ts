import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { idle } from '../../../test/lab/web.ts'
import type { BackendReport } from '../../gateway/backends/report.ts'
import type { DomainSummary } from '../../queue/queue.ts'
import { createNow } from './now.ts'

const route = { id: 'r', balance: 'round-robin', entries: [] }
const declared = (name: string, subdomains: boolean) => ({ name, subdomains, route, hold: { holdMs: 1000 } })
const held = (domain: string, messages: number, oldestMs: number): DomainSummary =>
  ({ domain, messages, bytes: 0, oldestMs, byState: { ready: messages, refused: 1 } }) as never

function nowOf(
  domains: readonly object[],
  rows: readonly DomainSummary[],
  reports: readonly BackendReport[] = [],
  seconds: typeof idle.figures.seconds = () => [],
  whyMisconfigured: typeof idle.gateway.whyMisconfigured = () => undefined,
) {
  const clock = createFakeClock()
  let made = 0
  const now = createNow({
    ...{ ...idle, clock, canKeep: { whyNot: () => undefined } },
    gateway: { ...idle.gateway, backends: () => reports, whyMisconfigured },
    figures: { ...idle.figures, seconds },
    gatewaySettings: () => ({ hostname: 'mx.example.com', destinations: { domains, routes: [route] } }) as never,
    queue: {
      totals: { messages: 0, bytes: 0, oldestMs: undefined },
      lanes: () => [],
      domains() {
        made++
        return [...rows]
      },
    },
  })
  return { clock, now, made: () => made }
}

test('a domain that covers subdomains has what is held below it, at any depth, and not its own name', () => {
  const domains = [declared('example.com', false), declared('example.com', true), declared('b.example.com', true)]
  const rows = [
    held('example.com', 1, 50),
    held('a.example.com', 2, 30),
    held('x.b.example.com', 4, 20),
    held('notexample.com', 8, 10),
  ]
  const { now } = nowOf(domains, rows)
  const shown = (name: string) => {
    const { held: messages, oldestMs, needPerson } = now.live(name)?.now ?? assert.fail(name)
    return [messages, oldestMs, needPerson]
  }
  assert.deepEqual(shown('example.com'), [1, 50, 1])
  assert.deepEqual(shown('*.example.com'), [6, 20, 2])
  assert.deepEqual(shown('*.b.example.com'), [4, 20, 1])
})

test('however many look, it is made twice a second at most, and once more where something changed', () => {
  const { clock, now, made } = nowOf([declared('example.com', false)], [])
  for (let times = 0; times < 10; times++) now.overview(true)
  assert.equal(made(), 1)
  now.changed()
  now.overview(true)
  now.overview(true)
  assert.equal(made(), 2)
  clock.advance(600)
  now.overview(true)
  assert.equal(made(), 3)
})

test('the share of a backend of several routes is told of each, to who is known', () => {
  const shares = [
    { route: 'alpha.test', share: 1 / 3 },
    { route: 'beta.test', share: 1 },
  ]
  const report = { url: 'smtp://a', address: '', state: 'up', sessions: 0, lastError: null, share: 1, shares } as const
  const { now } = nowOf([], [], [report])
  assert.deepEqual(now.backends(true)[0]?.shares, shares)
  assert.equal(now.backends(false)[0]?.shares, undefined)
})

test('domains come with what is worst first, then by name, and of many the first are listed', () => {
  const wayTo = (url: string) => ({ ...route, entries: [{ backend: { url }, preference: 10, weight: 1 }] })
  const at = (url: string, state: BackendReport['state']): BackendReport => ({
    ...{ url, address: '10.0.0.1:25', state, sessions: 0, share: 1, lastError: null },
  })
  const many = Array.from({ length: 60 }, (_, number) => `m${String(number).padStart(2, '0')}.test`)
  const domains = [
    ...many.toReversed().map((name) => ({ ...declared(name, false), route: wayTo('smtp://a') })),
    { ...declared('holds.test', false), route: wayTo('smtp://b') },
    { ...declared('fails.test', false), route: wayTo('smtp://b'), hold: { holdMs: 0 } },
  ]
  const { now } = nowOf(domains, [held('m30.test', 2, 10)], [at('smtp://a', 'up'), at('smtp://b', 'down')])
  const overview = now.overview(true)
  assert.deepEqual(overview.states, { flows: 60, degraded: 0, holding: 1, failing: 1 })
  const [fails, holds, drains, ...others] = overview.domains
  assert.deepEqual(
    [fails, holds, drains].map((domain) => [domain?.name, domain?.state, domain?.held]),
    [
      ['fails.test', 'failing', 0],
      ['holds.test', 'holding', 0],
      ['m30.test', 'flows', 2],
    ],
  )
  assert.equal(drains?.isDraining, true)
  assert.deepEqual(
    others.map(({ name }) => name),
    many.filter((name) => name !== 'm30.test').slice(0, 47),
  )
  assert.equal(overview.domainCount, 62)
})

test('what senders brought in the last minute is told beside who is connected, whatever they heard', () => {
  const asked: number[] = []
  const second = { atMs: 0, delivered: 3, refused: 2, deferred: 1, held: 1, unknown: 1, drained: 9 }
  const { now } = nowOf([], [], [], (most) => {
    asked.push(most)
    return most === 60 ? [second, { ...second, delivered: 0 }] : []
  })
  const { lastMinute, connections } = now.overview(false)
  assert.deepEqual([lastMinute, connections, asked.includes(60)], [13, 0, true])
})

test('a domain whose MX does not let its mail be handed on is failing, and who is not known hears no name', () => {
  const route = {
    ...{ id: 'r', balance: 'round-robin' },
    entries: [{ backend: { url: 'mx' }, preference: 10, weight: 1 }],
  }
  const domains = ['one.test', 'two.test'].map((name) => ({ ...declared(name, false), route }))
  const why = (_: unknown, name: string) =>
    name === 'one.test' ? 'we do not stand in the MX of other.test' : undefined
  const { now } = nowOf(domains, [], [], undefined, why)
  const states = (isKnown: boolean) =>
    now.overview(isKnown).domains.map(({ name, state, why }) => [name, state, why.split(';')[0]])
  assert.deepEqual(states(true), [
    ['one.test', 'failing', 'We do not stand in the MX of other.test'],
    ['two.test', 'flows', ''],
  ])
  assert.match(String(states(false)[0]), /Its MX does not let it be handed on$/)
})
