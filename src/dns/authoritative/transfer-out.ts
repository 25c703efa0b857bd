/**
 * Whole zones for secondaries over TCP: AXFR (RFC 5936), and IXFR (RFC 1995) answered with the whole zone or, to who is up to date, its SOA
 * alone. RFC 1995 §4 has the whole zone for a server that keeps no differences, §5 leaves to it which it keeps: a zone of mail records is hardly
 * longer than its difference would be, and one that somebody filled otherwise changes rarely here. The zone is the one that was served when the transfer began, whatever changes meanwhile. Used by `tcp-server.ts`.
 */
import type { Clock } from '../../base/clock.ts'
import type { IpAddress } from '../../base/ip.ts'
import type { Log } from '../../base/log.ts'
import { rdataCode, writeRdata } from '../rdata.ts'
import { isNewerSerial } from '../serial.ts'
import { type AnswerSigner, createAnswerSigner } from '../tsig/answers.ts'
import type { TsigKey } from '../tsig/key.ts'
import { tsigErrorAnswer, verifyRequest } from '../tsig/request.ts'
import { classCodes, metaTypeCodes, rcodes } from '../types.ts'
import { nameText, type WireName } from '../wire-name.ts'
import { Writer } from '../writer.ts'
import { mayTransfer, type Secondary } from './permission.ts'
import { createQuery, readQuery } from './query.ts'
import { createToldTransfers } from './told-transfers.ts'
import { readZone, type Zone, type ZoneRecord } from './zone.ts'
import type { Zones } from './zones.ts'

export interface Transfers {
  /** @returns undefined where the query is for no transfer */
  begin(query: Buffer, address: IpAddress): Transfer | undefined
  stop(): void
}

export interface Transfer {
  /** Of the answer, made one by one as they are asked for. */
  readonly messages: Iterator<Buffer, void>
  readonly isRefused: boolean
}

export interface TransfersDeps {
  readonly zones: Zones
  readonly secondaries: readonly Secondary[]
  readonly clock: Clock
  readonly log: Log
}

const ixfrType = 251
/** Pointers reach no further (RFC 5936 §3.4), so a longer message only compresses less. */
const messageBytes = 16_000

export function createTransfers(deps: TransfersDeps): Transfers {
  const { zones, secondaries, clock, log } = deps
  const keys = secondaries.flatMap(({ key }) => (key ? [key] : []))
  const nowSeconds = () => Math.floor(clock.now() / 1000)
  const asked = createQuery()
  const refusals = createToldTransfers(clock, log)

  function* stream(zone: Zone, wanted: Wanted, head: Head, signer: AnswerSigner | undefined) {
    const records = wanted.isCurrent ? [zone.soa] : recordsOf(zone)
    for (const message of messagesOf(records, head)) yield signer ? signer.sign(message, nowSeconds()) : message
    const { serial } = zone.soa.data
    const asked = wanted.isIncremental ? 'IXFR' : 'AXFR'
    log.info('dns transfer done', { zone: nameText(zone.origin), serial, asked, isWhole: !wanted.isCurrent })
  }

  return {
    begin(query, address) {
      const verdict = readQuery(query, asked, zones.hash)
      if (verdict !== 'query' || (asked.type !== metaTypeCodes.AXFR && asked.type !== ixfrType)) return undefined
      const name = query.toString('latin1', 12, asked.name.end) as WireName
      const { knownSerial, questionEnd, hasEdns } = asked
      const head: Head = { query: query.subarray(0, questionEnd), hasEdns }
      const isIncremental = asked.type === ixfrType
      const request = verifyRequest(query, keys, nowSeconds())
      if (request.kind === 'malformed') return one(refusal(head, rcodes.formErr))
      if (request.kind !== 'verified' && request.kind !== 'unsigned')
        return one(tsigErrorAnswer(refusal(head, rcodes.notAuth), request, nowSeconds()))
      const key: TsigKey | undefined = request.kind === 'verified' ? request.key : undefined
      const signer = request.kind === 'verified' ? createAnswerSigner(request.key, request.tsig.mac) : undefined
      const refuse = (rcode: number) => {
        refusals.tell(address, { zone: nameText(name), rcode })
        const answer = refusal(head, rcode)
        return one(signer ? signer.sign(answer, nowSeconds()) : answer)
      }
      if (asked.class !== classCodes.IN) return refuse(rcodes.refused)
      if (!mayTransfer(secondaries, address, key)) return refuse(rcodes.refused)
      const zone = zones.zone(name)
      // RFC 5936 §2.2.1.
      if (!zone) return refuse(rcodes.notAuth)
      // RFC 1995 §2: who has this serial, or a newer one, hears the SOA alone.
      const isCurrent = isIncremental && knownSerial !== undefined && !isNewerSerial(zone.soa.data.serial, knownSerial)
      const messages = stream(zone, { isIncremental, isCurrent }, head, signer)
      return { messages, isRefused: false }
    },
    stop: refusals.stop,
  }
}

interface Wanted {
  readonly isIncremental: boolean
  /** Who asks has this serial already. */
  readonly isCurrent: boolean
}

interface Head {
  /** Header and question of the query. */
  readonly query: Buffer
  readonly hasEdns: boolean
}

/** What refuses is one message. */
const one = (message: Buffer): Transfer => ({ messages: [message].values() as Iterator<Buffer, void>, isRefused: true })

/** RFC 5936 §2.2: the SOA, every other record once, the SOA again; what lies below cuts is among them (§3.5). */
function* recordsOf(zone: Zone): Iterable<ZoneRecord> {
  const read = readZone(zone.source)
  if (read.kind !== 'zone') throw new TypeError('a zone that was valid is not')
  yield zone.soa
  for (const [name, types] of read.zone.byName) {
    for (const { ttlSeconds, data, names } of types.values()) {
      let index = 0
      for (const one of data.values()) {
        // Each name in the case in which it was declared (RFC 5936 §3.4).
        const owner = names[index++] ?? name
        if (one.type !== 'SOA') yield { name: owner, ttlSeconds, data: one }
      }
    }
  }
  yield zone.soa
}

function* messagesOf(records: Iterable<ZoneRecord>, head: Head): Iterable<Buffer> {
  let writer = begin(head, true)
  let count = 0
  let isFirst = true
  const end = () => {
    writer.patchU16(6, count)
    if (isFirst && head.hasEdns) {
      writer.patchU16(10, 1)
      writer.octets(opt)
    }
    isFirst = false
    return writer.done()
  }
  for (const record of records) {
    const start = writer.at
    writeRecord(writer, record)
    count++
    if (writer.at <= messageBytes || count === 1) continue
    // It belongs to the next message; what it left behind in this one is cut off.
    writer.at = start
    count--
    yield end()
    writer = begin(head, false)
    writeRecord(writer, record)
    count = 1
  }
  yield end()
}

/** RFC 5936 §2.2.2: the question stands in the first message, and need not in the others. */
function begin(head: Head, hasQuestion: boolean): Writer {
  const writer = new Writer()
  writer.octets(head.query.subarray(0, 2))
  // A response, authoritative; opcode, RD and RA as RFC 5936 §2.2.1 has them.
  writer.u16(0x8400 | (head.query.readUInt16BE(2) & 0x100))
  writer.u16(hasQuestion ? 1 : 0)
  for (let section = 0; section < 3; section++) writer.u16(0)
  if (hasQuestion) writer.octets(head.query.subarray(12))
  return writer
}

function writeRecord(writer: Writer, { name, ttlSeconds, data }: ZoneRecord): void {
  writer.name(name, true)
  writer.u16(rdataCode(data))
  writer.u16(classCodes.IN)
  writer.u32(ttlSeconds)
  const start = writer.beginSized()
  writeRdata(writer, data)
  writer.endSized(start)
}

function refusal(head: Head, rcode: number): Buffer {
  const writer = begin(head, true)
  writer.patchU16(2, 0x8000 | (head.query.readUInt16BE(2) & 0x100) | rcode)
  if (head.hasEdns) {
    writer.patchU16(10, 1)
    writer.octets(opt)
  }
  return writer.done()
}

/** Root, OPT, 1232 octets, version 0, nothing more (RFC 5936 §2.2.5). */
const opt = Uint8Array.of(0, 0, metaTypeCodes.OPT, 1232 >> 8, 1232 & 255, 0, 0, 0, 0, 0, 0)
