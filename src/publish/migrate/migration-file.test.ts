import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { IpAddress } from '../../base/ip.ts'
import type { HostName } from '../../dns/name.ts'
import type { AddressSet, Migration } from './migration.ts'
import { loadMigration, loadMigrations, saveMigration } from './migration-file.ts'

const domain = 'example.com' as HostName
const set = (host: string) => ({ ttlSeconds: 300, exchangers: [{ preference: 10, host: host as HostName }] })
const migration: Migration = {
  ...{ domain, to: 'fastmail', startedAtMs: 1, old: set('a.example'), next: set('b.example'), lowTtlSeconds: 60 },
  ...{ cachedUntilMs: undefined, isBack: false, seen: [{ stage: 'lower-ttl', atMs: 7 }] },
  policy: { mode: 'enforce', maxAgeSeconds: 86_400, recordTtlSeconds: 60, oldId: '1', newId: '2' },
}

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'waypost-migration-'))
  t.after(() => rm(path, { recursive: true }))
  return path
}

test('a migration that was kept is read as it was', async (t) => {
  const state = await folder(t)
  assert.deepEqual(await loadMigration(state, domain), { kind: 'none' })
  assert.deepEqual(await loadMigrations(state), { migrations: [], unread: [] })
  await saveMigration(state, migration)
  assert.deepEqual(await loadMigration(state, domain), { kind: 'migration', migration })
  const spf = { ttlSeconds: 60, oldText: 'v=spf1 mx -all', jointText: 'v=spf1 mx include:b.example -all' }
  const before = { ttlSeconds: 60, addresses: ['2001:db8::2' as IpAddress] }
  const sets: AddressSet[] = [
    { host: 'b.example' as HostName, type: 'A', before: undefined, addresses: ['192.0.2.1' as IpAddress] },
    { host: 'b.example' as HostName, type: 'AAAA', before, addresses: [] },
  ]
  const addresses = { sets, cachedSeconds: 60 }
  const turned = { ...migration, cachedUntilMs: 5, policy: undefined, spf, addresses, isBack: true }
  await saveMigration(state, turned)
  assert.deepEqual(await loadMigration(state, domain), { kind: 'migration', migration: turned })
  assert.deepEqual(await loadMigrations(state), { migrations: [turned], unread: [] })
  assert.deepEqual(await readdir(join(state, 'migrations')), ['example.com.json'])
  assert.match(await readFile(join(state, 'migrations', 'example.com.json'), 'utf8'), /^ {2}"heldUntilMs": 5$/m)
})

for (const [what, text] of [
  ['cut off', '{"format":1,"domain":"exam'],
  ['of another domain', JSON.stringify({ format: 1, ...migration, domain: 'other.example' })],
  ['of a format to come', JSON.stringify({ ...migration, format: 2 })],
  [
    'without exchangers to go back to',
    JSON.stringify({ format: 1, ...migration, old: { ttlSeconds: 1, exchangers: [] } }),
  ],
  [
    'with an SPF record that is none',
    JSON.stringify({
      format: 1,
      ...migration,
      spf: { ttlSeconds: 60, oldText: 'v=spf1 nonsense', jointText: 'v=spf1' },
    }),
  ],
  [
    'with an address of another family',
    JSON.stringify({
      format: 1,
      ...migration,
      addresses: { sets: [{ host: 'b.example', type: 'AAAA', addresses: ['192.0.2.1'] }], cachedSeconds: 1 },
    }),
  ],
  ['with a host that is none', JSON.stringify({ format: 1, ...migration, next: set('no host') })],
] as const) {
  test(`a file that is ${what} is told, and not taken for none`, async (t) => {
    const state = await folder(t)
    await saveMigration(state, migration)
    const path = join(state, 'migrations', 'example.com.json')
    await writeFile(path, text)
    const why = `${path} is damaged, and says where the migration of example.com stands: look at it, or remove it`
    assert.deepEqual(await loadMigration(state, domain), { kind: 'unread', domain, why })
    assert.deepEqual(await loadMigrations(state), { migrations: [], unread: [{ domain, why }] })
  })
}

test('one that cannot be opened is told, and hides no other', async (t) => {
  const state = await folder(t)
  await saveMigration(state, migration)
  const path = join(state, 'migrations', 'another.example.json')
  await mkdir(path)
  const why = `${path} cannot be read (EISDIR), and says where the migration of another.example stands: look at it`
  assert.deepEqual(await loadMigrations(state), {
    migrations: [migration],
    unread: [{ domain: 'another.example', why }],
  })
})
