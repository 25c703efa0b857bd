import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters, styleText } from 'node:util'
import { labName } from '../../../test/lab/names.ts'
import type { HostName } from '../../dns/name.ts'
import { typeCodes } from '../../dns/types.ts'
import { wantedIn } from '../../publish/declare/wanted.ts'
import type { Concern } from '../../publish/plan/consequences.ts'
import type { Examined } from '../../publish/plan/examine.ts'
import { planZone } from '../../publish/plan/plan.ts'
import { noLimits, type Target } from '../../publish/targets/target.ts'
import { planText } from './plan-report.ts'
import type { NamedStep, PlannedStep } from './planned-step.ts'

const domain = 'example.test' as HostName
const zone = labName('example.test')
const mx = (preference: number, host: string) => ({ type: 'MX', preference, exchange: labName(host) }) as const

function planned(...hosts: readonly (readonly [number, string])[]) {
  const exchangers = hosts.map(([preference, host]) => ({ preference, host: host as HostName, addresses: undefined }))
  const declaration = { domain, exchangers, ttlSeconds: 60, publisher: 'here', texts: [], absent: [] }
  const live = [{ name: zone, code: typeCodes.MX, ttlSeconds: 60, data: [mx(10, 'a.test'), mx(30, 'old.test')] }]
  return { declaration, plan: planZone(zone, wantedIn(zone, [declaration]).sets, live, noLimits) }
}

const target: Target = {
  ...{ publisher: 'here', place: 'a place', zone, limits: noLimits, servers: [] },
  read: async () => ({ kind: 'refused', why: 'a test' }),
  apply: async () => ({ kind: 'refused', why: 'a test' }),
  close() {},
}

const concern: Concern = { severity: 'refuse', rule: 'mta-sts', domain, why: 'it is not listed', remedy: 'List it.' }

function zones(): Examined[] {
  const { declaration, plan } = planned([20, 'a.test'], [5, 'b.test'])
  const unit = { publisher: 'here', zone, declarations: [declaration] }
  const other = { publisher: 'there', zone: labName('other.test'), declarations: [] }
  const noted = { ...plan, notes: ['a note'] }
  return [
    { kind: 'examined', unit, target, plan: noted, version: '', isNewZone: false, concerns: [concern] },
    { kind: 'failed', unit: other, failure: { kind: 'unreachable', why: 'it does not answer', remedy: 'Start it.' } },
  ]
}

const named = (isBack = false): NamedStep => ({
  migration: {
    ...{ domain: 'moving.test' as HostName, to: 'fastmail', isBack, startedAtMs: 0, seen: [], lowTtlSeconds: 60 },
    ...{ old: { ttlSeconds: 60, exchangers: [] }, next: { ttlSeconds: 60, exchangers: [] } },
    ...{ cachedUntilMs: undefined, policy: undefined },
  },
  ...{ stage: 'add', what: 'add the new ones' },
})
const step = (records: PlannedStep['records']): PlannedStep => ({ ...named(), records })

const moving = `moving.test to fastmail, the next step of its migration
  > add the new ones`

test('a plan as people read it: what changes and why, what it would do, what could not be told, and what is next', () => {
  const records = { kind: 'plan', plan: planned([10, 'a.test'], [30, 'old.test'], [40, 'new.test']).plan } as const
  const text = planText(zones(), { color: false, allowed: new Set() }, [step(records)])
  assert.equal(
    text,
    `example.test at here (a place)
  ~ example.test.  MX    10 a.test. -> 20 a.test.  TTL 60  exchangers of example.test
  + example.test.  MX    5 b.test.  TTL 60                 exchangers of example.test
  - example.test.  MX    30 old.test.  TTL 60              not among the exchangers of example.test
  ✗ refused: it is not listed (mta-sts)
    List it.
    It is done all the same with --allow mta-sts
  note: a note

other.test at there
  ✗ it does not answer
    Start it.

${moving}
  = example.test.  MX    10 a.test.  TTL 60
  = example.test.  MX    30 old.test.  TTL 60
  + example.test.  MX    40 new.test.  TTL 60  exchangers of example.test

1 to add, 1 to change, 1 to remove. 1 step of migrations. 1 zone could not be told.

✗ "waypost apply" refuses this (mta-sts), and does it all the same with --allow mta-sts
`,
  )
})

test('steps are named without their records where these are shown later; what stands in the way is told in a plan', () => {
  const told = (each: NamedStep | PlannedStep) =>
    planText([], { color: false, allowed: new Set() }, [each]).split('\n\n')[0]
  const drifted = { kind: 'drifted', why: 'somebody else was there', remedy: 'Look.' } as const
  assert.equal(told(named()), moving)
  assert.equal(told(step(drifted)), `${moving}\n  ✗ somebody else was there\n    Look.`)
  assert.match(told(named(true)) ?? '', /^moving\.test back from fastmail, /)
})

test('colours change nothing of what is said: green comes, red goes, yellow changes; what is allowed is a warning', () => {
  const plain = planText(zones(), { color: false, allowed: new Set(['mta-sts']) })
  const colored = planText(zones(), { color: true, allowed: new Set(['mta-sts']) })
  assert.equal(stripVTControlCharacters(colored), plain)
  assert.match(plain, /^ {2}! it is not listed \(mta-sts, allowed\)$/m)
  assert.doesNotMatch(plain, /refuse/)
  for (const [format, text] of [
    ['green', '+ example.test.  MX    5 b.test.'],
    ['red', '- example.test.  MX    30 old.test.'],
    ['yellow', '~ example.test.  MX    10 a.test. -> 20 a.test.'],
  ] as const) {
    const [start] = styleText(format, ' ', { validateStream: false }).split(' ')
    assert.ok(colored.includes(`${start}${text}`), format)
  }
})
