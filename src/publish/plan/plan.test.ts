import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { labName } from '../../../test/lab/names.ts'
import { parseIp } from '../../base/ip.ts'
import type { HostName } from '../../dns/name.ts'
import type { Rdata } from '../../dns/rdata.ts'
import { rdataText } from '../../dns/rdata-text.ts'
import { typeCodes } from '../../dns/types.ts'
import type { Declaration, DeclaredExchanger } from '../declare/declaration.ts'
import { wantedIn } from '../declare/wanted.ts'
import { type RecordSet, sameContent, setText } from '../sets/record-set.ts'
import { textData } from '../sets/text-kind.ts'
import { noLimits, type TargetLimits } from '../targets/target.ts'
import { changesOf, type PlannedLine, planZone, questionsOf, questionsOfLeaving } from './plan.ts'

const zone = labName('example.com')
const name = (text: string) => labName(text)

const mx = (preference: number, host: string): Rdata => ({ type: 'MX', preference, exchange: name(host) })
const a = (text: string): Rdata => {
  const address = parseIp(text)
  assert.ok(address)
  return { type: address.includes(':') ? 'AAAA' : 'A', address }
}

const exchanger = (preference: number, host: string, addresses?: readonly string[]): DeclaredExchanger => ({
  preference,
  host: host as HostName,
  addresses: addresses?.map((text) => parseIp(text)).filter((address) => address !== undefined),
})

const declare = (said: Partial<Declaration>): Declaration => ({
  ...{
    domain: 'example.com' as HostName,
    exchangers: undefined,
    ttlSeconds: 3600,
    publisher: 'dns',
    texts: [],
    absent: [],
  },
  ...said,
})

const set = (host: string, code: number, ttlSeconds: number, ...data: Rdata[]): RecordSet => ({
  ...{ name: name(host), code, ttlSeconds, data },
})
const mxSet = (ttlSeconds: number, ...data: Rdata[]) => set('example.com', typeCodes.MX, ttlSeconds, ...data)
const txtSet = (...texts: string[]) => set('example.com', typeCodes.TXT, 3600, ...texts.map(textData))

function plan(said: Partial<Declaration>, live: readonly RecordSet[], limits: TargetLimits = noLimits) {
  const wanted = wantedIn(zone, [declare(said)])
  assert.deepEqual(wanted.problems, [])
  return planZone(zone, wanted.sets, live, limits)
}

const said = (line: PlannedLine) =>
  line.kind === 'change'
    ? `~ ${rdataText(line.from)} ${line.fromTtlSeconds} -> ${rdataText(line.to)} ${line.toTtlSeconds}`
    : `${line.kind} ${rdataText(line.data)} ${line.ttlSeconds}`
const linesOf = (planned: ReturnType<typeof plan>) =>
  planned.sets.flatMap((each) => each.lines.map((line) => `${setText(each)} ${said(line)}`))

test('letter case, order and final dots are no difference: the plan is empty', () => {
  const planned = plan({ exchangers: [exchanger(10, 'mx1.example.com'), exchanger(20, 'mx2.example.com')] }, [
    mxSet(3600, mx(20, 'MX2.Example.COM'), mx(10, 'mx1.example.com.')),
  ])
  assert.deepEqual(changesOf(planned), [])
  assert.deepEqual(
    linesOf(planned).map((line) => line.split(' ')[2]),
    ['right', 'right'],
  )
})

test('three live, two wanted: one is removed by its value, and the set holds exactly two', () => {
  const planned = plan({ exchangers: [exchanger(10, 'mx1.example.com'), exchanger(20, 'mx2.example.com')] }, [
    mxSet(3600, mx(10, 'mx1.example.com'), mx(20, 'mx2.example.com'), mx(30, 'old.example.net')),
  ])
  assert.deepEqual(linesOf(planned), [
    'example.com. MX right 10 mx1.example.com. 3600',
    'example.com. MX right 20 mx2.example.com. 3600',
    'example.com. MX remove 30 old.example.net. 3600',
  ])
  assert.equal(changesOf(planned)[0]?.after?.data.length, 2)
})

test('another preference of the same exchanger is a change, and so is another TTL', () => {
  const wanted = { exchangers: [exchanger(5, 'mx1.example.com')] }
  assert.deepEqual(linesOf(plan(wanted, [mxSet(3600, mx(10, 'mx1.example.com'))])), [
    'example.com. MX ~ 10 mx1.example.com. 3600 -> 5 mx1.example.com. 3600',
  ])
  assert.deepEqual(linesOf(plan(wanted, [mxSet(86_400, mx(5, 'mx1.example.com'))])), [
    'example.com. MX ~ 5 mx1.example.com. 86400 -> 5 mx1.example.com. 3600',
  ])
})

test('SPF changes among the proofs of others, which stay, with the TTL that the set has', () => {
  const live = { ...txtSet('google-site-verification=abc', 'v=spf1 mx -all', 'MS=ms123'), ttlSeconds: 300 }
  const planned = plan({ texts: [{ kind: 'spf', text: 'v=spf1 include:example.net -all' }] }, [live])
  const [change] = changesOf(planned)
  assert.deepEqual(change?.after?.data.map(rdataText).toSorted(), [
    '"MS=ms123"',
    '"google-site-verification=abc"',
    '"v=spf1 include:example.net -all"',
  ])
  assert.equal(change?.after?.ttlSeconds, 300)
  assert.deepEqual(linesOf(planned), [
    'example.com. TXT ~ "v=spf1 mx -all" 300 -> "v=spf1 include:example.net -all" 300',
    'example.com. TXT left-alone "google-site-verification=abc" 300',
    'example.com. TXT left-alone "MS=ms123" 300',
  ])
})

test('two SPF records live: no choice is made, both are named, and absent: says which goes', () => {
  const live = [txtSet('v=spf1 mx -all', 'v=spf1 a ~all')]
  const wanted = { texts: [{ kind: 'spf', text: 'v=spf1 mx -all' }] } as const
  const [obstacle] = plan(wanted, live).obstacles
  assert.equal(obstacle?.kind, 'several')
  assert.match(obstacle?.why ?? '', /"v=spf1 mx -all" and "v=spf1 a ~all"/)
  const absent = [{ name: zone, code: typeCodes.TXT, data: textData('v=spf1 a ~all') }]
  const planned = plan({ ...wanted, absent }, live)
  assert.deepEqual(planned.obstacles, [])
  assert.deepEqual(changesOf(planned)[0]?.after?.data.map(rdataText), ['"v=spf1 mx -all"'])
})

test('addresses own A and AAAA of hosts inside the zone, and none elsewhere', () => {
  const exchangers = [exchanger(10, 'mx1.example.com', ['192.0.2.1']), exchanger(20, 'mx.example.net', ['192.0.2.2'])]
  const wanted = wantedIn(zone, [declare({ exchangers })])
  assert.equal(wanted.notes.length, 1)
  const live = [
    set('mx1.example.com', typeCodes.AAAA, 60, a('2001:db8::1')),
    set('mx1.example.com', typeCodes.A, 3600, a('192.0.2.9')),
  ]
  assert.deepEqual(linesOf(planZone(zone, wanted.sets, live, noLimits)), [
    'example.com. MX add 10 mx1.example.com. 3600',
    'example.com. MX add 20 mx.example.net. 3600',
    'mx1.example.com. A add 192.0.2.1 3600',
    'mx1.example.com. A remove 192.0.2.9 3600',
    'mx1.example.com. AAAA remove 2001:db8::1 60',
  ])
})

test('the addresses of an exchanger that leaves stay, and are named', () => {
  const declared = declare({ exchangers: [exchanger(10, 'mx1.example.com')] })
  const { sets } = wantedIn(zone, [declared])
  const live = [mxSet(3600, mx(10, 'mx1.example.com'), mx(20, 'old.example.com'))]
  assert.deepEqual(questionsOfLeaving(sets, live, zone).map(setText), ['old.example.com. A', 'old.example.com. AAAA'])
  const planned = planZone(zone, sets, [...live, set('old.example.com', typeCodes.A, 60, a('192.0.2.7'))], noLimits)
  assert.ok(linesOf(planned).includes('old.example.com. A left-alone 192.0.2.7 60'))
  assert.equal(changesOf(planned).length, 1)
})

test('changes are made so that no exchanger is named before it has an address, nor loses it before it is unnamed', () => {
  const planned = plan(
    {
      exchangers: [exchanger(10, 'new.example.com', ['192.0.2.1'])],
      absent: [
        { name: name('old.example.com'), code: typeCodes.A, data: undefined },
        { name: name('new.example.com'), code: typeCodes.CNAME, data: undefined },
      ],
    },
    [
      mxSet(3600, mx(10, 'old.example.com')),
      set('old.example.com', typeCodes.A, 60, a('192.0.2.7')),
      set('new.example.com', typeCodes.CNAME, 60, { type: 'CNAME', target: name('old.example.com') }),
    ],
  )
  assert.deepEqual(planned.obstacles, [])
  assert.deepEqual(changesOf(planned).map(setText), [
    'new.example.com. CNAME',
    'new.example.com. A',
    'example.com. MX',
    'old.example.com. A',
  ])
})

test('an alias in the way is an obstacle, and what is missing there is asked for', () => {
  const exchangers = [exchanger(10, 'mx1.example.com', ['192.0.2.1'])]
  const { sets } = wantedIn(zone, [declare({ exchangers })])
  assert.ok(questionsOf(sets).map(setText).includes('mx1.example.com. CNAME'))
  const alias = set('mx1.example.com', typeCodes.CNAME, 60, { type: 'CNAME', target: name('www.example.com') })
  assert.equal(planZone(zone, sets, [alias], noLimits).obstacles[0]?.kind, 'alias')
})

test('what a target cannot keep is said in the plan', () => {
  const limits = { ...noLimits, takesNullMx: false, leastTtlSeconds: 300, withoutTypes: [typeCodes.TXT] }
  const texts = [{ kind: 'spf', text: 'v=spf1 -all' }] as const
  const planned = plan({ exchangers: 'none', ttlSeconds: 60, texts }, [], limits)
  assert.deepEqual(
    planned.obstacles.map(({ kind }) => kind),
    ['limit', 'limit'],
  )
  assert.match(planned.notes[0] ?? '', /TTL 300 in place of 60/)
})

test('declarations that contradict each other are told', () => {
  const host = (address: string) => [exchanger(10, 'mx1.example.com', [address])]
  const below = declare({ domain: 'sub.example.com' as HostName, exchangers: host('192.0.2.2') })
  const { problems } = wantedIn(zone, [declare({ exchangers: host('192.0.2.1') }), below])
  assert.match(problems[0] ?? '', /mx1\.example\.com\. A: addresses of .* say different things/)
  const absent = [{ name: zone, code: typeCodes.MX, data: undefined }]
  assert.equal(wantedIn(zone, [declare({ exchangers: host('192.0.2.1'), absent })]).problems.length, 1)
  assert.equal(wantedIn(labName('example.net'), [declare({})]).problems.length, 1)
})

test('whatever is live: after the changes the plan is empty, and what was not declared is still there', () => {
  const host = fc.constantFrom('mx1.example.com', 'mx2.example.com', 'mx.example.net')
  const liveMx = fc.uniqueArray(fc.tuple(fc.nat(3), host), { selector: String, maxLength: 4 })
  const texts = fc.uniqueArray(fc.constantFrom('token=1', 'token=2', 'v=spf1 -all', 'v=DMARC1; p=none'))
  const wantedMx = fc.uniqueArray(fc.tuple(fc.nat(3), host), { selector: ([, each]) => each, minLength: 1 })
  const property = fc.property(liveMx, texts, wantedMx, fc.boolean(), (mxs, strings, wished, hasAddress) => {
    const live = [
      ...(mxs.length > 0 ? [mxSet(60, ...mxs.map(([preference, each]) => mx(preference, each)))] : []),
      ...(strings.length > 0 ? [txtSet(...strings)] : []),
    ]
    const exchangers = wished.map(([preference, each]) =>
      exchanger(preference, each, hasAddress ? ['192.0.2.1'] : undefined),
    )
    const wanted = { exchangers, texts: [{ kind: 'spf', text: 'v=spf1 mx -all' }] } as const
    const first = plan(wanted, live)
    const changed = new Map(live.map((each) => [setText(each), each]))
    for (const { after, ...rest } of changesOf(first)) {
      changed.delete(setText(rest))
      if (after) changed.set(setText(rest), { ...rest, ...after })
    }
    const now = [...changed.values()]
    assert.deepEqual(changesOf(plan(wanted, now)), [])
    const kept = now.find((each) => each.code === typeCodes.TXT)?.data.map(rdataText) ?? []
    for (const text of strings) if (text !== 'v=spf1 -all') assert.ok(kept.includes(`"${text}"`))
    const mxNow = now.find((each) => each.code === typeCodes.MX)
    assert.ok(sameContent(mxNow, { ttlSeconds: 3600, data: wished.map(([preference, each]) => mx(preference, each)) }))
  })
  fc.assert(property)
})
