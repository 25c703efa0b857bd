import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { steadyClock } from '../../../test/lab/fast-clock.ts'
import { type Answering, startTcpServer } from '../../../test/lab/tcp-server.ts'
import { systemDoor } from '../../base/door.ts'
import { parseIp } from '../../base/ip.ts'
import { systemRandom } from '../../base/random.ts'
import { type DnsRecord, encodeMessage, type Message, query } from '../message.ts'
import type { Rdata } from '../rdata.ts'
import { createAnswerSigner } from '../tsig/answers.ts'
import { parseTsigKey, type TsigKey } from '../tsig/key.ts'
import { verifyRequest } from '../tsig/request.ts'
import { metaTypeCodes, rcodes } from '../types.ts'
import { nameFromText, type WireName } from '../wire-name.ts'
import { type TransferOptions, type TransferOutcome, transferZone } from './client.ts'
import { ZoneReader, type ZoneStep } from './zone-reader.ts'

const wire = (text: string): WireName => {
  const parsed = nameFromText(text)
  assert.ok(parsed.kind === 'name')
  return parsed.name
}
const zone = wire('example.test.')
const record = (name: string, data: Rdata, ttlSeconds = 300): DnsRecord => ({
  name: wire(name),
  class: 1,
  ttlSeconds,
  data,
})
const soaOf = (serial: number, owner = 'example.test.'): DnsRecord =>
  record(owner, {
    type: 'SOA',
    primary: wire('ns.example.test.'),
    mailbox: wire('hostmaster.example.test.'),
    serial,
    refreshSeconds: 3600,
    retrySeconds: 600,
    expireSeconds: 86_400,
    minimumSeconds: 60,
  })
const soa = soaOf(7)
const mx = record('example.test.', { type: 'MX', preference: 10, exchange: wire('mx.example.test.') })
const host = (index: number) => record(`h${index}.example.test.`, { type: 'TXT', strings: [Buffer.from(`${index}`)] })

const messageOf = (answers: readonly DnsRecord[], change: Partial<Message> = {}): Message => ({
  ...query(zone, metaTypeCodes.AXFR, 1, undefined),
  isResponse: true,
  authoritative: true,
  answers,
  ...change,
})

/** The last step of a transfer of these messages; a step that ends it must be the last. */
function read(messages: readonly Message[], maxRecords = 1_000): ZoneStep {
  const reader = new ZoneReader(zone, maxRecords)
  let step: ZoneStep = { kind: 'more' }
  for (const message of messages) {
    assert.equal(step.kind, 'more')
    step = reader.take(message)
  }
  return step
}

test('a zone in one message, in several, and with nothing but its SOA', () => {
  const whole: ZoneStep = { kind: 'zone', zone: { records: [soa, mx, host(1)], serial: 7 } }
  assert.deepEqual(read([messageOf([soa, mx, host(1), soa])]), whole)
  const bare = { questions: [] }
  assert.deepEqual(read([messageOf([soa]), messageOf([mx], bare), messageOf([host(1)]), messageOf([soa], bare)]), whole)
  assert.deepEqual(read([messageOf([soa, soa])]), { kind: 'zone', zone: { records: [soa], serial: 7 } })
})

test('a record that comes again is one, whatever its TTL and case; one that differs is another', () => {
  const again = { ...mx, name: wire('EXAMPLE.test.'), ttlSeconds: 9 }
  const other = record('example.test.', { type: 'MX', preference: 20, exchange: wire('mx.example.test.') })
  const step = read([messageOf([soa, mx, again, other, mx, soa])])
  assert.ok(step.kind === 'zone')
  assert.deepEqual(step.zone.records, [soa, mx, other])
})

test('owners outside of the zone are left out; glue below a delegation stays', () => {
  const glue = record('ns.sub.example.test.', { type: 'A', address: '192.0.2.1' as never })
  const stray = record('ns.example.net.', { type: 'A', address: '192.0.2.2' as never })
  const step = read([messageOf([soa, glue, stray, soa])])
  assert.deepEqual(step, { kind: 'zone', zone: { records: [soa, glue], serial: 7 } })
})

for (const [what, messages, why] of [
  ['another question', [messageOf([soa], { questions: [{ name: zone, type: 15, class: 1 }] })], /another question/],
  ['no SOA in front', [messageOf([mx, soa])], /does not begin/],
  ['the SOA of another zone in front', [messageOf([soaOf(7, 'sub.example.test.')])], /does not begin/],
  ['another SOA in the middle', [messageOf([soa, soaOf(7, 'sub.example.test.')])], /not that of the zone/],
  ['a changed SOA at its end', [messageOf([soa, mx]), messageOf([soaOf(8)])], /another SOA/],
  ['records behind its end', [messageOf([soa, soa, mx])], /behind its end/],
  ['a record of another class', [messageOf([soa, { ...mx, class: 3 }])], /another class/],
  ['a truncated message', [messageOf([soa, mx], { truncated: true })], /truncated/],
  ['a message without records', [messageOf([soa]), messageOf([])], /without records/],
] as const) {
  test(`${what} is malformed`, () => {
    const step = read(messages)
    assert.ok(step.kind === 'malformed')
    assert.match(step.why, why)
  })
}

test('more records than allowed', () => {
  assert.equal(read([messageOf([soa, mx, host(1), soa])], 4).kind, 'zone')
  assert.equal(read([messageOf([soa, mx, host(1), soa])], 3).kind, 'too-large')
  assert.equal(read([messageOf([soa]), messageOf([mx, mx, mx])], 3).kind, 'too-large')
})

test('however a zone is cut into messages, the same comes of it', () => {
  const records = Array.from({ length: 40 }, (_, index) => host(index))
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 15 }), { maxLength: 30 }), (cuts) => {
      const left = [soa, ...records, soa]
      const messages: Message[] = []
      for (const cut of [...cuts, left.length]) if (left.length > 0) messages.push(messageOf(left.splice(0, cut)))
      assert.deepEqual(read(messages), { kind: 'zone', zone: { records: [soa, ...records], serial: 7 } })
    }),
  )
})

const parsed = parseTsigKey('waypost', 'hmac-sha256', Buffer.alloc(32, 1).toString('base64'))
assert.ok(parsed.kind === 'key')
const key: TsigKey = parsed.key
const now = () => Math.floor(Date.now() / 1000)

async function transfer(
  t: TestContext,
  answer: Answering,
  options: Partial<TransferOptions> = {},
): Promise<TransferOutcome> {
  const { server } = await startTcpServer(t, answer)
  const limits = { timeoutMs: 5_000, maxRecords: 10_000, maxBytes: 1_000_000 }
  const deps = { clock: steadyClock, random: systemRandom, door: systemDoor }
  return transferZone(zone, { server, key: undefined, ...limits, ...options }, deps)
}

const octets = (asked: Buffer, answers: readonly DnsRecord[], change: Partial<Message> = {}) =>
  encodeMessage(messageOf(answers, { id: asked.readUInt16BE(0), ...change }))

/** Sends messages of these records, the ones at `signed` with a signature. */
const sending =
  (parts: readonly (readonly DnsRecord[])[], signed: (index: number) => boolean): Answering =>
  (asked, say) => {
    const verified = verifyRequest(asked, [key], now())
    assert.ok(verified.kind === 'verified')
    // Unsigned messages are in the MAC of the next signed one, which this signer does not know of.
    const signer = createAnswerSigner(key, verified.tsig.mac)
    for (const [index, part] of parts.entries()) {
      const message = octets(asked, part)
      say(signed(index) ? signer.sign(message, now()) : message)
    }
  }

test('a transfer without a key', async (t) => {
  const outcome = await transfer(t, (asked, say) => {
    say(octets(asked, [soa, mx]))
    say(octets(asked, [host(1)], { questions: [], id: asked.readUInt16BE(0) ^ 1 }))
    say(octets(asked, [host(2), soa], { questions: [] }))
  })
  assert.deepEqual(outcome, { kind: 'zone', zone: { records: [soa, mx, host(2)], serial: 7 } })
})

test('a signed transfer of 250 messages; unsigned ends, beginnings and middles', async (t) => {
  const parts = [[soa], ...Array.from({ length: 248 }, (_, index) => [host(index)]), [soa]]
  const whole = await transfer(
    t,
    sending(parts, () => true),
    { key },
  )
  assert.ok(whole.kind === 'zone')
  assert.equal(whole.zone.records.length, 249)
  const failure = { kind: 'tsig', problem: 'answer-unsigned', skewSeconds: undefined, rcode: 0 }
  assert.deepEqual(
    await transfer(
      t,
      sending(parts, (index) => index < 249),
      { key },
    ),
    failure,
    'its end is unsigned',
  )
  assert.deepEqual(
    await transfer(
      t,
      sending(parts, (index) => index > 0),
      { key },
    ),
    failure,
    'its beginning is',
  )
  assert.deepEqual(
    await transfer(
      t,
      sending(parts, (index) => index === 0),
      { key },
    ),
    failure,
    'a hundred in a row',
  )
  const forged = await transfer(
    t,
    sending(parts, (index) => index !== 5),
    { key },
  )
  assert.deepEqual(forged, { ...failure, problem: 'answer-bad-signature' }, 'one was put in')
})

test('a server that says no, at once or in the middle', async (t) => {
  const refused = await transfer(t, (asked, say) => say(octets(asked, [], { rcode: rcodes.refused })))
  assert.deepEqual(refused, { kind: 'refused', rcode: 'REFUSED', isSigned: false })
  const notAuth = await transfer(t, (asked, say) => say(octets(asked, [], { rcode: rcodes.notAuth })), { key })
  assert.deepEqual(notAuth, { kind: 'not-authoritative', rcode: 'NOTAUTH', isSigned: false })
  const late = await transfer(t, (asked, say) => {
    say(octets(asked, [soa, mx]))
    say(octets(asked, [], { rcode: rcodes.servFail }))
  })
  assert.deepEqual(late, { kind: 'failed', rcode: 'SERVFAIL', isSigned: false })
})

test('limits of octets, records and time; a connection that ends too early; nobody there', async (t) => {
  const endless: Answering = (asked, say, socket) => {
    say(octets(asked, [soa]))
    const more = () => {
      while (!socket.destroyed && !socket.writableNeedDrain)
        say(
          octets(
            asked,
            Array.from({ length: 100 }, () => mx),
          ),
        )
    }
    socket.on('drain', more)
    more()
  }
  assert.deepEqual(await transfer(t, endless), { kind: 'too-large', limit: 'records' })
  assert.deepEqual(await transfer(t, endless, { maxRecords: 1e9 }), { kind: 'too-large', limit: 'bytes' })
  const slow = await transfer(t, (asked, say) => say(octets(asked, [soa])), { timeoutMs: 150 })
  assert.deepEqual(slow, { kind: 'interrupted', why: 'not whole within 150 ms' })
  const gone = await transfer(t, (asked, say, socket) => {
    say(octets(asked, [soa, mx]))
    socket.end()
  })
  assert.deepEqual(gone, { kind: 'interrupted', why: 'closed' })
  const address = parseIp('127.0.0.1')
  assert.ok(address)
  assert.deepEqual(await transfer(t, () => undefined, { server: { address, port: 1 } }), {
    kind: 'unreachable',
    why: 'ECONNREFUSED',
  })
})
