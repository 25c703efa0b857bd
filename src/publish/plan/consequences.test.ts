import assert from 'node:assert/strict'
import { test } from 'node:test'
import { labName } from '../../../test/lab/names.ts'
import type { IpAddress } from '../../base/ip.ts'
import { comingTimeText, pastTimeText, spanText } from '../../base/time-text.ts'
import type { HostName } from '../../dns/name.ts'
import type { Rdata } from '../../dns/rdata.ts'
import { typeCodes } from '../../dns/types.ts'
import { refusedBy } from '../apply/apply.ts'
import { nullMx, type WantedSet } from '../declare/wanted.ts'
import { noLimits } from '../targets/target.ts'
import type { ExchangerProspect } from './ask-exchangers.ts'
import { type Circumstances, consequences } from './consequences.ts'
import type { PolicyProspect } from './find-policy.ts'
import { planZone } from './plan.ts'

const domain = 'example.com' as HostName
const zone = labName(domain)
const mx = (preference: number, host: string): Rdata => ({ type: 'MX', preference, exchange: labName(host) })
const nowMs = Date.UTC(2026, 10, 23, 12)

interface Case {
  readonly before?: readonly Rdata[]
  readonly after: readonly Rdata[]
  readonly ttl?: number
  readonly exchangers?: readonly ExchangerProspect[]
  readonly policy?: PolicyProspect
  readonly cachedUntilMs?: number
  readonly cachedUnread?: string
}

function judge(judged: Case): string[] {
  const { before = [], after, ttl = 300, exchangers, policy = { kind: 'none' }, cachedUntilMs, cachedUnread } = judged
  const set = { name: zone, code: typeCodes.MX, ttlSeconds: ttl }
  const wanted: WantedSet = { ...set, data: after, owned: { kind: 'set' }, domain, reason: 'exchangers of example.com' }
  const plan = planZone(zone, [wanted], before.length > 0 ? [{ ...set, data: before }] : [], noLimits)
  const circumstances: Circumstances = {
    prospects: exchangers ? [{ domain, exchangers, policy }] : [],
    cachedUntilMs: () => cachedUntilMs,
    cachedUnread,
    nowMs,
  }
  const found = consequences(plan, circumstances)
  for (const { why, remedy } of found) assert.ok(why.length > 0 && remedy.length > 0)
  return found.map(({ severity, rule }) => `${severity} ${rule}`)
}

const good = (host: string, isNew = false): ExchangerProspect => ({
  host: host as HostName,
  isNew,
  addresses: { kind: 'addresses', addresses: ['192.0.2.1' as IpAddress], alias: undefined },
  smtp: { kind: 'takes' },
})

const old = [mx(10, 'mx1.example.com'), mx(20, 'mx2.example.com')]

test('a domain that takes mail is not left without exchangers, nor with a null MX, but for who says so', () => {
  assert.deepEqual(judge({ before: old, after: [] }), ['refuse no-exchanger'])
  assert.deepEqual(judge({ before: old, after: [nullMx] }), ['refuse null-mx'])
  assert.deepEqual(judge({ before: [nullMx], after: [] }), [])
  assert.deepEqual(judge({ after: [nullMx] }), [])
})

test('exchangers that cannot work: the last of them is refused, one of several is a warning', () => {
  const gone: ExchangerProspect = {
    ...good('a.example.net'),
    addresses: { kind: 'none', why: 'no such name' },
    smtp: { kind: 'not-wanted' },
  }
  const silent: ExchangerProspect = {
    ...good('b.example.net'),
    smtp: { kind: 'silent', silence: 'refused', why: '192.0.2.1 takes no connection' },
  }
  const strange: ExchangerProspect = {
    ...good('c.example.net'),
    smtp: { kind: 'refuses', reply: '550 relay denied\u0007' },
  }
  const after = [mx(1, 'a.example.net')]
  assert.deepEqual(judge({ after, exchangers: [gone] }), ['warn exchanger-unresolved', 'refuse no-working-exchanger'])
  assert.deepEqual(judge({ after, exchangers: [gone, silent, strange] }), [
    'warn exchanger-unresolved',
    'warn exchanger-silent',
    'warn exchanger-refuses',
    'refuse no-working-exchanger',
  ])
  assert.deepEqual(judge({ after, exchangers: [gone, good('d.example.net')] }), ['warn exchanger-unresolved'])
})

test('a change of all exchangers is judged by what they do, whatever else the zone holds: refused unless one takes mail', () => {
  const after = [mx(10, 'new1.example.net'), mx(20, 'new2.example.net')]
  const refusing = after.map(
    (_, index): ExchangerProspect => ({
      ...good(`new${index + 1}.example.net`, true),
      smtp: { kind: 'refuses', reply: '550 relay denied' },
    }),
  )
  assert.deepEqual(
    judge({ before: old, after, exchangers: refusing }).filter((told) => told.startsWith('refuse')),
    ['refuse no-working-exchanger'],
  )
  const taking = after.map((_, index) => good(`new${index + 1}.example.net`, true))
  assert.deepEqual(judge({ before: old, after, exchangers: taking }), [])
})

test('another TTL alone is not refused because of exchangers that are down', () => {
  const gone: ExchangerProspect = { ...good('a.example.net'), addresses: { kind: 'none', why: 'no such name' } }
  const same = [mx(1, 'a.example.net')]
  assert.deepEqual(judge({ before: same, after: same, exchangers: [gone] }), [
    'warn exchanger-unresolved',
    'warn no-working-exchanger',
  ])
})

test('not checked is not "does not work": it is told and stops nothing', () => {
  const after = [mx(1, 'a.example.net')]
  const blocked: ExchangerProspect = {
    ...good('a.example.net'),
    smtp: { kind: 'not-checked', why: 'port 25 is closed' },
  }
  const dark: ExchangerProspect = {
    ...good('a.example.net'),
    addresses: { kind: 'not-checked', why: 'SERVFAIL' },
    smtp: { kind: 'not-wanted' },
  }
  assert.deepEqual(judge({ after, exchangers: [blocked] }), ['warn not-checked'])
  assert.deepEqual(judge({ after, exchangers: [dark] }), ['warn not-checked'])
})

test('what caches hold cannot be read: a change of all exchangers is told that nobody looked, and another is not', () => {
  const cachedUnread = '/var/lib/waypost/published.json cannot be read (EACCES)'
  const moved = [mx(10, 'new.example.net')]
  assert.deepEqual(judge({ before: old, after: moved, cachedUnread }), ['warn not-checked'])
  assert.deepEqual(judge({ before: old, after: [...old, ...moved], cachedUnread }), [])
})

test('an alias, an address that is none, a name with the domain twice: three findings', () => {
  const alias: ExchangerProspect = {
    ...good('a.example.net'),
    addresses: { kind: 'addresses', addresses: ['192.0.2.1' as IpAddress], alias: 'b.example.net' as HostName },
  }
  const after = [mx(1, 'a.example.net')]
  assert.deepEqual(judge({ after, exchangers: [alias] }), ['warn exchanger-alias'])
  const doubled = good('mx.example.com.example.com')
  assert.deepEqual(judge({ after, exchangers: [doubled] }), ['warn doubled-name'])
})

test('a TTL that keeps the old alive is told; one that was lowered and not waited out is refused', () => {
  const after = [mx(10, 'new.example.net')]
  assert.deepEqual(judge({ before: old, after, ttl: 86_400 }), ['warn old-ttl'])
  assert.deepEqual(judge({ before: old, after, ttl: 300 }), [])
  assert.deepEqual(judge({ before: old, after, ttl: 300, cachedUntilMs: nowMs + 3_600_000 }), ['refuse ttl-wait'])
  // Within the TTL of now it is what a change always is, and the way back from it, too.
  assert.deepEqual(judge({ before: old, after, ttl: 300, cachedUntilMs: nowMs + 200_000 }), [])
  // Where an old one stays, mail arrives there all the while.
  assert.deepEqual(
    judge({ before: old, after: [...after, old[0] as Rdata], ttl: 300, cachedUntilMs: nowMs + 3_600_000 }),
    [],
  )
})

test('an MTA-STS policy that is enforced must list new exchangers', () => {
  const after = [mx(10, 'new.example.net')]
  const policy = (mode: 'enforce' | 'testing' | 'none', host: string): PolicyProspect => ({
    kind: 'policy',
    policy: { mode, maxAgeSeconds: 86_400, patterns: [{ host: host as HostName, isWildcard: false }] } as never,
  })
  const exchangers = [good('new.example.net', true)]
  assert.deepEqual(judge({ after, exchangers, policy: policy('enforce', 'mx1.example.com') }), ['refuse mta-sts'])
  assert.deepEqual(judge({ after, exchangers, policy: policy('testing', 'mx1.example.com') }), ['warn mta-sts-testing'])
  assert.deepEqual(judge({ after, exchangers, policy: policy('none', 'mx1.example.com') }), [])
  assert.deepEqual(judge({ after, exchangers, policy: policy('enforce', 'new.example.net') }), [])
  assert.deepEqual(judge({ after, exchangers, policy: { kind: 'not-checked', why: 'ECONNREFUSED' } }), [
    'warn not-checked',
  ])
})

test('refusals pass by their names, and warnings are none', () => {
  const concern = { severity: 'refuse', rule: 'null-mx', domain, why: 'w', remedy: 'r' } as const
  const warning = { ...concern, severity: 'warn', rule: 'old-ttl' } as const
  assert.deepEqual(refusedBy([concern, warning], new Set()), [concern])
  assert.deepEqual(refusedBy([concern], new Set(['mta-sts'])), [concern])
  assert.deepEqual(refusedBy([concern], new Set(['mta-sts', 'null-mx'])), [])
})

test('times and spans as people read them', () => {
  assert.equal(comingTimeText(nowMs + 1), '2026-11-23 12:01 UTC')
  assert.equal(pastTimeText(nowMs + 59_999), '2026-11-23 12:00 UTC')
  assert.deepEqual([0, 90, 3_600, 5_400, 86_400, 90_061].map(spanText), [
    '0 s',
    '1 min 30 s',
    '1 h',
    '1 h 30 min',
    '1 d',
    '1 d 1 h',
  ])
})
