import assert from 'node:assert/strict'
import { test } from 'node:test'
import { labName } from '../../../test/lab/names.ts'
import type { IpAddress } from '../../base/ip.ts'
import type { HostName } from '../../dns/name.ts'
import type { Rdata } from '../../dns/rdata.ts'
import { typeCodes } from '../../dns/types.ts'
import { wantedIn } from '../declare/wanted.ts'
import { planZone } from '../plan/plan.ts'
import type { MxSet } from '../sets/mx-set.ts'
import type { RecordSet } from '../sets/record-set.ts'
import { noLimits } from '../targets/target.ts'
import type { Migration } from './migration.ts'
import {
  addressesToPublish,
  addressQuestions,
  publishing,
  strangeAddresses,
  withdrawing,
} from './migration-addresses.ts'

const zone = labName('example.test')
const host = (name: string) => `${name}.example.test` as HostName
const ips = (...texts: string[]) => texts as IpAddress[]
const mx = (...names: string[]): MxSet => ({
  ttlSeconds: 3_600,
  exchangers: names.map((name) => ({ preference: 10, host: name as HostName })),
})
const declared = [
  { preference: 10, host: host('new'), addresses: ips('192.0.2.1', '2001:db8::1') },
  { preference: 10, host: host('old'), addresses: ips('192.0.2.9') },
  { preference: 10, host: host('unwanted'), addresses: ips('192.0.2.7') },
  { preference: 10, host: 'mx.other.test' as HostName, addresses: ips('192.0.2.8') },
  { preference: 20, host: host('kept'), addresses: undefined },
]
const words = {
  old: mx('old.example.test'),
  next: mx('new.example.test', 'old.example.test', 'mx.other.test'),
  declared,
}
const a = (name: string, ...addresses: string[]): RecordSet => ({
  ...{ name: labName(name), code: typeCodes.A, ttlSeconds: 600 },
  data: ips(...addresses).map((address): Rdata => ({ type: 'A', address })),
})
const found = (live: readonly RecordSet[]) => addressesToPublish(words, zone, live, 60)
const migrationWith = (live: readonly RecordSet[]): Migration => ({
  ...{ domain: 'example.test' as HostName, to: 'declared', startedAtMs: 0, ...words, lowTtlSeconds: 300 },
  ...{ cachedUntilMs: undefined, policy: undefined, isBack: false, seen: [], addresses: found(live) },
})

test('what is published: declared addresses of new hosts inside the zone that are not there, and nothing of others', () => {
  const asked = addressQuestions(words.next, declared, zone)
  assert.equal(asked.length, 4)
  assert.deepEqual(found([]), {
    sets: [
      { host: host('new'), type: 'A', before: undefined, addresses: ['192.0.2.1'] },
      { host: host('new'), type: 'AAAA', before: undefined, addresses: ['2001:db8::1'] },
    ],
    cachedSeconds: 60,
  })
  // One set that changes was cached for its own TTL.
  assert.deepEqual(found([a('new.example.test', '192.0.2.50')])?.cachedSeconds, 600)
  const data = ips('2001:db8::1').map((address): Rdata => ({ type: 'AAAA', address }))
  const right = { ...a('new.example.test'), code: typeCodes.AAAA, data }
  assert.equal(found([a('new.example.test', '192.0.2.1'), right]), undefined)
})

/** What becomes of live sets where a stage wants these. */
function after(hosts: ReturnType<typeof publishing>, live: readonly RecordSet[]) {
  const declaration = { domain: 'example.test' as HostName, exchangers: undefined, ttlSeconds: 1, publisher: 'here' }
  const { sets } = wantedIn(zone, [{ ...declaration, texts: [], absent: [], hosts }])
  const plan = planZone(zone, sets, live, noLimits)
  const texts = plan.sets.flatMap((set) =>
    (set.after?.data ?? []).map((data) => ('address' in data ? data.address : '')),
  )
  return { plan, texts: texts.sort() }
}

test('taken back is what was added: what another hand put beside it stays, and so does what others need', () => {
  const migration = migrationWith([])
  const published = after(publishing(migration), [])
  assert.deepEqual(published.texts, ['192.0.2.1', '2001:db8::1'])
  const live = [a('new.example.test', '192.0.2.1', '192.0.2.77')]
  assert.deepEqual(after(withdrawing(migration, new Set()), live).texts, ['192.0.2.77'])
  assert.deepEqual(withdrawing(migration, new Set([host('new')])), [])
  assert.deepEqual(
    after(withdrawing(migration, new Set()), []).plan.sets.filter(({ after }) => after),
    [],
  )
})

test('a set that was there before comes back, unless somebody else has changed it since', () => {
  const before = [a('new.example.test', '192.0.2.50')]
  const migration = migrationWith(before)
  const hosts = withdrawing(migration, new Set())
  const back = after(hosts, [a('new.example.test', '192.0.2.1')])
  assert.deepEqual(back.texts, ['192.0.2.50'])
  assert.equal(strangeAddresses(hosts, migration, back.plan.sets), undefined)
  assert.equal(strangeAddresses(hosts, migration, after(hosts, before).plan.sets), undefined)
  const strange = after(hosts, [a('new.example.test', '192.0.2.66')]).plan.sets
  assert.deepEqual(strangeAddresses(hosts, migration, strange), { host: host('new'), now: ['192.0.2.66'] })
})
