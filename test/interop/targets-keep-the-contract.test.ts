/** Each kind of target against the real servers that it is for: what `test/unit/target-contract.ts` says holds on all of them. */

import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { type Door, systemDoor } from '../../src/base/door.ts'
import { systemRandom } from '../../src/base/random.ts'
import { rdataCode } from '../../src/dns/rdata.ts'
import { rdataText } from '../../src/dns/rdata-text.ts'
import { transferZone } from '../../src/dns/transfer/client.ts'
import { typeName } from '../../src/dns/types.ts'
import { createUpdateClient } from '../../src/dns/update/client.ts'
import { nameText } from '../../src/dns/wire-name.ts'
import { editZone } from '../../src/dns/zone-text/edit.ts'
import { parseApiUrl } from '../../src/publish/api-url.ts'
import type { SetContent, SetName } from '../../src/publish/sets/record-set.ts'
import { createPowerDnsTarget } from '../../src/publish/targets/api/powerdns.ts'
import { createRfc2136Target } from '../../src/publish/targets/rfc2136.ts'
import { runCommand } from '../../src/publish/targets/zone-file/command.ts'
import { createZoneFileTarget } from '../../src/publish/targets/zone-file/zone-file.ts'
import { startLab } from '../lab/lab.ts'
import { labAddress } from '../lab/names.ts'
import { apex, assertSame, change, mx, mxSet, now, type TargetStand, testTarget } from '../unit/target-contract.ts'
import { startBind } from './harness/bind.ts'
import { startKnot } from './harness/knot.ts'
import { type Home, type NameServerWords, newKey, type RealNameServer, tsigKey } from './harness/name-server.ts'
import { startNsd } from './harness/nsd.ts'
import { startPowerDns } from './harness/powerdns.ts'

type Start = (home: Home, words: NameServerWords) => Promise<RealNameServer>

const deps = { clock: systemClock, random: systemRandom, door: systemDoor }

/** As lines, without the SOA, fetched by transfer: what the world would see. */
async function dumpOf({ server }: RealNameServer, key: ReturnType<typeof tsigKey>): Promise<string[]> {
  const limits = { timeoutMs: 60_000, maxRecords: 1_000, maxBytes: 1_000_000 }
  const outcome = await transferZone(apex, { server, key, ...limits }, deps)
  if (outcome.kind !== 'zone') throw new Error(JSON.stringify(outcome))
  return outcome.zone.records
    .filter(({ data }) => data.type !== 'SOA')
    .map(
      ({ name, ttlSeconds, data }) => `${nameText(name)} ${ttlSeconds} ${typeName(rdataCode(data))} ${rdataText(data)}`,
    )
    .toSorted()
}

/** Changes a set by dynamic update without asking what it was. */
async function updateBy(
  server: RealNameServer,
  key: ReturnType<typeof tsigKey>,
  set: SetName,
  content: SetContent | undefined,
) {
  const client = createUpdateClient({ server: server.server, key, timeoutMs: 60_000 }, deps)
  const { name, code } = set
  const added =
    content?.data.map((data) => ({ kind: 'add', name, ttlSeconds: content.ttlSeconds, data }) as const) ?? []
  const changes = [{ kind: 'delete-rrset', name, type: code } as const, ...added]
  const outcome = await client.send({ zone: apex, prerequisites: [], changes })
  if (outcome.kind !== 'done') throw new Error(JSON.stringify(outcome))
}

async function startDynamic(t: TestContext, start: Start, transfer: boolean) {
  const lab = await startLab(t)
  const key = newKey('waypost')
  const reader = newKey('reader')
  const zones = [
    { name: 'example.test', updateKeys: [key.name], transfer: transfer ? [key.name, reader.name] : [reader.name] },
  ]
  const server = await start(lab, { keys: [key, reader], zones })
  const stand = {
    dump: () => dumpOf(server, tsigKey(reader)),
    anotherHand: (set: SetName, content: SetContent | undefined) => updateBy(server, tsigKey(key), set, content),
  }
  return { lab, server, key: tsigKey(key), stand }
}

for (const [name, start] of [
  ['BIND', startBind],
  ['Knot', startKnot],
  ['PowerDNS', startPowerDns],
] as const) {
  for (const transfer of [true, false]) {
    testTarget(
      `rfc2136 at ${name}, read by ${transfer ? 'transfer' : 'questions'}`,
      async (t): Promise<TargetStand> => {
        const { server, key, stand } = await startDynamic(t, start, transfer)
        const target = createRfc2136Target(
          { publisher: 'dns', zone: apex, server: server.server, key, timeoutMs: 60_000 },
          deps,
        )
        t.after(() => target.close())
        return { target, ...stand }
      },
    )
  }
}

testTarget('powerdns by its API', async (t): Promise<TargetStand> => {
  const { server, stand } = await startDynamic(t, startPowerDns, true)
  const { api } = server as Awaited<ReturnType<typeof startPowerDns>>
  const url = parseApiUrl(api.url)
  if (url.kind === 'invalid') throw new Error(url.why)
  const options = { publisher: 'dns', zone: apex, url: url.url, serverId: 'localhost', apiKey: api.key, ca: undefined }
  const target = createPowerDnsTarget(
    { ...options, servers: [server.server], timeoutMs: 60_000 },
    { ...deps, addressesOf: async () => [] },
  )
  return { target, ...stand }
})

for (const [name, start] of [
  ['BIND', startBind],
  ['Knot', startKnot],
  ['NSD', startNsd],
] as const) {
  testTarget(`zone file of ${name}`, async (t): Promise<TargetStand> => {
    const lab = await startLab(t)
    const reader = newKey('reader')
    const server = await start(lab, { keys: [reader], zones: [{ name: 'example.test', transfer: [reader.name] }] })
    const path = server.zoneFile('example.test')
    const check = name === 'BIND' ? ['named-checkzone', '{zone}', '{file}'] : undefined
    const options = { publisher: 'dns', zone: apex, path, servers: [server.server], check, commandMs: 120_000 }
    const target = createZoneFileTarget(options, {
      ...{ clock: systemClock, random: systemRandom, loadRemedy: 'Mend it.', newZone: undefined },
      load: () => runCommand(server.reload('example.test'), 120_000, systemClock),
      liveSerial: async () => undefined,
    })
    return {
      target,
      dump: async () => (await readFile(path, 'latin1')).split('\n').filter((line) => !/\bSOA\b/.test(line)),
      async anotherHand(set, content) {
        const edits = [{ ...set, ttlSeconds: content?.ttlSeconds ?? 0, data: content?.data ?? [] }]
        const edited = editZone(await readFile(path), edits, { zone: apex, nowMs: Date.now() })
        if (edited.kind !== 'edited') throw new Error(edited.kind)
        await writeFile(path, edited.bytes)
      },
    }
  })
}

/** Passes a connection on to the server, once something else is done. */
async function startRelay(t: TestContext, { address, port }: RealNameServer, first: () => Promise<void>) {
  const relay = createServer((socket) => {
    void first().then(() => {
      const onward = connect(port, address)
      for (const end of [socket, onward]) end.on('error', () => end.destroy())
      socket.pipe(onward).pipe(socket)
    })
  })
  await new Promise<void>((done) => relay.listen(0, '127.0.0.1', done))
  t.after(() => relay.close())
  const bound = relay.address()
  if (bound === null || typeof bound === 'string') throw new Error('bound nowhere')
  return { address: labAddress(bound.address), port: bound.port }
}

for (const [name, start] of [
  ['BIND', startBind],
  ['Knot', startKnot],
  ['PowerDNS', startPowerDns],
] as const) {
  test(`${name}: another hand between our last look and our update is stopped by the server itself`, async (t) => {
    const { server, key, stand } = await startDynamic(t, start, true)
    const theirs = { ttlSeconds: 300, data: [mx(7, 'www.example.test')] }
    const relay = await startRelay(t, server, () => stand.anotherHand(mxSet, theirs))
    let opens = 0
    let isApplying = false
    const door: Door = {
      open(purpose, target, isPrivate) {
        // The first connection of an apply looks, the second one updates.
        if (!isApplying || purpose !== 'publisher' || target.kind !== 'tcp' || ++opens !== 2)
          return systemDoor.open(purpose, target, isPrivate)
        return systemDoor.open(purpose, { ...target, port: relay.port, address: relay.address }, isPrivate)
      },
    }
    const options = { publisher: 'dns', zone: apex, server: server.server, key, timeoutMs: 60_000 }
    const target = createRfc2136Target(options, { ...deps, door })
    t.after(() => target.close())
    const read = await target.read([mxSet])
    assert.ok(read.kind === 'read')
    const [before] = read.sets
    isApplying = true
    const after = { ttlSeconds: 300, data: [mx(1, 'mx1.example.test')] }
    const applied = await target.apply({ version: read.version, changes: [{ ...mxSet, before, after }] })
    assert.ok(applied.kind === 'conflict', JSON.stringify(applied))
    assert.equal(opens, 3)
    assertSame(applied.now?.[0], theirs)
    assertSame(await now({ target, ...stand }, mxSet), theirs)
  })
}

test('PowerDNS: what is disabled there is not live, and stays; so does the comment of a set', async (t) => {
  const { server, stand } = await startDynamic(t, startPowerDns, true)
  const { api } = server as Awaited<ReturnType<typeof startPowerDns>>
  const call = async (method: string, body?: unknown) => {
    const path = `${api.url}/api/v1/servers/localhost/zones/example.test.`
    const headers = { 'X-API-Key': api.key, 'Content-Type': 'application/json' }
    const answer = await fetch(path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
    return answer.status === 204 ? undefined : await answer.json()
  }
  const records = [
    { content: '10 mx1.example.test.', disabled: false },
    { content: '99 old.example.net.', disabled: true },
  ]
  const comments = [{ content: 'by hand', account: 'me', modified_at: 1 }]
  const set = { name: 'example.test.', type: 'MX', ttl: 300, changetype: 'REPLACE', records, comments }
  await call('PATCH', { rrsets: [set] })
  const url = parseApiUrl(api.url)
  assert.ok(url.kind === 'url')
  const target = createPowerDnsTarget(
    {
      ...{ publisher: 'dns', zone: apex, url: url.url, serverId: 'localhost', apiKey: api.key, ca: undefined },
      ...{ servers: [], timeoutMs: 60_000 },
    },
    { ...deps, addressesOf: async () => [] },
  )
  const whole = { target, ...stand }
  assertSame(await now(whole, mxSet), { ttlSeconds: 300, data: [mx(10, 'mx1.example.test')] })
  const after = { ttlSeconds: 600, data: [mx(20, 'mx1.example.test')] }
  assert.equal((await change(whole, [[mxSet, after]])).kind, 'applied')
  const zone = (await call('GET')) as { rrsets: { type: string; records: unknown; comments: unknown[] }[] }
  const kept = zone.rrsets.find(({ type }) => type === 'MX')
  assert.deepEqual(kept?.records, [
    { content: '20 mx1.example.test.', disabled: false },
    { content: '99 old.example.net.', disabled: true },
  ])
  assert.equal(kept?.comments.length, 1)
})
