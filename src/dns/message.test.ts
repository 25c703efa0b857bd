import assert from 'node:assert/strict'
import { test } from 'node:test'
import dnsPacket from 'dns-packet'
import fc from 'fast-check'
import { anyName, anyRdata, dataOf, knownTypes, octets, plainName, shape, u8, u16 } from '../../test/unit/dns-data.ts'
import { type DnsRecord, decodeMessage, encodeMessage, encodeQuery, type Message, query } from './message.ts'
import type { Rdata } from './rdata.ts'
import { typeCodes, typeName } from './types.ts'
import { nameFromText, nameText, rootWireName, type WireName } from './wire-name.ts'

const wire = (text: string): WireName => {
  const parsed = nameFromText(text)
  if (parsed.kind === 'invalid') throw new Error(parsed.why)
  return parsed.name
}

const record = (name: fc.Arbitrary<WireName>, data: fc.Arbitrary<Rdata>): fc.Arbitrary<DnsRecord> =>
  shape({ name, class: fc.constant(1), ttlSeconds: fc.nat(0x7fffffff), data })

const messageOf = (name: fc.Arbitrary<WireName>, data: fc.Arbitrary<Rdata>): fc.Arbitrary<Message> => {
  const records = fc.array(record(name, data), { maxLength: 6 })
  return shape({
    id: u16,
    isResponse: fc.boolean(),
    opcode: fc.constantFrom(0, 4, 5),
    authoritative: fc.boolean(),
    truncated: fc.boolean(),
    recursionDesired: fc.boolean(),
    recursionAvailable: fc.boolean(),
    authenticData: fc.boolean(),
    checkingDisabled: fc.boolean(),
    rcode: fc.nat(15),
    questions: fc.array(shape({ name, type: fc.constantFrom(1, 15, 28), class: fc.constant(1) }), { maxLength: 2 }),
    answers: records,
    authorities: records,
    additionals: records,
    edns: fc.option(
      shape({
        udpBytes: u16,
        version: u8,
        dnssecOk: fc.boolean(),
        options: fc.array(shape({ code: u16, data: octets(20) }), { maxLength: 3 }),
      }),
      { nil: undefined },
    ),
  })
}

test('whatever is encoded is decoded as it was, names of any octets included', () => {
  fc.assert(
    fc.property(messageOf(anyName, anyRdata), (message) => {
      const decoded = decodeMessage(encodeMessage(message))
      assert.deepEqual(decoded, { kind: 'message', message })
    }),
    { numRuns: 500 },
  )
})

/** The same data as `dns-packet` has it. */
function packetData(data: Rdata): unknown {
  const plain = (name: WireName) => (name === rootWireName ? '.' : nameText(name).slice(0, -1))
  switch (data.type) {
    case 'A':
    case 'AAAA':
      return data.address
    case 'NS':
    case 'CNAME':
    case 'PTR':
    case 'DNAME':
      return plain(data.target)
    case 'SOA':
      return {
        mname: plain(data.primary),
        rname: plain(data.mailbox),
        serial: data.serial,
        refresh: data.refreshSeconds,
        retry: data.retrySeconds,
        expire: data.expireSeconds,
        minimum: data.minimumSeconds,
      }
    case 'MX':
      return { preference: data.preference, exchange: plain(data.exchange) }
    case 'TXT':
      return data.strings
    case 'HINFO':
      return { cpu: data.cpu.toString(), os: data.os.toString() }
    case 'SRV':
      return { priority: data.priority, weight: data.weight, port: data.port, target: plain(data.target) }
    case 'DS':
      return { keyTag: data.keyTag, algorithm: data.algorithm, digestType: data.digestType, digest: data.digest }
    case 'DNSKEY':
      return { flags: data.flags, algorithm: data.algorithm, key: data.key }
    case 'RRSIG':
      return {
        typeCovered: typeName(data.covered),
        algorithm: data.algorithm,
        labels: data.labels,
        originalTTL: data.originalTtlSeconds,
        expiration: data.expiration,
        inception: data.inception,
        keyTag: data.keyTag,
        signersName: plain(data.signer),
        signature: data.signature,
      }
    case 'NSEC':
      return { nextDomain: plain(data.next), rrtypes: data.types.map(typeName) }
    case 'NSEC3':
      return {
        algorithm: data.algorithm,
        flags: data.flags,
        iterations: data.iterations,
        salt: data.salt,
        nextDomain: data.nextHash,
        rrtypes: data.types.map(typeName),
      }
    case 'TLSA':
      return { usage: data.usage, selector: data.selector, matchingType: data.matching, certificate: data.data }
    case 'CAA':
      return { flags: data.flags, tag: data.tag, value: data.value.toString(), issuerCritical: data.flags === 128 }
    default:
      throw new Error(`dns-packet has no ${data.type}`)
  }
}

const knownData = dataOf(plainName, knownTypes).filter(
  // dns-packet writes every AAAA in its own text, and a v4-mapped one is IPv4 to us.
  (data) => data.type !== 'AAAA',
)
const knownRecords = fc.array(record(plainName, knownData), { maxLength: 6 })

test('what we write, dns-packet reads', () => {
  fc.assert(
    fc.property(knownRecords, (answers) => {
      const message: Message = {
        ...query(wire('example.test.'), typeCodes.MX, 7, undefined),
        isResponse: true,
        answers,
      }
      const packet = dnsPacket.decode(encodeMessage(message))
      assert.equal(packet.id, 7)
      for (const [index, answer] of answers.entries()) {
        const read = packet.answers?.[index] as { name: string; type: string; ttl: number; data: unknown }
        assert.equal(`${read.name}.`, nameText(answer.name))
        assert.equal(read.type, answer.data.type)
        assert.equal(read.ttl, answer.ttlSeconds)
        assert.deepEqual(read.data, packetData(answer.data))
      }
    }),
    { numRuns: 300 },
  )
})

test('what dns-packet writes, we read', () => {
  fc.assert(
    fc.property(knownRecords, (answers) => {
      const bytes = dnsPacket.encode({
        type: 'response',
        id: 9,
        questions: [{ type: 'MX', name: 'example.test' }],
        answers: answers.map(({ name, ttlSeconds, data }) => ({
          name: nameText(name).slice(0, -1),
          type: data.type,
          ttl: ttlSeconds,
          data: packetData(data),
        })) as never,
      })
      const decoded = decodeMessage(bytes)
      assert.ok(decoded.kind === 'message')
      assert.deepEqual(decoded.message.answers, answers)
      assert.deepEqual(decoded.message.questions, [{ name: wire('example.test.'), type: 15, class: 1 }])
    }),
    { numRuns: 300 },
  )
})

test('IPv6 addresses agree with dns-packet, which knows them as octets do', () => {
  for (const address of ['2001:db8::1', '::1', 'fe80::1:0:0:1']) {
    const bytes = dnsPacket.encode({ type: 'response', answers: [{ type: 'AAAA', name: 'a.test', data: address }] })
    const decoded = decodeMessage(bytes)
    assert.ok(decoded.kind === 'message')
    assert.deepEqual(decoded.message.answers[0]?.data, { type: 'AAAA', address })
  }
})

test('EDNS as dns-packet writes it', () => {
  const bytes = dnsPacket.encode({
    type: 'query',
    additionals: [{ type: 'OPT', name: '.', udpPayloadSize: 1232, flags: dnsPacket.DNSSEC_OK, options: [] } as never],
  })
  const decoded = decodeMessage(bytes)
  assert.ok(decoded.kind === 'message')
  assert.deepEqual(decoded.message.edns, { udpBytes: 1232, version: 0, dnssecOk: true, options: [] })
})

test('what does not fit is left out whole, and TC says so', () => {
  const name = wire('example.test.')
  const answers = Array.from(
    { length: 100 },
    (_, index): DnsRecord => ({
      name,
      class: 1,
      ttlSeconds: 60,
      data: { type: 'MX', preference: index, exchange: wire(`mx${index}.example.test.`) },
    }),
  )
  const edns = { udpBytes: 1232, version: 0, dnssecOk: false, options: [] }
  const message: Message = { ...query(name, 15, 1, edns), isResponse: true, answers, additionals: answers }
  const bytes = encodeMessage(message, 512)
  assert.ok(bytes.length <= 512 && bytes.length > 450)
  const decoded = decodeMessage(bytes)
  assert.ok(decoded.kind === 'message')
  assert.ok(decoded.message.truncated)
  assert.ok(decoded.message.answers.length > 10 && decoded.message.answers.length < 100)
  assert.deepEqual(decoded.message.additionals, [])
  assert.deepEqual(decoded.message.edns, edns)
  // Compression: each of these takes 12 + 2 + 6 + 2 octets and not the whole name twice.
  assert.ok(encodeMessage({ ...message, additionals: [] }).length < 100 * 24 + 50)
})

test('an update prerequisite: class ANY without data stays what it is (RFC 2136 §2.4)', () => {
  const data: Rdata = { type: 'opaque', code: typeCodes.MX, data: Buffer.alloc(0) }
  const message: Message = {
    ...query(wire('example.test.'), 6, 1, undefined),
    opcode: 5,
    answers: [{ name: wire('example.test.'), class: 255, ttlSeconds: 0, data }],
  }
  const decoded = decodeMessage(encodeMessage(message))
  assert.deepEqual(decoded, { kind: 'message', message })
})

const header = (answers: number) => Buffer.from([0, 1, 0x80, 0, 0, 0, 0, answers, 0, 0, 0, 0])
const fixed = (type: number, length: number) => Buffer.from([0, type, 0, 1, 0, 0, 0, 60, length >> 8, length & 255])

for (const [what, bytes, why] of [
  ['nothing', Buffer.alloc(0), /ends too early/],
  ['half a header', Buffer.alloc(5), /ends too early/],
  [
    'a pointer to itself',
    Buffer.concat([header(1), Buffer.from([0xc0, 12]), fixed(1, 4), Buffer.alloc(4)]),
    /forward or to itself/,
  ],
  [
    'a pointer forward',
    Buffer.concat([header(1), Buffer.from([0xc0, 40]), fixed(1, 4), Buffer.alloc(40)]),
    /forward or to itself/,
  ],
  [
    'a label of type 01',
    Buffer.concat([header(1), Buffer.from([0x41, 0]), fixed(1, 4), Buffer.alloc(4)]),
    /unknown type/,
  ],
  [
    'an A record of five octets',
    Buffer.concat([header(1), Buffer.from([0]), fixed(1, 5), Buffer.alloc(5)]),
    /longer than its type/,
  ],
  [
    'an A record of three octets',
    Buffer.concat([header(1), Buffer.from([0]), fixed(1, 3), Buffer.alloc(8)]),
    /ends too early/,
  ],
  [
    'an MX record whose name runs out of its data',
    Buffer.concat([header(1), Buffer.from([0]), fixed(15, 4), Buffer.from([0, 10, 3, 97, 98, 99, 0])]),
    /past its end/,
  ],
  [
    'data that ends behind the message',
    Buffer.concat([header(1), Buffer.from([0]), fixed(16, 500), Buffer.alloc(4)]),
    /behind the message/,
  ],
  [
    'a compressed name within RRSIG',
    Buffer.concat([header(1), Buffer.from([0]), fixed(47, 3), Buffer.from([0xc0, 12, 0])]),
    /compressed name where none may be/,
  ],
  [
    'a TXT string longer than its record',
    Buffer.concat([header(1), Buffer.from([0]), fixed(16, 3), Buffer.from([9, 97, 98, 99])]),
    /ends too early/,
  ],
  ['OPT among the answers', Buffer.concat([header(1), Buffer.from([0]), fixed(41, 0)]), /outside of the additional/],
] as const) {
  test(`${what} is malformed`, () => {
    const decoded = decodeMessage(bytes)
    assert.ok(decoded.kind === 'malformed')
    assert.match(decoded.why, why)
  })
}

test('the largest message of MX records is read in time that grows with its length', () => {
  // Each owner points to the one before, so that reading every chain anew would be quadratic.
  const parts: Buffer[] = [header(0)]
  let at = 12
  const rows = 4_000
  let before = 0
  for (let row = 0; row < rows; row++) {
    const owner = row === 0 ? Buffer.from([1, 97, 0]) : Buffer.from([0xc0 | (before >> 8), before & 255])
    const data = Buffer.from([0, 10, 0])
    const bytes = Buffer.concat([owner, fixed(15, data.length), data])
    if (at <= 0x3fff) before = at
    at += bytes.length
    parts.push(bytes)
  }
  const bytes = Buffer.concat(parts)
  bytes.writeUInt16BE(rows, 6)
  const started = process.cpuUsage()
  const decoded = decodeMessage(bytes)
  assert.ok(process.cpuUsage(started).user < 2_000_000, 'microseconds of the processor')
  // The chain is longer than any name could need, so it is refused; without the chain all of it is read.
  assert.equal(decoded.kind, 'malformed')
  const flat = Buffer.concat([
    header(0),
    ...Array.from({ length: 4_000 }, () => Buffer.concat([Buffer.from([0]), fixed(15, 3), Buffer.from([0, 10, 0])])),
  ])
  flat.writeUInt16BE(4_000, 6)
  const all = decodeMessage(flat)
  assert.ok(all.kind === 'message' && all.message.answers.length === 4_000)
})

test('a compression bomb: thousands of names of 255 octets out of pointers take milliseconds', () => {
  const long = Buffer.concat([...Array.from({ length: 126 }, () => Buffer.from([1, 97])), Buffer.from([0])])
  const rows = Array.from({ length: 5_000 }, () =>
    Buffer.concat([Buffer.from([0xc0, 23]), fixed(2, 2), Buffer.from([0xc0, 23])]),
  )
  const bytes = Buffer.concat([header(0), Buffer.from([0]), fixed(10, long.length), long, ...rows]).subarray(0, 65_535)
  const count = Math.floor((bytes.length - 12 - 11 - long.length) / 14)
  bytes.writeUInt16BE(1 + count, 6)
  const started = process.cpuUsage()
  const decoded = decodeMessage(bytes)
  assert.ok(process.cpuUsage(started).user < 2_000_000, 'microseconds of the processor')
  assert.ok(decoded.kind === 'message' && decoded.message.answers.length === 1 + count)
  assert.equal(decoded.message.answers.at(-1)?.name.length, 253)
})

test('the short way to a query makes the same octets', () => {
  const edns = shape({ udpBytes: u16, version: u8, dnssecOk: fc.boolean(), options: fc.constant([]) })
  fc.assert(
    fc.property(anyName, u16, fc.option(edns, { nil: undefined }), (name, type, withEdns) => {
      assert.deepEqual(encodeQuery(name, type, withEdns), encodeMessage(query(name, type, 0, withEdns)))
    }),
  )
})
