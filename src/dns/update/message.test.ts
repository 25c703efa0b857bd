import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import dnsPacket from 'dns-packet'
import fc from 'fast-check'
import { decodeMessage } from '../message.ts'
import type { Rdata } from '../rdata.ts'
import { classCodes, typeCodes } from '../types.ts'
import { nameFromText, type WireName } from '../wire-name.ts'
import { type Change, encodeUpdate, type Prerequisite, type Update } from './message.ts'

const wire = (text: string): WireName => {
  const parsed = nameFromText(text)
  assert.ok(parsed.kind === 'name')
  return parsed.name
}
const zone = wire('example.test.')
const mx = (preference: number, exchange: string): Rdata => ({ type: 'MX', preference, exchange: wire(exchange) })
const txt = (text: string): Rdata => ({ type: 'TXT', strings: [Buffer.from(text)] })

function encode(update: Partial<Update>): Buffer {
  const bytes = encodeUpdate({ zone, prerequisites: [], changes: [], ...update }, 0x1234, 65_535)
  assert.ok(bytes)
  return bytes
}

/** The update that test/fixtures/tsig-vectors.json holds as another implementation writes it. */
const knownUpdate: Update = {
  zone,
  prerequisites: [
    { kind: 'rrset-exists', name: zone, type: typeCodes.MX },
    { kind: 'rrset-is', name: zone, records: [mx(10, 'mx1.example.test.'), mx(20, 'mx2.example.test.')] },
    { kind: 'rrset-absent', name: wire('new.example.test.'), type: typeCodes.MX },
    { kind: 'name-in-use', name: wire('www.example.test.') },
    { kind: 'name-not-in-use', name: wire('nothing.example.test.') },
  ],
  changes: [
    { kind: 'delete-record', name: zone, data: mx(10, 'mx1.example.test.') },
    { kind: 'add', name: zone, ttlSeconds: 3600, data: mx(10, 'mx3.example.test.') },
    { kind: 'add', name: zone, ttlSeconds: 300, data: txt('v=spf1 mx -all') },
    { kind: 'delete-rrset', name: wire('old.example.test.'), type: typeCodes.A },
    { kind: 'delete-name', name: wire('gone.example.test.') },
  ],
}

test('every form of prerequisite and change is octet for octet what dnspython writes', () => {
  const vectors = JSON.parse(readFileSync(new URL('../../../test/fixtures/tsig-vectors.json', import.meta.url), 'utf8'))
  assert.equal(encode(knownUpdate).toString('hex'), vectors.updates[0].hex)
})

/** `owner TTL class type length`, in decimal, of the only record behind the header and the zone. */
function fields(update: Partial<Update>): {
  readonly counts: number[]
  readonly record: number[]
  readonly data: string
} {
  const bytes = encode(update)
  const owner = bytes.readUInt16BE(12 + zone.length + 4)
  assert.equal(owner, 0xc00c)
  const at = 12 + zone.length + 4 + 2
  const [type, recordClass, length] = [bytes.readUInt16BE(at), bytes.readUInt16BE(at + 2), bytes.readUInt16BE(at + 8)]
  return {
    counts: [4, 6, 8, 10].map((place) => bytes.readUInt16BE(place)),
    record: [type, recordClass, bytes.readUInt32BE(at + 4)],
    data: bytes.subarray(at + 10, at + 10 + length).toString('hex'),
  }
}

const type = typeCodes.MX
const data: Rdata = { type: 'A', address: '192.0.2.1' as never }
const prerequisites: readonly (readonly [Prerequisite, number[], string])[] = [
  // RFC 2136 §2.4: the table in §3.2.
  [{ kind: 'rrset-exists', name: zone, type }, [15, 255, 0], ''],
  [{ kind: 'rrset-is', name: zone, records: [data] }, [1, 1, 0], 'c0000201'],
  [{ kind: 'rrset-absent', name: zone, type }, [15, 254, 0], ''],
  [{ kind: 'name-in-use', name: zone }, [255, 255, 0], ''],
  [{ kind: 'name-not-in-use', name: zone }, [255, 254, 0], ''],
]
for (const [prerequisite, record, octets] of prerequisites) {
  test(`prerequisite ${prerequisite.kind}`, () => {
    const sent = fields({ prerequisites: [prerequisite] })
    assert.deepEqual(sent, { counts: [1, 1, 0, 0], record, data: octets })
  })
}

const changes: readonly (readonly [Change, number[], string])[] = [
  [{ kind: 'add', name: zone, ttlSeconds: 3600, data }, [1, 1, 3600], 'c0000201'],
  [{ kind: 'delete-record', name: zone, data }, [1, 254, 0], 'c0000201'],
  [{ kind: 'delete-rrset', name: zone, type }, [15, 255, 0], ''],
  [{ kind: 'delete-name', name: zone }, [255, 255, 0], ''],
]
for (const [change, record, octets] of changes) {
  test(`change ${change.kind}`, () => {
    assert.deepEqual(fields({ changes: [change] }), { counts: [1, 0, 1, 0], record, data: octets })
  })
}

test('no flag but the opcode, and the zone asked for by SOA', () => {
  const bytes = encode({})
  assert.equal(bytes.readUInt16BE(2), 5 << 11)
  assert.equal(bytes.subarray(12).toString('latin1'), '\x07example\x04test\0\0\x06\0\x01')
})

test('a target of SRV is not compressed (RFC 2782), one of MX is', () => {
  const srv: Rdata = { type: 'SRV', priority: 1, weight: 2, port: 25, target: zone }
  const length = encode({}).length
  assert.equal(
    encode({ changes: [{ kind: 'delete-record', name: zone, data: srv }] }).length,
    length + 12 + 6 + zone.length,
  )
  assert.equal(
    encode({ changes: [{ kind: 'delete-record', name: zone, data: mx(1, 'example.test.') }] }).length,
    length + 12 + 4,
  )
})

test('types that are no data are a bug of the caller: with ANY, a set would become a whole name', () => {
  for (const code of [41, 250, 252, 255]) {
    assert.throws(() => encode({ changes: [{ kind: 'delete-rrset', name: zone, type: code }] }), RangeError)
    assert.throws(() => encode({ prerequisites: [{ kind: 'rrset-exists', name: zone, type: code }] }), RangeError)
  }
  assert.throws(() => encode({ prerequisites: [{ kind: 'rrset-is', name: zone, records: [] }] }), RangeError)
})

test('an update that does not fit is none, and never half of one', () => {
  const many = Array.from(
    { length: 400 },
    (_, index): Change => ({ kind: 'add', name: zone, ttlSeconds: 60, data: txt(`${index} ${'x'.repeat(200)}`) }),
  )
  assert.equal(encodeUpdate({ zone, prerequisites: [], changes: many }, 1, 65_535), undefined)
  const fitting = many.slice(0, 300)
  const whole = encodeUpdate({ zone, prerequisites: [], changes: fitting }, 1, 65_535)
  assert.ok(whole)
  assert.ok(encodeUpdate({ zone, prerequisites: [], changes: fitting }, 1, whole.length))
  assert.equal(encodeUpdate({ zone, prerequisites: [], changes: fitting }, 1, whole.length - 1), undefined)
})

const name = fc
  .array(fc.uint8Array({ minLength: 1, maxLength: 20 }), { maxLength: 3 })
  .map((labels) =>
    labels.map((label) => String.fromCharCode(label.length) + Buffer.from(label).toString('latin1')).join(''),
  )
  .map((below) => `${below}${zone}` as WireName)
const code = fc.constantFrom<number>(1, 2, 15, 16, 28, 52, 257, 1234)
const value = fc.oneof(
  fc.tuple(fc.nat(65_535), name).map(([preference, exchange]): Rdata => ({ type: 'MX', preference, exchange })),
  name.map((target): Rdata => ({ type: 'CNAME', target })),
  fc.uint8Array({ maxLength: 255 }).map((octets): Rdata => ({ type: 'TXT', strings: [Buffer.from(octets)] })),
  fc
    .uint8Array({ minLength: 1, maxLength: 40 })
    .map((octets): Rdata => ({ type: 'opaque', code: 1234, data: Buffer.from(octets) })),
)
const anyUpdate: fc.Arbitrary<Update> = fc.record(
  {
    zone: fc.constant(zone),
    prerequisites: fc.array(
      fc.oneof(
        fc
          .tuple(fc.constantFrom('rrset-exists' as const, 'rrset-absent' as const), name, code)
          .map(([kind, name, type]): Prerequisite => ({ kind, name, type })),
        fc
          .tuple(fc.constantFrom('name-in-use' as const, 'name-not-in-use' as const), name)
          .map(([kind, name]): Prerequisite => ({ kind, name })),
        fc.tuple(name, value).map(([name, data]): Prerequisite => ({ kind: 'rrset-is', name, records: [data] })),
      ),
      { maxLength: 5 },
    ),
    changes: fc.array(
      fc.oneof(
        fc
          .tuple(name, value, fc.nat(0x7fffffff))
          .map(([name, data, ttlSeconds]): Change => ({ kind: 'add', name, ttlSeconds, data })),
        fc.tuple(name, value).map(([name, data]): Change => ({ kind: 'delete-record', name, data })),
        fc.tuple(name, code).map(([name, type]): Change => ({ kind: 'delete-rrset', name, type })),
        name.map((name): Change => ({ kind: 'delete-name', name })),
      ),
      { maxLength: 8 },
    ),
  },
  { noNullPrototype: true },
)

test('what is encoded is decoded: owners, classes, TTLs and data, names of any octets included', () => {
  fc.assert(
    fc.property(anyUpdate, (update) => {
      const decoded = decodeMessage(encode(update))
      assert.ok(decoded.kind === 'message')
      const { answers, authorities, questions } = decoded.message
      assert.deepEqual(questions, [{ name: zone, type: typeCodes.SOA, class: classCodes.IN }])
      assert.deepEqual(answers.map(asPrerequisite), update.prerequisites)
      assert.deepEqual(authorities.map(asChange), update.changes)
    }),
    { numRuns: 300 },
  )
})

type Read = { name: WireName; class: number; ttlSeconds: number; data: Rdata }
const codeOf = (data: Rdata) => (data.type === 'opaque' ? data.code : typeCodes[data.type])

/** By the table in RFC 2136 §3.2, read backwards. */
function asPrerequisite({ name, class: recordClass, ttlSeconds, data }: Read): Prerequisite {
  assert.equal(ttlSeconds, 0)
  if (recordClass === classCodes.IN) return { kind: 'rrset-is', name, records: [data] }
  assert.ok(data.type === 'opaque' && data.data.length === 0)
  const isAny = recordClass === classCodes.ANY
  if (data.code === 255) return { kind: isAny ? 'name-in-use' : 'name-not-in-use', name }
  return { kind: isAny ? 'rrset-exists' : 'rrset-absent', name, type: data.code }
}

/** By the table in RFC 2136 §3.4.1. */
function asChange({ name, class: recordClass, ttlSeconds, data }: Read): Change {
  if (recordClass === classCodes.IN) return { kind: 'add', name, ttlSeconds, data }
  assert.equal(ttlSeconds, 0)
  if (recordClass === classCodes.NONE) return { kind: 'delete-record', name, data }
  return codeOf(data) === 255 ? { kind: 'delete-name', name } : { kind: 'delete-rrset', name, type: codeOf(data) }
}

test('what we add, dns-packet reads', () => {
  const bytes = encode({ changes: knownUpdate.changes.filter(({ kind }) => kind === 'add') })
  const packet = dnsPacket.decode(bytes)
  assert.equal((packet as { opcode?: string }).opcode, 'UPDATE')
  assert.deepEqual(packet.questions, [{ name: 'example.test', type: 'SOA', class: 'IN' }])
  assert.deepEqual(
    packet.authorities?.map((record) => [record.name, record.type, (record as { ttl?: number }).ttl]),
    [
      ['example.test', 'MX', 3600],
      ['example.test', 'TXT', 300],
    ],
  )
})
