import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Asked, question, read } from '../../../test/lab/ask.ts'
import { authorityDefaults, memorySerials } from '../../../test/lab/authority.ts'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { zoneOf } from '../../../test/lab/zone-lines.ts'
import type { Message } from '../message.ts'
import type { Rdata } from '../rdata.ts'
import { createAnswerVerifier } from '../tsig/answers.ts'
import { parseTsigKey } from '../tsig/key.ts'
import { signRequest } from '../tsig/request.ts'
import { rcodeName, type typeCodes, typeName } from '../types.ts'
import { nameText } from '../wire-name.ts'
import { type AnswererDeps, createAnswerer } from './answer.ts'
import { createCookies } from './cookies.ts'
import { createRateLimiter, type RateLimitOptions } from './rate-limit.ts'
import { createSerials } from './serials.ts'
import type { ZoneSource } from './zone.ts'
import { createZones } from './zones.ts'

const soa = '@ SOA ns1.example.test. hostmaster.example.test. 5 14400 3600 604800 300'
const example = `${soa}
@ NS ns1
@ NS ns.elsewhere.test.
ns1 A 192.0.2.53
@ MX 10 MX1
@ MX 20 mx2.other.test.
MX1 A 192.0.2.1
mx1 AAAA 2001:db8::1
x._domainkey TXT "v=DKIM1"
*.wild MX 10 mx1
*.wild TXT "wild"
there.wild A 192.0.2.7
below.*.wild A 192.0.2.8
alias CNAME mx1
outside CNAME mx2.other.test.
nowhere CNAME gone
towild CNAME any.wild
round CNAME about
about CNAME round
tosub CNAME a.sub
sub NS ns.sub
sub NS ns1
ns.sub A 192.0.2.99
sub DS 1 8 2 0011
deep.down.sub TXT "hidden"`
const other = `${soa}
@ NS ns1.example.test.
mx2 A 192.0.2.2`

interface Setup {
  readonly zones?: readonly ZoneSource[]
  readonly rateLimit?: RateLimitOptions
  readonly deps?: Partial<AnswererDeps>
  readonly isDown?: (address: string) => boolean
}

async function serve({
  zones: sources = [zoneOf('example.test.', example), zoneOf('other.test.', other)],
  ...setup
}: Setup = {}) {
  const clock = createFakeClock()
  const breathe = () => undefined
  const serials = createSerials({ store: memorySerials(), clock, breathe })
  const isDown = setup.isDown ?? (() => false)
  const zones = createZones({ seed: 1, serials, isDown, healthyTtlSeconds: 60, breathe })
  const replaced = await zones.replace(sources)
  const answerer = createAnswerer({
    zones,
    limiter: createRateLimiter(setup.rateLimit ?? authorityDefaults.rateLimit, 1, clock),
    isExempt: (address) => address === '127.0.0.9',
    cookies: createCookies([Buffer.alloc(16, 7)], clock),
    ...{ requireCookies: false, udpBytes: 1232, keys: [], clock },
    ...setup.deps,
  })
  const out = Buffer.alloc(65_535)
  const udp = (bytes: Buffer, address = '192.0.2.200') =>
    Buffer.from(out.subarray(0, answerer.overUdp(bytes, address, out)))
  const tcp = (bytes: Buffer) => Buffer.from(out.subarray(0, answerer.overTcp(bytes, '192.0.2.200', out)))
  const ask = (name: string, type: keyof typeof typeCodes | number, asked?: Asked) =>
    read(udp(question(name, type, asked)))
  return { zones, replaced, answerer, udp, tcp, ask, clock }
}

function show({ name, data, ttlSeconds }: { name: string; data: Rdata; ttlSeconds: number }): string {
  const type = data.type === 'opaque' ? typeName(data.code) : data.type
  const value =
    'address' in data
      ? data.address
      : 'target' in data
        ? nameText(data.target)
        : data.type === 'MX'
          ? nameText(data.exchange)
          : ''
  return `${nameText(name as never)} ${ttlSeconds} ${type} ${value}`.trim()
}

/** `NOERROR aa` and the sections, one line a record. */
function told(message: Message): string[] {
  const flags = [message.authoritative && 'aa', message.truncated && 'tc'].filter(Boolean)
  return [
    [rcodeName(message.rcode), ...flags].join(' '),
    ...message.answers.map(show),
    ...message.authorities.map((record) => `/ ${show(record)}`),
    ...message.additionals.map((record) => `+ ${show(record)}`),
  ]
}

const negative = '/ example.test. 300 SOA'

test('MX with the addresses of exchangers in every zone that is served', async () => {
  const { ask } = await serve()
  assert.deepEqual(told(ask('example.test.', 'MX')), [
    'NOERROR aa',
    'example.test. 3600 MX MX1.example.test.',
    'example.test. 3600 MX mx2.other.test.',
    '+ MX1.example.test. 3600 A 192.0.2.1',
    '+ MX1.example.test. 3600 AAAA 2001:db8::1',
    '+ mx2.other.test. 3600 A 192.0.2.2',
  ])
  assert.deepEqual(told(ask('example.test.', 'NS')).slice(1), [
    'example.test. 3600 NS ns1.example.test.',
    'example.test. 3600 NS ns.elsewhere.test.',
    '+ ns1.example.test. 3600 A 192.0.2.53',
  ])
})

test('the question comes back in its own letter case, and so does its owner; data has the case of the zone', async () => {
  const { ask } = await serve()
  const message = ask('ExAmPlE.tEsT.', 'MX')
  assert.equal(nameText(message.questions[0]?.name ?? ('' as never)), 'ExAmPlE.tEsT.')
  assert.equal(told(message)[1], 'ExAmPlE.tEsT. 3600 MX MX1.example.test.')
})

test('what is not there: no such name, no such data, and names that exist for those below them', async () => {
  const { ask } = await serve()
  assert.deepEqual(told(ask('nothing.example.test.', 'MX')), ['NXDOMAIN aa', negative])
  assert.deepEqual(told(ask('a.b.nothing.example.test.', 'MX')), ['NXDOMAIN aa', negative])
  assert.deepEqual(told(ask('mx1.example.test.', 'TXT')), ['NOERROR aa', negative])
  assert.deepEqual(told(ask('_domainkey.example.test.', 'TXT')), ['NOERROR aa', negative])
  assert.deepEqual(told(ask('_domainkey.example.test.', 255)), ['NOERROR aa', negative])
  assert.deepEqual(told(ask('example.test.', 65_280)), ['NOERROR aa', negative])
  assert.deepEqual(told(ask('y._domainkey.example.test.', 'TXT')), ['NXDOMAIN aa', negative])
})

test('wildcards cover what does not exist, and nothing else', async () => {
  const { ask } = await serve()
  assert.deepEqual(told(ask('foo.wild.example.test.', 'MX')), [
    'NOERROR aa',
    'foo.wild.example.test. 3600 MX mx1.example.test.',
    '+ mx1.example.test. 3600 A 192.0.2.1',
    '+ mx1.example.test. 3600 AAAA 2001:db8::1',
  ])
  assert.equal(told(ask('a.b.c.wild.example.test.', 'TXT'))[1], 'a.b.c.wild.example.test. 3600 TXT')
  assert.deepEqual(told(ask('foo.wild.example.test.', 'A')), ['NOERROR aa', negative])
  assert.deepEqual(told(ask('there.wild.example.test.', 'MX')), ['NOERROR aa', negative])
  assert.deepEqual(told(ask('x.there.wild.example.test.', 'MX')), ['NXDOMAIN aa', negative])
  assert.equal(told(ask('*.wild.example.test.', 'TXT'))[1], '*.wild.example.test. 3600 TXT')
  assert.deepEqual(told(ask('foo.*.wild.example.test.', 'MX')), ['NXDOMAIN aa', negative])
  assert.equal(told(ask('foo.wild.example.test.', 255))[1], 'foo.wild.example.test. 300 HINFO')
})

test('aliases are followed within the zone, and the code is that of the last name', async () => {
  const { ask } = await serve()
  assert.deepEqual(told(ask('alias.example.test.', 'A')), [
    'NOERROR aa',
    'alias.example.test. 3600 CNAME mx1.example.test.',
    'mx1.example.test. 3600 A 192.0.2.1',
  ])
  assert.deepEqual(told(ask('alias.example.test.', 'CNAME')).slice(1), [
    'alias.example.test. 3600 CNAME mx1.example.test.',
  ])
  assert.deepEqual(told(ask('alias.example.test.', 255)).slice(1), ['alias.example.test. 3600 CNAME mx1.example.test.'])
  assert.deepEqual(told(ask('alias.example.test.', 'MX')).slice(2), [negative])
  assert.deepEqual(told(ask('outside.example.test.', 'A')).slice(1), [
    'outside.example.test. 3600 CNAME mx2.other.test.',
  ])
  assert.deepEqual(told(ask('nowhere.example.test.', 'A')), [
    'NXDOMAIN aa',
    'nowhere.example.test. 3600 CNAME gone.example.test.',
    negative,
  ])
  assert.equal(told(ask('towild.example.test.', 'TXT'))[2], 'any.wild.example.test. 3600 TXT')
  assert.equal(told(ask('round.example.test.', 'A')).length, 3)
  const referred = told(ask('tosub.example.test.', 'A'))
  assert.equal(referred[0], 'NOERROR aa')
  assert.equal(referred[2], '/ sub.example.test. 3600 NS ns.sub.example.test.')
})

test('below a cut: a referral with glue; at it, DS is ours', async () => {
  const { ask } = await serve()
  const referral = [
    'NOERROR',
    '/ sub.example.test. 3600 NS ns.sub.example.test.',
    '/ sub.example.test. 3600 NS ns1.example.test.',
    '+ ns.sub.example.test. 3600 A 192.0.2.99',
    '+ ns1.example.test. 3600 A 192.0.2.53',
  ]
  for (const name of ['sub', 'a.sub', 'ns.sub', 'deep.down.sub', 'x.y.z.sub'])
    assert.deepEqual(told(ask(`${name}.example.test.`, 'A')), referral, name)
  assert.deepEqual(told(ask('sub.example.test.', 'DS')), ['NOERROR aa', 'sub.example.test. 3600 DS'])
  assert.deepEqual(told(ask('a.sub.example.test.', 'DS')), referral)
  assert.deepEqual(told(ask('example.test.', 'DS')), ['NOERROR aa', negative])
})

test('a zone below another one: each answers its part, and the DS comes from above', async () => {
  const below = zoneOf('sub.example.test.', `${soa}\n@ NS ns1.example.test.\nwww A 192.0.2.44`)
  const above = zoneOf('example.test.', example)
  const { ask, zones } = await serve({ zones: [above, below] })
  const www = () => told(ask('www.sub.example.test.', 'A')).slice(0, 2)
  assert.deepEqual(www(), ['NOERROR aa', 'www.sub.example.test. 3600 A 192.0.2.44'])
  assert.deepEqual(told(ask('deep.down.sub.example.test.', 'TXT')), ['NXDOMAIN aa', '/ sub.example.test. 300 SOA'])
  assert.deepEqual(told(ask('sub.example.test.', 'DS')), ['NOERROR aa', 'sub.example.test. 3600 DS'])
  assert.deepEqual(told(ask('tosub.example.test.', 'A')).length, 2)

  await zones.replace([above])
  assert.deepEqual(www()[0], 'NOERROR')
  assert.deepEqual(told(ask('sub.example.test.', 'DS')), ['NOERROR aa', 'sub.example.test. 3600 DS'])
  await zones.replace([below])
  assert.deepEqual(www()[0], 'NOERROR aa')
  assert.deepEqual(told(ask('sub.example.test.', 'DS')), ['NOERROR aa', '/ sub.example.test. 300 SOA'])
  assert.deepEqual(told(ask('example.test.', 'MX')), ['REFUSED'])
  await zones.replace([below, above])
  assert.deepEqual(www()[0], 'NOERROR aa')
  assert.deepEqual(told(ask('sub.example.test.', 'DS')), ['NOERROR aa', 'sub.example.test. 3600 DS'])
})

test('ANY hears that it should ask for what it wants', async () => {
  const { ask } = await serve()
  const message = ask('example.test.', 255)
  assert.deepEqual(told(message), ['NOERROR aa', 'example.test. 300 HINFO'])
  const [hinfo] = message.answers
  assert.ok(hinfo?.data.type === 'HINFO' && hinfo.data.cpu.toString() === 'RFC8482' && hinfo.data.os.length === 0)
})

test('what is not for us', async () => {
  const { ask, udp } = await serve()
  assert.deepEqual(told(ask('elsewhere.test.', 'A')), ['REFUSED'])
  assert.deepEqual(told(ask('.', 'NS')), ['REFUSED'])
  const chaos = question('version.bind.', 'TXT')
  chaos.writeUInt16BE(3, chaos.length - 2)
  assert.deepEqual(told(read(udp(chaos))), ['REFUSED'])
  assert.deepEqual(told(ask('example.test.', 252)), ['FORMERR'])
  for (const opcode of [1, 2, 3, 5, 6, 15]) {
    const answer = read(udp(question('example.test.', 'MX', { change: { opcode }, edns: {} })))
    assert.deepEqual([told(answer), answer.opcode, answer.questions.length], [['NOTIMP'], opcode, 0])
  }
  assert.deepEqual(told(ask('example.test.', 'SOA', { change: { opcode: 4 } })), ['REFUSED'])
})

test('RD and CD come back, RA, AD and Z never', async () => {
  const { udp } = await serve()
  const bytes = question('example.test.', 'MX', {
    change: { recursionDesired: true, authenticData: true, checkingDisabled: true, recursionAvailable: true },
  })
  bytes[3] = (bytes[3] ?? 0) | 0x40
  const answer = udp(bytes)
  assert.equal(answer.readUInt16BE(0), 4711)
  assert.equal(answer.readUInt16BE(2), 0x8000 | 0x400 | 0x100 | 0x10)
})

test('messages that are none', async () => {
  const { udp, answerer } = await serve()
  const good = question('example.test.', 'MX')
  assert.equal(udp(Buffer.alloc(0)).length, 0)
  assert.equal(udp(good.subarray(0, 11)).length, 0)
  assert.equal(udp(question('example.test.', 'MX', { change: { isResponse: true } })).length, 0)
  assert.equal(answerer.counts.dropped, 3)
  const changed = (change: (bytes: Buffer) => Buffer | undefined) => {
    const bytes = Buffer.from(good)
    const answer = read(udp(change(bytes) ?? bytes))
    return [...told(answer), answer.questions.length]
  }
  const formErr = ['FORMERR', 0]
  assert.deepEqual(
    changed((bytes) => bytes.subarray(0, 20)),
    formErr,
  )
  assert.deepEqual(
    changed((bytes) => Buffer.concat([bytes, Buffer.from([0])])),
    formErr,
  )
  assert.deepEqual(
    changed((bytes) => void bytes.writeUInt16BE(0, 4)),
    formErr,
  )
  assert.deepEqual(
    changed((bytes) => void bytes.writeUInt16BE(2, 4)),
    formErr,
  )
  assert.deepEqual(
    changed((bytes) => void bytes.writeUInt16BE(1, 6)),
    formErr,
  )
  assert.deepEqual(
    changed((bytes) => void bytes.writeUInt16BE(0xc00c, 12)),
    formErr,
  )
  assert.deepEqual(
    changed(() => question('example.test.', 'MX', { change: { questions: [] } })),
    formErr,
  )
})

test('EDNS: OPT where there was one, our size, no unknown options, DO copied, another version refused', async () => {
  const { ask, udp } = await serve()
  assert.equal(ask('example.test.', 'MX').edns, undefined)
  const options = [{ code: 65_001, data: Buffer.from('unknown') }]
  const answer = ask('example.test.', 'MX', { edns: { options, dnssecOk: true } })
  assert.deepEqual(answer.edns, { udpBytes: 1232, version: 0, dnssecOk: true, options: [] })
  assert.equal(told(answer).length, 6)
  const newer = ask('example.test.', 'MX', { edns: { version: 1 } })
  assert.deepEqual([told(newer), newer.edns?.version, newer.questions.length], [['BADVERS'], 0, 1])
  const refused = ask('elsewhere.test.', 'MX', { edns: {} })
  assert.deepEqual([told(refused), refused.edns?.udpBytes], [['REFUSED'], 1232])

  const once = question('example.test.', 'MX', { edns: {} })
  const opt = once.subarray(once.length - 11)
  const twice = Buffer.concat([once, opt])
  twice.writeUInt16BE(2, 10)
  assert.deepEqual(told(read(udp(twice))), ['FORMERR'])
  const malformed = question('example.test.', 'MX', { edns: { options } })
  malformed.writeUInt16BE(8, malformed.length - 9)
  const answered = read(udp(malformed))
  assert.deepEqual([told(answered), answered.edns?.udpBytes], [['FORMERR'], 1232])
})

test('too large for UDP: TC where the answer does not fit, whole sets of additional data left out where only they do not', async () => {
  const hosts = Array.from({ length: 30 }, (_, index) => `m${index}`)
  const many = `${soa}
@ NS ns1
ns1 A 192.0.2.53
@ TXT ${Array.from({ length: 6 }, () => `"${'x'.repeat(200)}"`).join(' ')}
${hosts.map((host, index) => `@ MX ${index} ${host}\n${host} A 192.0.2.1\n${host} AAAA 2001:db8::${index}`).join('\n')}`
  const { ask, tcp } = await serve({ zones: [zoneOf('example.test.', many)] })
  assert.deepEqual(told(ask('example.test.', 'TXT')), ['NOERROR aa tc'])
  assert.deepEqual(told(ask('example.test.', 'TXT', { edns: { udpBytes: 4096 } })), ['NOERROR aa tc'])
  assert.equal(read(tcp(question('example.test.', 'TXT'))).answers.length, 1)

  const small = ask('example.test.', 'MX', { edns: { udpBytes: 0 } })
  assert.deepEqual(told(small), ['NOERROR aa tc'], '512 octets')
  const middle = ask('example.test.', 'MX', { edns: { udpBytes: 900 } })
  assert.deepEqual([middle.answers.length, middle.truncated], [30, false])
  assert.ok(middle.additionals.length > 0 && middle.additionals.length < 60, String(middle.additionals.length))
  const whole = read(tcp(question('example.test.', 'MX')))
  assert.deepEqual([whole.answers.length, whole.additionals.length], [30, 60])
})

test('a referral whose glue does not fit says so', async () => {
  const servers = Array.from({ length: 13 }, (_, index) => `ns${index}`)
  const lines = servers.map(
    (ns, index) => `sub NS ${ns}.sub\n${ns}.sub A 192.0.2.${index}\n${ns}.sub AAAA 2001:db8::${index}`,
  )
  const { ask } = await serve({ zones: [zoneOf('example.test.', `${soa}\n@ NS ns1\n${lines.join('\n')}`)] })
  assert.deepEqual(told(ask('a.sub.example.test.', 'A')), ['NOERROR tc'])
  const whole = ask('a.sub.example.test.', 'A', { edns: {} })
  assert.deepEqual([whole.authorities.length, whole.additionals.length, whole.truncated], [13, 26, false])
})

test('cookies: half of one gets the whole, which is good from then on', async () => {
  const { ask, udp } = await serve({ deps: { requireCookies: true } })
  const withCookie = (data: Buffer) => ({ edns: { options: [{ code: 10, data }] } })
  const half = Buffer.from('0102030405060708', 'hex')
  const first = ask('example.test.', 'MX', withCookie(half))
  assert.deepEqual([first.rcode, first.answers.length, first.questions.length], [23, 0, 1])
  const [cookie] = first.edns?.options ?? []
  assert.equal(cookie?.data.length, 24)
  const second = ask('example.test.', 'MX', withCookie(cookie?.data ?? half))
  assert.deepEqual([second.rcode, second.answers.length], [0, 2])
  assert.equal(ask('example.test.', 'MX').answers.length, 2, 'who knows no cookies is answered')
  for (const length of [1, 7, 9, 15, 41])
    assert.equal(ask('example.test.', 'MX', withCookie(Buffer.alloc(length))).rcode, 1)
  const none = read(udp(question('.', 'A', { change: { questions: [] }, ...withCookie(half) })))
  assert.deepEqual([none.rcode, none.questions.length, none.edns?.options[0]?.data.length], [0, 0, 24])
})

test('beyond the rate limit: TC, silence, BADCOOKIE in the place of TC to half a cookie, and the answer to a whole one', async () => {
  const { udp, answerer } = await serve({ rateLimit: { perSecond: 2, slip: 2 } })
  const plain = question('example.test.', 'MX')
  const shown = Array.from({ length: 6 }, () => udp(plain)).map((bytes) =>
    bytes.length === 0 ? '' : told(read(bytes))[0],
  )
  assert.deepEqual(shown, ['NOERROR aa', 'NOERROR aa', '', 'NOERROR tc', '', 'NOERROR tc'])
  assert.deepEqual([answerer.counts.limited, answerer.counts.truncated], [2, 2])
  const options = (data: Buffer) => question('example.test.', 'MX', { edns: { options: [{ code: 10, data }] } })
  const halves = Array.from({ length: 40 }, (_, index) => udp(options(Buffer.alloc(8, index)))).filter(
    ({ length }) => length > 0,
  )
  assert.equal(halves.length, 20, 'half a cookie is no way around the limit')
  const bad = read(halves[0] ?? Buffer.alloc(0))
  assert.equal(bad.rcode, 23)
  const good = read(udp(options(bad.edns?.options[0]?.data ?? Buffer.alloc(8))))
  assert.equal(good.answers.length, 2)
  assert.equal(read(udp(plain, '127.0.0.9')).answers.length, 2, 'exempt')
})

test('signed questions are answered with a signature, wrong ones with an error', async () => {
  const parsed = parseTsigKey('key.test', 'hmac-sha256', Buffer.alloc(32, 1).toString('base64'))
  const another = parseTsigKey('key.test', 'hmac-sha256', Buffer.alloc(32, 2).toString('base64'))
  assert.ok(parsed.kind === 'key' && another.kind === 'key')
  const { key } = parsed
  const { udp, clock } = await serve({ deps: { keys: [key] } })
  const now = Math.floor(clock.now() / 1000)
  const ask = (signedBy: typeof key, at: number) => {
    const request = signRequest(question('example.test.', 'MX'), signedBy, at)
    return createAnswerVerifier(signedBy, request.mac).verify(udp(request.bytes), now)
  }
  const good = ask(key, now)
  assert.ok(good.kind === 'verified' && read(good.message).answers.length === 2)
  assert.deepEqual(ask(another.key, now), { kind: 'unsigned-error', error: 16 })
  assert.equal(ask(key, now - 1000).kind, 'bad-time')
  // What is signed and does not fit is cut so that the signature does.
  const hosts = Array.from({ length: 20 }, (_, index) => `@ MX ${index} host${index}`)
  const large = await serve({
    zones: [zoneOf('example.test.', `${soa}\n@ NS ns1\n${hosts.join('\n')}`)],
    deps: { keys: [key] },
  })
  const request = signRequest(question('example.test.', 'MX'), key, now)
  const bytes = large.udp(request.bytes)
  assert.ok(bytes.length <= 512)
  const verified = createAnswerVerifier(key, request.mac).verify(bytes, now)
  assert.ok(verified.kind === 'verified' && read(verified.message).truncated === bytes.length < 200)
})

test('addresses that are down are left out, the last one never, and the answers that hold them follow', async () => {
  const down = new Set<string>()
  const lines = `${soa}\n@ NS ns1\n@ MX 10 mx\nmx 7200 A 192.0.2.1\nmx 7200 A 192.0.2.2\nmx AAAA 2001:db8::1\nto CNAME mx\nns1 A 192.0.2.1`
  const zone = zoneOf('example.test.', lines)
  const { ask, zones } = await serve({
    zones: [{ ...zone, healthy: [zone.records[3]?.name ?? zone.origin] }],
    isDown: (address) => down.has(address),
  })
  const addresses = (name: string, type: 'A' | 'MX') => {
    const message = ask(name, type)
    return [...message.answers, ...message.additionals].flatMap(({ data }) => ('address' in data ? [data.address] : []))
  }
  const all = () => [
    addresses('mx.example.test.', 'A'),
    addresses('to.example.test.', 'A'),
    addresses('example.test.', 'MX'),
  ]
  const six = '2001:db8::1'
  assert.deepEqual(all(), [
    ['192.0.2.1', '192.0.2.2'],
    ['192.0.2.1', '192.0.2.2'],
    ['192.0.2.1', '192.0.2.2', six],
  ])
  assert.equal(ask('mx.example.test.', 'A').answers[0]?.ttlSeconds, 60)
  down.add('192.0.2.1').add(six)
  assert.equal(addresses('mx.example.test.', 'A').length, 2, 'until it is told')
  zones.healthChanged()
  assert.deepEqual(all(), [['192.0.2.2'], ['192.0.2.2'], ['192.0.2.2', six]])
  assert.deepEqual(addresses('ns1.example.test.', 'A'), ['192.0.2.1'], 'only where it was said')
  down.add('192.0.2.2')
  zones.healthChanged()
  assert.deepEqual(all()[0], ['192.0.2.1', '192.0.2.2'])
  down.clear()
  zones.healthChanged()
  assert.deepEqual(all()[2], ['192.0.2.1', '192.0.2.2', six])
})

test('zones change one by one, and what others took from them changes too', async () => {
  const first = zoneOf('example.test.', example)
  const { zones, ask, replaced } = await serve({ zones: [first, zoneOf('other.test.', other)] })
  assert.deepEqual([replaced.changed.length, replaced.unchanged], [2, 0])
  const extra = () => told(ask('example.test.', 'MX')).at(-1)
  assert.equal(extra(), '+ mx2.other.test. 3600 A 192.0.2.2')
  const moved = zoneOf('other.test.', other.replace('192.0.2.2', '192.0.2.222'))
  const second = await zones.replace([first, moved])
  assert.deepEqual([second.changed.map(({ origin }) => nameText(origin)), second.unchanged], [['other.test.'], 1])
  assert.equal(extra(), '+ mx2.other.test. 3600 A 192.0.2.222')
  const third = await zones.replace([zoneOf('example.test.', example)])
  assert.deepEqual([third.changed.length, third.unchanged, third.removed], [0, 1, 1])
  assert.equal(extra(), '+ MX1.example.test. 3600 AAAA 2001:db8::1')
  assert.deepEqual(told(ask('mx2.other.test.', 'A')), ['REFUSED'])
  const serial = () => {
    const [record] = ask('other.test.', 'SOA').answers
    return record?.data.type === 'SOA' ? record.data.serial : undefined
  }
  await zones.replace([first, zoneOf('other.test.', other)])
  assert.equal(serial(), 7, 'it had 5 and 6 before it went')
})

test('a zone with a mistake is rejected with its reason, and served as it was', async () => {
  const { zones, ask } = await serve()
  const wrong: readonly (readonly [string, RegExp])[] = [
    [example.replace(soa, ''), /no SOA/],
    [`${example}\n${soa.replace('@', 'mx1')}`, /more than one SOA/],
    [`${example}\nalias A 192.0.2.1`, /alias\.example\.test\. has other data beside a CNAME/],
    [`${example}\nfoo.elsewhere.test. A 192.0.2.1`, /foo\.elsewhere\.test\. lies outside/],
    [soa, /no NS/],
    [`${example}\n*.sub2 NS ns1`, /NS at a wildcard/],
    [
      `${example}\n${Array.from({ length: 300 }, (_, index) => `big TXT "${'y'.repeat(200)}${index}"`).join('\n')}`,
      /larger than any/,
    ],
    [`${example}\ndname DNAME other.test.`, /DNAME/],
  ]
  for (const [lines, why] of wrong) {
    const { rejected, changed } = await zones.replace([zoneOf('example.test.', lines)])
    assert.equal(changed.length, 0)
    assert.match(rejected[0]?.why ?? '', why)
    assert.equal(ask('example.test.', 'MX').answers.length, 2)
  }
  const twice = await zones.replace([zoneOf('example.test.', example), zoneOf('EXAMPLE.test.', example)])
  assert.match(twice.rejected[0]?.why ?? '', /twice/)
})

test('an invalid zone below another hides nothing of it', async () => {
  const { ask } = await serve({
    zones: [zoneOf('example.test.', example), zoneOf('wild.example.test.', 'www A 192.0.2.1')],
  })
  assert.equal(told(ask('foo.wild.example.test.', 'TXT'))[1], 'foo.wild.example.test. 3600 TXT')
})

test('who signs with an unknown key gets no more than it sent, also where its name was compressed', async () => {
  const { udp } = await serve()
  const label = 'a'.repeat(63)
  const asked = question(`${label}.${label}.${label}.${'a'.repeat(61)}.`, 'A')
  asked.writeUInt16BE(1, 10)
  const rdata = Buffer.concat([
    Buffer.from('\x0bhmac-sha256\0', 'latin1'),
    // Time, fudge, 32 octets of MAC, id, error, nothing else.
    Buffer.from('000000000000012c0020', 'hex'),
    Buffer.alloc(32),
    Buffer.alloc(6),
  ])
  const tsig = Buffer.from('c00c00fa00ff000000000000', 'hex')
  tsig.writeUInt16BE(rdata.length, 10)
  const forged = Buffer.concat([asked, tsig, rdata])
  const answer = udp(forged)
  assert.ok(answer.length <= forged.length, `${answer.length} for ${forged.length}`)
  const said = read(answer)
  assert.deepEqual([said.rcode, said.truncated], [9, true])
})

test('who floods in the name of a secondary does not silence it, and is limited itself', async () => {
  const key = (fill: number) => {
    const parsed = parseTsigKey('key.test', 'hmac-sha256', Buffer.alloc(32, fill).toString('base64'))
    assert.ok(parsed.kind === 'key')
    return parsed.key
  }
  const rateLimit = { perSecond: 10, slip: 0 }
  const { udp, clock, answerer } = await serve({ rateLimit, deps: { keys: [key(1)] } })
  const now = Math.floor(clock.now() / 1000)
  const signed = (fill: number) => signRequest(question('example.test.', 'SOA'), key(fill), now)
  let answered = 0
  for (let count = 0; count < 100; count++) {
    if (udp(signed(2).bytes).length > 0) answered++
    if (udp(question('elsewhere.test.', 'SOA')).length > 0) answered++
  }
  assert.equal(answered, 10, 'errors of all kinds together')
  const asked = signed(1)
  assert.equal(createAnswerVerifier(key(1), asked.mac).verify(udp(asked.bytes), now).kind, 'verified')
  // Who has the key, or has seen such a question and sends it again in another's name, is limited too.
  for (let count = 0; count < 100; count++) if (udp(asked.bytes).length > 0) answered++
  assert.equal(answered, 19)
  assert.equal(answerer.counts.limited, 190 + 91)
  clock.advance(10_000)
  const padding = { options: [{ code: 12, data: Buffer.alloc(1300) }] }
  const long = signRequest(question('example.test.', 'SOA', { edns: padding }), key(1), Math.floor(clock.now() / 1000))
  assert.equal(read(udp(long.bytes)).rcode, 1, 'for what is so long no hash is made')
})
