/**
 * Transfers of ours from real BIND 9, Knot, NSD and PowerDNS, compared with `dig axfr`, and NOTIFY to a real secondary. Needs Debian's bind9,
 * bind9-utils, bind9-dnsutils, knot, nsd, pdns-server and pdns-backend-sqlite3.
 */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { systemDoor } from '../../src/base/door.ts'
import { systemRandom } from '../../src/base/random.ts'
import { type DnsRecord, decodeMessage, encodeMessage } from '../../src/dns/message.ts'
import { isNotifyAnswer, notifyMessage } from '../../src/dns/notify.ts'
import { type TransferOptions, type TransferOutcome, transferZone } from '../../src/dns/transfer/client.ts'
import { createUpdateClient } from '../../src/dns/update/client.ts'
import { nameText } from '../../src/dns/wire-name.ts'
import { startLab } from '../lab/lab.ts'
import { labName } from '../lab/names.ts'
import { startBind } from './harness/bind.ts'
import { startKnot } from './harness/knot.ts'
import {
  answersFor,
  type Home,
  type KeyWords,
  type NameServerWords,
  newKey,
  type RealNameServer,
  smallZone,
  tsigKey,
} from './harness/name-server.ts'
import { startNsd } from './harness/nsd.ts'
import { startPowerDns } from './harness/powerdns.ts'
import { runWell } from './harness/program.ts'

const zone = labName('example.test')
const deps = { clock: systemClock, random: systemRandom, door: systemDoor }

/** 9,990 more than the small zone's ten. */
const large = `${smallZone('example.test')}${Array.from({ length: 3_330 }, (_, index) => {
  const host = `host-${index}`
  return `${host} A 192.0.2.${index % 256}\n${host} MX ${index} mx-${index % 7}.Example.NET.\n${host} TXT "${'x'.repeat(index % 200)}" "${index}"\n`
}).join('')}`

function transfer(
  server: RealNameServer,
  key?: KeyWords,
  more: Partial<TransferOptions> = {},
): Promise<TransferOutcome> {
  const limits = { timeoutMs: 60_000, maxRecords: 100_000, maxBytes: 16 * 2 ** 20 }
  return transferZone(zone, { server: server.server, key: key && tsigKey(key), ...limits, ...more }, deps)
}

/** As dig writes it. */
function text({ name, ttlSeconds, data }: DnsRecord): string {
  return `${nameText(name)} ${ttlSeconds} IN ${data.type} ${dataText(data)}`
}

function dataText(data: DnsRecord['data']): string {
  switch (data.type) {
    case 'A':
      return data.address
    case 'NS':
      return nameText(data.target)
    case 'MX':
      return `${data.preference} ${nameText(data.exchange)}`
    case 'TXT':
      return data.strings.map((string) => `"${string.toString('latin1')}"`).join(' ')
    case 'SOA': {
      const { serial, refreshSeconds, retrySeconds, expireSeconds, minimumSeconds } = data
      const numbers = [serial, refreshSeconds, retrySeconds, expireSeconds, minimumSeconds]
      return `${nameText(data.primary)} ${nameText(data.mailbox)} ${numbers.join(' ')}`
    }
    default:
      throw new Error(`not in these zones: ${data.type}`)
  }
}

async function digTransfer(server: RealNameServer, key: KeyWords | undefined): Promise<string[]> {
  const signed = key ? ['-y', `${key.algorithm}:${key.name}:${key.secret}`] : []
  const place = [`@${server.address}`, '-p', String(server.port)]
  const { stdout } = await runWell('dig', [
    ...signed,
    ...place,
    '+onesoa',
    '+nocmd',
    '+nostats',
    'example.test',
    'AXFR',
  ])
  return stdout
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith(';') && !/\sANY\s+TSIG\s/.test(line))
    .map((line) => line.replace(/^(\S+)\s+(\d+)\s+IN\s+(\S+)\s+/, '$1 $2 IN $3 '))
    .sort()
}

const servers: readonly (readonly [string, (home: Home, words: NameServerWords) => Promise<RealNameServer>])[] = [
  ['BIND', startBind],
  ['Knot', startKnot],
  ['NSD', startNsd],
  ['PowerDNS', startPowerDns],
]

for (const [name, start] of servers) {
  test(`${name}: 10,000 records, with a key and without, are those that dig gets`, async (t) => {
    const lab = await startLab(t)
    const keys = [newKey('waypost'), newKey('strong.waypost.test', 'hmac-sha512')]
    const [key, strong] = keys as [KeyWords, KeyWords]
    const closed = await start(lab, {
      keys,
      zones: [{ name: 'example.test', text: large, transfer: keys.map(({ name }) => name) }],
    })
    for (const by of [key, strong]) {
      const outcome = await transfer(closed, by)
      assert.ok(outcome.kind === 'zone', JSON.stringify(outcome))
      assert.equal(outcome.zone.records.length, 10_000)
      assert.equal(outcome.zone.serial, 1)
      const ours = outcome.zone.records.map(text).sort()
      const theirs = await digTransfer(closed, by)
      assert.deepEqual(ours.slice(0, 50), theirs.slice(0, 50))
      assert.ok(ours.join('\n') === theirs.join('\n'))
    }
    const kinds = async (by: KeyWords | undefined) => {
      const outcome = await transfer(closed, by)
      return outcome.kind === 'tsig' ? outcome.problem : outcome.kind
    }
    const said = [await kinds(undefined), await kinds(newKey('nobody')), await kinds(newKey(key.name))]
    assert.deepEqual(said, refusals[name])

    const open = await start(lab, { zones: [{ name: 'example.test', text: large, transfer: 'anybody' }] })
    const outcome = await transfer(open)
    assert.ok(outcome.kind === 'zone', JSON.stringify(outcome))
    assert.ok(outcome.zone.records.map(text).sort().join('\n') === (await digTransfer(open, undefined)).join('\n'))
    assert.deepEqual(await transfer(open, undefined, { maxRecords: 9_999 }), { kind: 'too-large', limit: 'records' })
    assert.deepEqual(await transfer(open, undefined, { maxBytes: 100_000 }), { kind: 'too-large', limit: 'bytes' })
    await open.stop()
    assert.deepEqual(await transfer(open), { kind: 'unreachable', why: 'ECONNREFUSED' })
  })
}

/** To nobody, to an unknown key and to a wrong secret. */
const refusals: Readonly<Record<string, readonly string[]>> = {
  BIND: ['refused', 'bad-key', 'bad-signature'],
  Knot: ['not-authoritative', 'bad-key', 'bad-signature'],
  NSD: ['refused', 'bad-key', 'bad-signature'],
  PowerDNS: ['not-authoritative', 'not-authoritative', 'not-authoritative'],
}

for (const [name, start] of servers.slice(0, 3)) {
  test(`${name} as a secondary fetches the zone again when our NOTIFY says so`, async (t) => {
    const lab = await startLab(t)
    const key = newKey('waypost')
    const zones = [{ name: 'example.test', updateKeys: [key.name], transfer: [key.name] }]
    const primary = await startBind(lab, { keys: [key], zones })
    const from = { address: primary.address, port: primary.port, key: key.name }
    const secondary = await start(lab, {
      keys: [key],
      zones: [{ name: 'example.test', primary: from, transfer: 'anybody' }],
    })
    await lab.until(() => answersFor(secondary.server, 'example.test'))

    const options = { server: primary.server, key: tsigKey(key), timeoutMs: 60_000 }
    const data = { type: 'TXT', strings: [Buffer.from('new')] } as const
    const changes = [{ kind: 'add', name: zone, ttlSeconds: 60, data }] as const
    assert.deepEqual(await createUpdateClient(options, deps).send({ zone, prerequisites: [], changes }), {
      kind: 'done',
    })
    assert.equal(await serialAt(secondary), 1)
    await notify(t, secondary, primary.address)
    await lab.until(async () => (await serialAt(secondary)) === 2)
  })
}

async function serialAt(server: RealNameServer): Promise<number> {
  const outcome = await transfer(server)
  return outcome.kind === 'zone' ? outcome.zone.serial : -1
}

/** Sends it from the primary's address, as a secondary wants it, until it is answered. */
async function notify(t: TestContext, { address, port }: RealNameServer, source: string): Promise<void> {
  const socket = createSocket('udp4')
  t.after(() => socket.close())
  await new Promise<void>((resolve) => socket.bind(0, source, () => resolve()))
  const answered = new Promise<boolean>((resolve) =>
    socket.on('message', (bytes) => {
      const decoded = decodeMessage(bytes)
      resolve(decoded.kind === 'message' && decoded.message.rcode === 0 && isNotifyAnswer(decoded.message, 0x77, zone))
    }),
  )
  const limit = setTimeout(() => socket.emit('message', Buffer.alloc(0)), 60_000)
  socket.send(encodeMessage(notifyMessage(zone, 0x77)), port, address)
  assert.ok(await answered, 'no answer, or another one')
  clearTimeout(limit)
}
