/**
 * Dynamic update messages (RFC 2136 §2): what must hold, and what is to change if it does. A server does all of it or nothing (§3.7).
 * Used by `client.ts`; whoever plans updates makes the values.
 */
import { type DnsRecord, encodeMessage, type Message, query } from '../message.ts'
import type { Rdata } from '../rdata.ts'
import { classCodes, metaTypeCodes, opcodes, typeCodes } from '../types.ts'
import type { WireName } from '../wire-name.ts'

/** RFC 2136 §2.4. Types are codes, so that any type can be meant; none of them a meta type. */
export type Prerequisite =
  | { readonly kind: 'rrset-exists'; readonly name: WireName; readonly type: number }
  /** The whole set is exactly this one, in any order; TTLs are not compared. At least one record, all of one type. */
  | { readonly kind: 'rrset-is'; readonly name: WireName; readonly records: readonly Rdata[] }
  | { readonly kind: 'rrset-absent'; readonly name: WireName; readonly type: number }
  /** A name that only has names below it is not in use. */
  | { readonly kind: 'name-in-use'; readonly name: WireName }
  | { readonly kind: 'name-not-in-use'; readonly name: WireName }

/** RFC 2136 §2.5. Done in order (§3.4.2); deleting what is not there is no error. */
export type Change =
  /** `ttlSeconds` 0 to 2^31 − 1. A record that is there already only gets this TTL, where the server does as §3.4.2.2 says. */
  | { readonly kind: 'add'; readonly name: WireName; readonly ttlSeconds: number; readonly data: Rdata }
  /** The one record with this data, whatever its TTL. */
  | { readonly kind: 'delete-record'; readonly name: WireName; readonly data: Rdata }
  | { readonly kind: 'delete-rrset'; readonly name: WireName; readonly type: number }
  /** All that the name has; at the zone's apex SOA and NS stay. */
  | { readonly kind: 'delete-name'; readonly name: WireName }

export interface Update {
  /** The apex of the zone, not the name that changes. */
  readonly zone: WireName
  readonly prerequisites: readonly Prerequisite[]
  readonly changes: readonly Change[]
}

/**
 * The message without a signature, or undefined where it is longer than `maxBytes`: it is never cut, for half of an update is another one.
 * @param maxBytes  12–65535; what the signature takes must be off already
 */
export function encodeUpdate(update: Update, id: number, maxBytes: number): Buffer | undefined {
  const bytes = encodeMessage(updateMessage(update, id), maxBytes)
  const isCut = ((bytes[2] ?? 0) & 2) !== 0
  return isCut ? undefined : bytes
}

/** RFC 2136 §2.2, §2.3: the zone is a question for SOA, and no flag but the opcode is set. */
export function updateMessage({ zone, prerequisites, changes }: Update, id: number): Message {
  return {
    ...query(zone, typeCodes.SOA, id, undefined),
    opcode: opcodes.update,
    recursionDesired: false,
    authenticData: false,
    answers: prerequisites.flatMap(prerequisiteRecords),
    authorities: changes.map(changeRecord),
  }
}

function prerequisiteRecords(wanted: Prerequisite): DnsRecord[] {
  const { name } = wanted
  switch (wanted.kind) {
    case 'rrset-exists':
      return [bare(name, classCodes.ANY, dataType(wanted.type))]
    case 'rrset-is':
      if (wanted.records.length === 0) throw new RangeError('an empty set is said by rrset-absent')
      // RFC 2136 §2.4.2: the TTL must be 0.
      return wanted.records.map((data) => ({ name, class: classCodes.IN, ttlSeconds: 0, data }))
    case 'rrset-absent':
      return [bare(name, classCodes.NONE, dataType(wanted.type))]
    case 'name-in-use':
      return [bare(name, classCodes.ANY, metaTypeCodes.ANY)]
    case 'name-not-in-use':
      return [bare(name, classCodes.NONE, metaTypeCodes.ANY)]
  }
}

function changeRecord(change: Change): DnsRecord {
  const { name } = change
  switch (change.kind) {
    case 'add':
      return { name, class: classCodes.IN, ttlSeconds: change.ttlSeconds, data: change.data }
    case 'delete-record':
      return { name, class: classCodes.NONE, ttlSeconds: 0, data: change.data }
    case 'delete-rrset':
      return bare(name, classCodes.ANY, dataType(change.type))
    case 'delete-name':
      return bare(name, classCodes.ANY, metaTypeCodes.ANY)
  }
}

const bare = (name: WireName, recordClass: number, code: number): DnsRecord => ({
  name,
  class: recordClass,
  ttlSeconds: 0,
  data: { type: 'opaque', code, data: Buffer.alloc(0) },
})

/** With ANY, a set would become everything that the name has. RFC 6895 §3.1: 128–255 are no data, and neither is OPT. */
function dataType(code: number): number {
  if (code === metaTypeCodes.OPT || (code >= 128 && code <= 255)) throw new RangeError(`type ${code} is no data`)
  return code
}
