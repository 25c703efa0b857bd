/** NOTIFY (RFC 1996): a primary tells its secondaries that a zone has changed. The built-in server sends it, until it is answered. */
import { type DnsRecord, type Message, query } from './message.ts'
import type { Soa } from './rdata.ts'
import { opcodes, typeCodes } from './types.ts'
import { sameName, type WireName } from './wire-name.ts'

/** @param soa  the zone's new one, as a hint that nobody may believe (§3.7, §3.8) */
export function notifyMessage(zone: WireName, id: number, soa?: DnsRecord<Soa>): Message {
  return {
    ...query(zone, typeCodes.SOA, id, undefined),
    // RFC 1996 §4.5: AA, and nothing else.
    opcode: opcodes.notify,
    authoritative: true,
    recursionDesired: false,
    authenticData: false,
    answers: soa ? [soa] : [],
  }
}

/** Whether this ends a notification (§4.8, §3.12): the secondary has heard it, or does not know what it is. */
export function isNotifyAnswer(message: Message, id: number, zone: WireName): boolean {
  if (!message.isResponse || message.opcode !== opcodes.notify || message.id !== id) return false
  const [question] = message.questions
  return question === undefined || sameName(question.name, zone)
}
