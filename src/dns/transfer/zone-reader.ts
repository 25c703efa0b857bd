/**
 * The messages of a zone transfer put together (RFC 5936 §2.2): from the zone's SOA to the same SOA again, within limits. Pure; `client.ts`
 * brings the messages, verified or not.
 */
import type { DnsRecord, Message } from '../message.ts'
import { rdataCode, writeRdata } from '../rdata.ts'
import { classCodes, metaTypeCodes } from '../types.ts'
import { foldName, isAtOrBelow, sameName, type WireName } from '../wire-name.ts'
import { Writer } from '../writer.ts'

export interface TransferredZone {
  /** Every record once, the SOA first. Glue and what lies below delegations are among them (RFC 5936 §3.3, §3.5). */
  readonly records: readonly DnsRecord[]
  readonly serial: number
}

export type ZoneStep =
  | { readonly kind: 'more' }
  | { readonly kind: 'zone'; readonly zone: TransferredZone }
  | { readonly kind: 'too-large' }
  /** `why` in words of ours. */
  | { readonly kind: 'malformed'; readonly why: string }

export class ZoneReader {
  readonly #zone: WireName
  readonly #maxRecords: number
  readonly #records: DnsRecord[] = []
  readonly #seen = new Set<string>()
  #soaKey: string | undefined
  #serial = 0
  #count = 0

  /** @param maxRecords  what is left out counts, too */
  constructor(zone: WireName, maxRecords: number) {
    this.#zone = zone
    this.#maxRecords = maxRecords
  }

  /** @param message  the next one, with NOERROR */
  take(message: Message): ZoneStep {
    const wrong = this.#wrongWith(message)
    if (wrong !== undefined) return malformed(wrong)
    for (const [index, record] of message.answers.entries()) {
      if (++this.#count > this.#maxRecords) return { kind: 'too-large' }
      if (record.class !== classCodes.IN) return malformed('a record of another class')
      const isApexSoa = record.data.type === 'SOA' && sameName(record.name, this.#zone)
      if (isApexSoa && this.#soaKey !== undefined) return this.#end(record, index === message.answers.length - 1)
      if (!isApexSoa && this.#soaKey === undefined) return malformed('it does not begin with the SOA of the zone')
      if (record.data.type === 'SOA' && !isApexSoa) return malformed('an SOA that is not that of the zone')
      this.#add(record)
    }
    return { kind: 'more' }
  }

  #wrongWith({ questions, answers, truncated }: Message): string | undefined {
    const [question] = questions
    // RFC 5936 §2.2.2: the first message must have it, later ones may.
    const isAsked = question?.type === metaTypeCodes.AXFR && sameName(question.name, this.#zone)
    if (questions.length > 1 || (question && !isAsked)) return 'it answers another question'
    if (truncated) return 'a message is truncated'
    return answers.length === 0 ? 'a message without records' : undefined
  }

  #add(record: DnsRecord): void {
    // Owners outside of the zone say nothing about it.
    if (!isAtOrBelow(record.name, this.#zone)) return
    const key = recordKey(record)
    // RFC 5936 §2.2: a record that comes again must be ignored.
    if (this.#seen.has(key)) return
    this.#seen.add(key)
    this.#records.push(record)
    if (record.data.type !== 'SOA') return
    this.#soaKey = key
    this.#serial = record.data.serial
  }

  #end(soa: DnsRecord, isLast: boolean): ZoneStep {
    if (recordKey(soa) !== this.#soaKey) return malformed('it ends with another SOA than it began with')
    if (!isLast) return malformed('records stand behind its end')
    return { kind: 'zone', zone: { records: this.#records, serial: this.#serial } }
  }
}

/** Owner, type and data; the TTL does not tell records apart. */
function recordKey({ name, data }: DnsRecord): string {
  const writer = new Writer()
  writeRdata(writer, data)
  return `${foldName(name)}${rdataCode(data)} ${writer.done().toString('latin1')}`
}

const malformed = (why: string): ZoneStep => ({ kind: 'malformed', why })
