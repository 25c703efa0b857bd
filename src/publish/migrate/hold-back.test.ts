import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HostName } from '../../dns/name.ts'
import type { Declaration } from '../declare/declaration.ts'
import { holdBack, leftOut } from './hold-back.ts'
import type { Migration } from './migration.ts'

const domain = 'example.com' as HostName
const one = (host: string) => [{ preference: 10, host: host as HostName, addresses: undefined }]
const set = (host: string) => ({ ttlSeconds: 60, exchangers: [{ preference: 10, host: host as HostName }] })
const declares = (host: string): Declaration => ({
  ...{ domain, exchangers: one(host), ttlSeconds: 60, publisher: 'dns', absent: [] },
  texts: [
    { kind: 'spf', text: 'v=spf1 mx -all' },
    { kind: 'mtaSts', text: 'v=STSv1; id=1;' },
  ],
})
const migration: Migration = {
  ...{ domain, to: 'b', startedAtMs: 0, old: set('a.example'), next: set('b.example'), lowTtlSeconds: 60 },
  ...{ cachedUntilMs: undefined, policy: undefined, isBack: false, seen: [] },
}
const kept = (...migrations: readonly Migration[]) => ({ migrations, unread: [] })
const done: Migration = { ...migration, seen: (['add', 'switch'] as const).map((stage) => ({ stage, atMs: 0 })) }

test('while a migration is on its way, its MX records and policy id are nobody else’s; the rest stays declared', () => {
  const held = holdBack([declares('a.example')], kept(migration), 0)
  assert.deepEqual(held.open, [migration])
  assert.equal(held.declarations[0]?.exchangers, undefined)
  assert.deepEqual(
    held.declarations[0]?.texts.map(({ kind }) => kind),
    ['spf'],
  )
})

test('when it is done, a file that still declares what it led away from is held back; any other is not', () => {
  const later = 10_000_000
  assert.deepEqual(holdBack([declares('a.example')], kept(done), later).outdated, [{ domain, what: 'exchangers' }])
  for (const host of ['b.example', 'c.example']) {
    const free = holdBack([declares(host)], kept(done), later)
    assert.deepEqual([free.open, free.outdated], [[], []])
    assert.deepEqual(free.declarations, [declares(host)])
  }
})

test('an SPF record in the hands of a migration is nobody else’s, and the old one does not come back when it is done', () => {
  const spf = { ttlSeconds: 60, oldText: 'v=spf1 mx -all', jointText: 'v=spf1 mx include:b.example -all' }
  const kinds = (declarations: readonly Declaration[]) =>
    declarations.flatMap(({ texts }) => texts.map(({ kind }) => kind))
  assert.deepEqual(kinds(holdBack([declares('a.example')], kept({ ...migration, spf }), 0).declarations), [])
  const over = { ...done, spf, seen: [{ stage: 'authorise' as const, atMs: 0 }, ...done.seen] }
  const held = holdBack([declares('b.example')], kept(over), 10_000_000)
  assert.deepEqual(held.outdated, [{ domain, what: 'SPF record' }])
  assert.deepEqual(kinds(held.declarations), ['mtaSts'])
  assert.ok(held.declarations[0]?.exchangers !== undefined)
})

test('domains without a migration are as they were', () => {
  const other = { ...declares('a.example'), domain: 'example.org' as HostName }
  assert.deepEqual(holdBack([other], kept(migration), 0), { declarations: [other], open: [], unread: [], outdated: [] })
})

test('whoever takes the records elsewhere hears what migrations have left out of them', () => {
  const declarations = [declares('a.example')]
  const spf = { ttlSeconds: 60, oldText: 'v=spf1 mx -all', jointText: 'v=spf1 mx include:b.example -all' }
  const told = (migrations: readonly Migration[], nowMs: number) =>
    leftOut(holdBack(declarations, kept(...migrations), nowMs), declarations)
  const why = 'it is being migrated, see "waypost migrate example.com"'
  assert.deepEqual(told([migration], 0), [`example.com: its MX, MTA-STS records are left out: ${why}`])
  assert.deepEqual(told([{ ...migration, spf }], 0), [`example.com: its MX, SPF, MTA-STS records are left out: ${why}`])
  assert.match(told([done], 10_000_000)[0] ?? '', /^example\.com: its declared exchangers of before are left out/)
  assert.deepEqual(told([], 0), [])
  const own = {
    ...declares('a.example'),
    exchangers: [{ preference: 10, host: 'a.example' as HostName, addresses: [] }],
  }
  const [said] = leftOut(holdBack([own], kept(migration), 0), [own])
  assert.match(said ?? '', /its MX, MTA-STS records, and the addresses of its exchangers, are left out/)
  assert.deepEqual(leftOut(holdBack(declarations, kept(migration), 0), []), [], 'of other domains nothing is said')
})

test('a domain whose migration cannot be read is left alone altogether, and the others are as they were', () => {
  const other = { ...declares('a.example'), domain: 'example.org' as HostName }
  const unread = [{ domain, why: 'example.com.json cannot be read' }]
  const declarations = [declares('a.example'), other]
  const held = holdBack(declarations, { migrations: [], unread }, 0)
  assert.deepEqual(held.declarations[1], other)
  const [left] = held.declarations
  assert.deepEqual([left?.exchangers, left?.texts, left?.absent], [undefined, [], []])
  assert.deepEqual(leftOut(held, declarations), [
    'example.com: its records are left out: example.com.json cannot be read',
  ])
})
