import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { steadyClock } from '../../../test/lab/fast-clock.ts'
import { labName } from '../../../test/lab/names.ts'
import type { IpAddress } from '../../base/ip.ts'
import type { HostName } from '../../dns/name.ts'
import { rdataText } from '../../dns/rdata-text.ts'
import { nameText } from '../../dns/wire-name.ts'
import type { Declaration } from '../declare/declaration.ts'
import { builtinFolder, builtinZonePath, newZoneText } from '../targets/builtin-zone.ts'
import { createSerialStore } from './builtin-serials.ts'
import { createBuiltinZoneReader } from './builtin-zones.ts'
import { makeFirstZones } from './first-zones.ts'

const zone = labName('example.test')

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-builtin-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

const declare = (domain: string, preference: number): Declaration => ({
  domain: domain as HostName,
  exchangers: [{ preference, host: `mx.${domain}` as HostName, addresses: ['192.0.2.1' as IpAddress] }],
  ...{ ttlSeconds: 60, publisher: 'builtin', texts: [], absent: [] },
})

const depsOf = (state: string) => ({
  ...{ clock: steadyClock, state, hostname: 'ns.example.net' as HostName },
  isStopping: () => false,
})

const publishers = { builtin: { type: 'builtin', negativeTtl: 300_000 } } as const

test('zones are made once, with all that is declared, and later declarations change nothing', async (t) => {
  const state = await folderOf(t)
  const first = [declare('example.test', 10), declare('example.org', 10)]
  assert.deepEqual(await makeFirstZones(first, publishers, depsOf(state)), { made: 2, problems: [] })
  const stopping = { ...depsOf(state), isStopping: () => true }
  assert.equal((await makeFirstZones([declare('example.com', 1)], publishers, stopping)).made, 0)
  const later = [declare('example.test', 20), declare('example.com', 10)]
  assert.equal((await makeFirstZones(later, publishers, depsOf(state))).made, 1)
  const { zones, problems } = await createBuiltinZoneReader(builtinFolder(state))()
  assert.deepEqual(problems, [])
  assert.deepEqual(
    zones.map(({ origin }) => nameText(origin)),
    ['example.com.', 'example.org.', 'example.test.'],
  )
  const texts = zones.at(-1)?.records.map(({ data }) => rdataText(data)) ?? []
  assert.match(texts[0] ?? '', /^ns\.example\.net\. hostmaster\.example\.test\. \d{8}00 86400 7200 3600000 300$/)
  assert.deepEqual(texts.slice(1), ['ns.example.net.', '10 mx.example.test.', '192.0.2.1'])
})

test('a zone that is damaged is told and hides no other; what did not change is not read again', async (t) => {
  const folder = await folderOf(t)
  const text = newZoneText({
    ...{ zone, nameServers: ['ns.example.net' as HostName], hostmaster: undefined, negativeTtlSeconds: 300 },
    nowMs: Date.UTC(2026, 10, 23),
  })
  const path = builtinZonePath(folder, zone)
  await writeFile(path, text)
  await writeFile(join(folder, 'broken.test.zone'), '@ MX ten mx\n')
  await writeFile(join(folder, '.example.test.zone.draft'), 'x')
  await mkdir(join(folder, 'folder.zone'))
  const read = createBuiltinZoneReader(folder)
  const first = await read()
  assert.equal(first.zones.length, 1)
  assert.deepEqual(first.problems.map(({ file }) => file).toSorted(), ['broken.test.zone', 'folder.zone'])
  assert.equal((await read()).zones[0], first.zones[0])
  await writeFile(path, text.replace('2026112300', '2026112301'))
  await utimes(path, 1, 1)
  // Told that others changed, it does not look there; what is new is read, and what is gone is gone.
  await writeFile(builtinZonePath(folder, labName('new.test')), text)
  const others = await read([labName('other.test')])
  assert.deepEqual([others.zones.length, others.zones[0]], [2, first.zones[0]])
  await rm(builtinZonePath(folder, labName('new.test')))
  const one = await read([zone])
  assert.equal(one.zones.length, 1)
  assert.notEqual(one.zones[0], first.zones[0])
  await writeFile(path, text.replace('2026112300', '2026112302'))
  const again = await read()
  assert.notEqual(again.zones[0], one.zones[0])
  assert.deepEqual(await createBuiltinZoneReader(join(folder, 'nothing'))(), { zones: [], problems: [] })
})

test('serials that are not those of the files outlive the process, and a damaged file stops the start', async (t) => {
  const folder = await folderOf(t)
  const path = join(folder, 'dns', 'serials.json')
  const inFile = new Map([[zone, 7]])
  const store = createSerialStore(path, (origin) => inFile.get(origin))
  assert.deepEqual(await store.load(), [])
  await store.save([{ origin: zone, serial: 7, digest: 'd' }])
  assert.deepEqual(await readdir(folder), [])
  await store.save([{ origin: zone, serial: 9, digest: 'd' }])
  const kept = [{ origin: zone, serial: 9, digest: 'd' }]
  assert.deepEqual(await createSerialStore(path, () => undefined).load(), kept)
  inFile.set(zone, 10)
  await store.save([{ origin: zone, serial: 10, digest: 'e' }])
  assert.deepEqual(await createSerialStore(path, () => undefined).load(), [])
  await writeFile(path, '{"version":1,"serials":[{')
  await assert.rejects(createSerialStore(path, () => undefined).load(), /is damaged/)
})
