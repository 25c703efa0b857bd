/** The server as a whole, over real sockets on loopback. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { test } from 'node:test'
import { askTcp, askUdp, framed, question, read } from '../../../test/lab/ask.ts'
import { authorityDefaults, memorySerials, startAuthority } from '../../../test/lab/authority.ts'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { createFastClock, steadyClock } from '../../../test/lab/fast-clock.ts'
import { collectLog } from '../../../test/lab/log.ts'
import { freeAddress } from '../../../test/lab/loopback.ts'
import { until } from '../../../test/lab/until.ts'
import { absolute, zoneOf } from '../../../test/lab/zone-lines.ts'
import { systemDoor } from '../../base/door.ts'
import type { IpAddress } from '../../base/ip.ts'
import { silentLog } from '../../base/log.ts'
import { systemRandom } from '../../base/random.ts'
import { encodeMessage } from '../message.ts'
import { transferZone } from '../transfer/client.ts'
import { parseTsigKey } from '../tsig/key.ts'
import { opcodes } from '../types.ts'
import { createAuthority } from './authority.ts'
import { localAddresses } from './local-addresses.ts'
import { createUdpServer } from './udp-server.ts'

const soa = '@ SOA ns1.example.test. hostmaster.example.test. 5 14400 3600 604800 300'
const lines = `${soa}\n@ NS ns1\nns1 A 192.0.2.53\n@ MX 10 mx1\nmx1 A 192.0.2.1`
const example = zoneOf('example.test.', lines)
const mx = question('example.test.', 'MX')

test('UDP and TCP on one port', async (t) => {
  const server = await startAuthority(t, [example])
  const udp = await askUdp(server, mx)
  assert.equal(udp && read(udp).answers.length, 1)
  const tcp = askTcp(server)
  tcp.write(framed(mx))
  assert.deepEqual(await tcp.next(), udp)
  tcp.socket.destroy()
  await until(() => server.authority.statistics.tcpConnections === 0)
  assert.equal(server.authority.statistics.answers.positive, 2)
})

test('many questions in one packet are answered in order, and one in pieces is answered once it is there', async (t) => {
  const server = await startAuthority(t, [example])
  const tcp = askTcp(server)
  const questions = Array.from({ length: 200 }, (_, id) => question(`n${id}.example.test.`, 'A', { change: { id } }))
  tcp.write(Buffer.concat(questions.map(framed)))
  for (let id = 0; id < questions.length; id++) assert.equal((await tcp.next()).readUInt16BE(0), id)
  const bytes = framed(mx)
  for (const octet of bytes.subarray(0, -1)) tcp.write(Buffer.from([octet]))
  tcp.write(bytes.subarray(-1))
  assert.equal(read(await tcp.next()).answers.length, 1)
  tcp.socket.destroy()
})

test('who asks for much and reads nothing costs little, and is let go', async (t) => {
  const text = Array.from({ length: 150 }, (_, index) => `big TXT "${'z'.repeat(200)}${index}"`).join('\n')
  const clock = createFastClock(20)
  const tcpLimits = { ...authorityDefaults.tcp, idleMs: 10_000 }
  const server = await startAuthority(t, [zoneOf('example.test.', `${lines}\n${text}`)], { tcp: tcpLimits }, { clock })
  const lazy = askTcp(server)
  lazy.socket.pause()
  const many = Buffer.concat(Array.from({ length: 2_000 }, () => framed(question('big.example.test.', 'TXT'))))
  lazy.write(many)
  // All of it would be 65 MB. What the system takes is not ours; what waits in the process is at most an answer more than the limit.
  const other = askTcp(server)
  other.write(framed(mx))
  assert.equal(read(await other.next()).answers.length, 1)
  const { positive } = server.authority.statistics.answers
  assert.ok(positive < 500, `${positive} were answered`)
  other.socket.destroy()
  await until(() => server.authority.statistics.tcpConnections === 0, 60_000, 'both are gone')
  lazy.socket.destroy()
})

test('idle connections end, those that send an octet now and then too', async (t) => {
  const clock = createFakeClock()
  const server = await startAuthority(t, [example], { tcp: { ...authorityDefaults.tcp, idleMs: 5_000 } }, { clock })
  const idle = askTcp(server)
  const slow = askTcp(server)
  const busy = askTcp(server)
  await until(() => server.authority.statistics.tcpConnections === 3)
  clock.advance(4_000)
  slow.write(Buffer.from([0]))
  busy.write(framed(mx))
  await busy.next()
  clock.advance(2_000)
  await Promise.all([idle.closed, slow.closed])
  assert.equal(server.authority.statistics.tcpConnections, 1)
  busy.write(framed(mx))
  await busy.next()
  busy.socket.destroy()
})

test('connections have a ceiling, over all and for one client', async (t) => {
  const server = await startAuthority(t, [example], { tcp: { ...authorityDefaults.tcp, connectionsPerClient: 3 } })
  const open = Array.from({ length: 3 }, () => askTcp(server))
  for (const one of open) one.write(framed(mx))
  for (const one of open) await one.next()
  await askTcp(server).closed
  open[0]?.socket.destroy()
  await until(() => server.authority.statistics.tcpConnections === 2)
  const again = askTcp(server)
  again.write(framed(mx))
  await again.next()
  for (const one of [...open, again]) one.socket.destroy()
})

test('what is no question ends a connection; what is too long does, before it is there', async (t) => {
  const server = await startAuthority(t, [example])
  const answer = askTcp(server)
  answer.write(framed(question('example.test.', 'MX', { change: { isResponse: true } })))
  await answer.closed
  const long = askTcp(server)
  long.write(Buffer.from([0xff, 0xff, 1, 2, 3]))
  await long.closed
})

test('a wildcard stands for the addresses of the machine', () => {
  const info = (address: string) => ({ address, netmask: '', mac: '', internal: false, cidr: null })
  const interfaces = {
    lo: [
      { ...info('127.0.0.1'), family: 'IPv4' as const },
      { ...info('::1'), family: 'IPv6' as const, scopeid: 0 },
    ],
    eth0: [
      { ...info('192.0.2.1'), family: 'IPv4' as const },
      { ...info('2001:DB8::1'), family: 'IPv6' as const, scopeid: 0 },
      { ...info('fe80::1'), family: 'IPv6' as const, scopeid: 2 },
    ],
  }
  assert.deepEqual(localAddresses('0.0.0.0' as IpAddress, interfaces), ['127.0.0.1', '192.0.2.1'])
  assert.deepEqual(localAddresses('::' as IpAddress, interfaces), ['::1', '2001:db8::1'])
  assert.deepEqual(localAddresses('192.0.2.7' as IpAddress, interfaces), ['192.0.2.7'])
})

test('answers leave from the address that was asked, and addresses that come and go are followed', async (t) => {
  const clock = createFakeClock()
  const [one, two] = [freeAddress(), freeAddress()]
  let addresses = [one]
  const interfaces = () => ({
    lo: addresses.map((address) => ({
      address,
      netmask: '',
      mac: '',
      internal: true,
      cidr: null,
      family: 'IPv4' as const,
    })),
  })
  const overUdp = (_query: Uint8Array, _address: string, out: Buffer) => out.write('answer')
  const answerer = { overUdp } as unknown as Parameters<typeof createUdpServer>[1]['answerer']
  const port = await new Promise<number>((resolve) => {
    const probe = createSocket('udp4')
    probe.bind(0, one, () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })
  const listen = [{ address: '0.0.0.0' as IpAddress, port }]
  const server = createUdpServer(listen, { answerer, clock, log: silentLog, onResponse: () => undefined, interfaces })
  await server.start()
  t.after(() => server.stop())
  assert.deepEqual(server.bound, [{ address: one, port }])
  addresses = [one, two]
  clock.advance(10_000)
  await until(() => server.bound.length === 2)
  for (const address of addresses) assert.equal((await askUdp({ address, port }, mx))?.toString(), 'answer')
  addresses = [two]
  clock.advance(10_000)
  await until(() => server.bound.length === 1)
  assert.deepEqual(server.bound, [{ address: two, port }])
})

test('a port that is taken is told, and nothing stays open', async (t) => {
  const first = await startAuthority(t, [example])
  const listen = [
    { address: freeAddress() as IpAddress, port: first.port },
    { address: first.address as IpAddress, port: first.port },
  ]
  const deps = {
    clock: steadyClock,
    random: systemRandom,
    log: silentLog,
    serials: memorySerials(),
    isDown: () => false,
  }
  const second = createAuthority({ ...authorityDefaults, listen }, deps)
  await assert.rejects(second.start(), { code: 'EADDRINUSE' })
  const [free] = listen
  if (free) await startAuthority(t, [], { listen: [free] })
})

const parsedKey = parseTsigKey('transfer.test', 'hmac-sha256', Buffer.alloc(32, 9).toString('base64'))
assert.ok(parsedKey.kind === 'key')
const { key } = parsedKey

test('whole zones for secondaries alone, with the key alone', async (t) => {
  const hosts = Array.from({ length: 3_000 }, (_, index) => `Host-${index} A 192.0.2.${index % 250}`).join('\n')
  const sub = 'sub NS ns.sub\nns.sub A 192.0.2.9\nhidden.sub TXT "there"\nEXAMPLE 60 A 192.0.2.1\nexample A 192.0.2.1'
  const zone = zoneOf('example.test.', `${lines}\n${hosts}\n${sub}`)
  const secondary = { server: { address: '127.0.0.1' as IpAddress, port: 53 }, key }
  const { log, find } = collectLog()
  const server = await startAuthority(t, [zone], { secondaries: [secondary] }, { log })
  const open = { ...secondary, key: undefined }
  const other = await startAuthority(t, [zone], { secondaries: [open] })
  const fetch = (from: typeof server, withKey: typeof key | undefined, name = 'example.test.') =>
    transferZone(
      absolute(name, '.'),
      {
        server: { address: from.address as IpAddress, port: from.port },
        ...{ key: withKey, timeoutMs: 10_000, maxRecords: 10_000, maxBytes: 10_000_000 },
      },
      { clock: steadyClock, random: systemRandom, door: systemDoor },
    )
  for (const outcome of [await fetch(server, key), await fetch(other, undefined)]) {
    assert.ok(outcome.kind === 'zone', JSON.stringify(outcome))
    // One record was there twice.
    assert.equal(outcome.zone.records.length, zone.records.length - 1)
    assert.equal(outcome.zone.serial, 5)
    const ttls = outcome.zone.records
      .filter(({ name }) => /^\x07example/i.test(name) && name.length > 20)
      .map((one) => one.ttlSeconds)
    assert.deepEqual(ttls, [60], 'the set has one TTL')
    assert.ok(
      outcome.zone.records.some(({ name }) => name.startsWith('\x07Host-99')),
      'in the case of the zone',
    )
  }
  const unsigned = await fetch(server, undefined)
  assert.ok(unsigned.kind !== 'zone')
  assert.equal(find('dns transfer refused').length, 1)
  assert.notEqual((await fetch(server, key, 'elsewhere.test.')).kind, 'zone')
  const stranger = await startAuthority(t, [zone], {
    secondaries: [{ ...secondary, server: { ...secondary.server, address: '192.0.2.1' as IpAddress } }],
  })
  assert.notEqual((await fetch(stranger, key)).kind, 'zone')
})

test('a transfer while the zone changes is of one version from its first SOA to its last', async (t) => {
  const hosts = Array.from({ length: 4_000 }, (_, index) => `h${index} A 192.0.2.${index % 250}`).join('\n')
  const versionOf = (serial: number) =>
    zoneOf(
      'example.test.',
      `${soa.replace(' 5 ', ` ${serial} `)}\n@ NS ns1\nns1 A 192.0.2.53\n@ MX ${serial} mx1\n${hosts}\nzz TXT "${serial}"`,
    )
  const secondary = { server: { address: '127.0.0.1' as IpAddress, port: 53 }, key: undefined }
  const { authority, address, port } = await startAuthority(t, [versionOf(5)], { secondaries: [secondary] })
  const fetch = () =>
    transferZone(
      absolute('example.test.', '.'),
      {
        server: { address: address as IpAddress, port },
        ...{ key: undefined, timeoutMs: 60_000, maxRecords: 10_000, maxBytes: 10_000_000 },
      },
      { clock: steadyClock, random: systemRandom, door: systemDoor },
    )
  let current = 5
  const seen = new Set<number>()
  for (let round = 0; round < 8; round++) {
    const fetches = [fetch(), fetch()]
    current += 1
    await authority.replaceZones([versionOf(current)])
    for (const outcome of await Promise.all(fetches)) {
      assert.ok(outcome.kind === 'zone', JSON.stringify(outcome))
      const { serial, records } = outcome.zone
      seen.add(serial)
      assert.ok(serial === current || serial === current - 1, String(serial))
      assert.equal(records.length, 4_005)
      const said = records.flatMap(({ data }) =>
        data.type === 'MX' ? [data.preference] : data.type === 'TXT' ? [Number(data.strings[0])] : [],
      )
      assert.deepEqual(said, [serial, serial])
    }
  }
  assert.ok(seen.size > 1)
})

test('who asks again and again for a zone that it does not get is told in a few lines, and loses its connection', async (t) => {
  const { log, find } = collectLog()
  const clock = createFakeClock()
  const server = await startAuthority(t, [example], {}, { log, clock })
  const axfr = framed(question('example.test.', 252))
  for (let round = 0; round < 3; round++) {
    const tcp = askTcp(server)
    const closed = new Promise((resolve) => tcp.socket.once('close', resolve))
    tcp.socket.on('error', () => undefined)
    tcp.write(Buffer.concat(Array.from({ length: 200 }, () => axfr)))
    await closed
  }
  assert.equal(find('dns transfer refused').length, 5)
  clock.advance(60_000)
  assert.deepEqual(
    find('dns transfers refused').map(({ fields }) => fields.more),
    [28],
  )
})

test('IXFR: the SOA for who is up to date, else the whole zone; over UDP the SOA', async (t) => {
  const secondary = { server: { address: '127.0.0.1' as IpAddress, port: 53 }, key: undefined }
  const server = await startAuthority(t, [example], { secondaries: [secondary] })
  const ask = (serial: number) => {
    const own = example.records[0]
    assert.ok(own?.data.type === 'SOA')
    return question('example.test.', 251, {
      change: { authorities: [{ ...own, class: 1, data: { ...own.data, serial } }] },
    })
  }
  const tcp = askTcp(server)
  for (const [serial, records] of [
    [5, 1],
    [6, 1],
    [4, 6],
  ] as const) {
    tcp.write(framed(ask(serial)))
    assert.equal(read(await tcp.next()).answers.length, records, String(serial))
  }
  tcp.socket.destroy()
  const udp = await askUdp(server, ask(4))
  assert.deepEqual(udp && read(udp).answers.map(({ data }) => data.type), ['SOA'])
})

test('secondaries are told of changes until they answer, and not of what stayed the same', async (t) => {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, freeAddress(), () => resolve()))
  t.after(() => socket.close())
  const heard: string[] = []
  let isDeaf = true
  socket.on('message', (bytes, from) => {
    const message = read(bytes)
    const [soa] = message.answers
    assert.ok(message.opcode === opcodes.notify && message.authoritative && soa?.data.type === 'SOA')
    heard.push(`${soa.name.slice(1, 8)} ${soa.data.serial}`)
    // RFC 1996 §4.7: the same message as an answer.
    const answer = { ...message, isResponse: true, answers: [], edns: undefined }
    if (!isDeaf) socket.send(encodeMessage(answer), from.port, from.address)
  })
  const { address, port } = socket.address()
  const kept = new Map()
  const options = { secondaries: [{ server: { address: address as IpAddress, port }, key: undefined }] }
  const clock = createFakeClock()
  const server = await startAuthority(t, [], options, { clock, serials: memorySerials(kept) })
  await server.authority.replaceZones([example])
  await until(() => heard.length === 1)
  clock.advance(2_000)
  await until(() => heard.length === 2)
  isDeaf = false
  clock.advance(8_000)
  await until(() => server.authority.statistics.notifications === 0)
  assert.deepEqual(heard, ['example 5', 'example 5', 'example 5'])
  await server.authority.replaceZones([zoneOf('example.test.', lines)])
  await server.authority.replaceZones([zoneOf('example.test.', `${lines}\n@ MX 20 mx2`)])
  await until(() => server.authority.statistics.notifications === 0)
  assert.deepEqual(heard.slice(3), ['example 6'])
})

test('who never answers is given up, and said', async (t) => {
  const { log, find } = collectLog()
  const clock = createFakeClock()
  const options = { secondaries: [{ server: { address: freeAddress() as IpAddress, port: 9 }, key }] }
  const server = await startAuthority(t, [example], options, { clock, log })
  await server.authority.replaceZones([zoneOf('example.test.', `${lines}\n@ MX 20 mx2`)])
  for (let minute = 0; minute < 10; minute++) clock.advance(60_000)
  assert.equal(server.authority.statistics.notifications, 0)
  assert.ok(find('dns notify unanswered').length >= 1)
})
