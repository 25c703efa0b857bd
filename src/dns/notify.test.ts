import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DnsRecord, decodeMessage, encodeMessage, type Message } from './message.ts'
import { isNotifyAnswer, notifyMessage } from './notify.ts'
import type { Soa } from './rdata.ts'
import { nameFromText, rootWireName, type WireName } from './wire-name.ts'

const wire = (text: string): WireName => {
  const parsed = nameFromText(text)
  assert.ok(parsed.kind === 'name')
  return parsed.name
}
const zone = wire('example.test.')
const soa: DnsRecord<Soa> = {
  name: zone,
  class: 1,
  ttlSeconds: 60,
  data: {
    type: 'SOA',
    primary: rootWireName,
    mailbox: rootWireName,
    serial: 2026112301,
    refreshSeconds: 1,
    retrySeconds: 1,
    expireSeconds: 1,
    minimumSeconds: 1,
  },
}

function again(message: Message): Message {
  const decoded = decodeMessage(encodeMessage(message))
  assert.ok(decoded.kind === 'message')
  return decoded.message
}

test('the message of RFC 1996 §4.5: opcode 4, AA, one question for SOA', () => {
  const bytes = encodeMessage(notifyMessage(zone, 0x0102))
  assert.equal(bytes.toString('hex'), '010224000001000000000000076578616d706c6504746573740000060001')
})

test('the new SOA may go along as a hint', () => {
  assert.deepEqual(again(notifyMessage(zone, 1, soa)).answers, [soa])
})

/** RFC 1996 §4.7: the same message with QR. */
const answerTo = (request: Message, rcode = 0): Message => ({ ...request, isResponse: true, rcode, answers: [] })

test('an answer ends the notification that it answers, and no other', () => {
  const request = notifyMessage(zone, 7, soa)
  const answer = again(answerTo(request))
  assert.ok(isNotifyAnswer(answer, 7, wire('EXAMPLE.test.')))
  assert.ok(isNotifyAnswer(again(answerTo(request, 4)), 7, zone), 'RFC 1996 §3.12: NOTIMP ends it too')
  assert.ok(
    isNotifyAnswer({ ...answer, questions: [] }, 7, zone),
    'a header alone, from one who does not know the opcode',
  )
  assert.ok(!isNotifyAnswer(answer, 8, zone))
  assert.ok(!isNotifyAnswer(answer, 7, wire('example.net.')))
  assert.ok(!isNotifyAnswer(request, 7, zone))
  assert.ok(!isNotifyAnswer({ ...answer, opcode: 0 }, 7, zone))
})
