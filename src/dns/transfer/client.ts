/**
 * Fetches a whole zone from a server: AXFR over TCP (RFC 5936), signed or not. Used by publishing, to read what is live where single
 * questions would not show all of it. Nothing of a zone is told before all of it is there and, with a key, vouched for.
 */
import type { Clock } from '../../base/clock.ts'
import type { Door } from '../../base/door.ts'
import type { Random } from '../../base/random.ts'
import { encodeMessage, query } from '../message.ts'
import { type SaidNo, saidNo } from '../server-said.ts'
import type { NameServer } from '../servers.ts'
import { converseOverTcp } from '../tcp-conversation.ts'
import { createAnswerReader, type ReadAnswer, type TsigFailure } from '../tsig/answer-reader.ts'
import type { TsigKey } from '../tsig/key.ts'
import { signRequest } from '../tsig/request.ts'
import { metaTypeCodes, opcodes, rcodes } from '../types.ts'
import type { WireName } from '../wire-name.ts'
import { type TransferredZone, ZoneReader } from './zone-reader.ts'

export interface TransferOptions {
  readonly server: NameServer
  readonly key: TsigKey | undefined
  /** For the whole transfer. */
  readonly timeoutMs: number
  readonly maxRecords: number
  /** Of messages, in sum. */
  readonly maxBytes: number
}

export type TransferOutcome =
  | { readonly kind: 'zone'; readonly zone: TransferredZone }
  | SaidNo
  | TsigFailure
  | { readonly kind: 'too-large'; readonly limit: 'records' | 'bytes' }
  /** `why` for logs: words of ours, numbers and system codes. */
  | { readonly kind: 'unreachable' | 'interrupted' | 'malformed'; readonly why: string }

export interface TransferDeps {
  readonly clock: Clock
  readonly random: Random
  readonly door: Door
}

/** @param zone  its apex */
export async function transferZone(
  zone: WireName,
  options: TransferOptions,
  deps: TransferDeps,
): Promise<TransferOutcome> {
  const { server, key, timeoutMs } = options
  const id = deps.random.bytes(2).readUInt16BE(0)
  // RFC 5936 §2.1: no flag is needed, and old servers stumble over OPT.
  const wanted = { ...query(zone, metaTypeCodes.AXFR, id, undefined), recursionDesired: false, authenticData: false }
  const bare = encodeMessage(wanted)
  const signed = key && signRequest(bare, key, Math.floor(deps.clock.now() / 1000))
  const asked = { id, opcode: opcodes.query, signed: key && signed && { key, mac: signed.mac } }
  const answers = createAnswerReader(asked, deps.clock)
  const records = new ZoneReader(zone, options.maxRecords)
  let bytesHeard = 0
  let outcome: TransferOutcome | undefined
  const take = (bytes: Buffer) => {
    bytesHeard += bytes.length
    if (bytesHeard > options.maxBytes) outcome = { kind: 'too-large', limit: 'bytes' }
    else outcome = next(answers.read(bytes), records, () => answers.isCovered, key !== undefined)
    return outcome ? 'enough' : 'more'
  }
  const conversation = { server, message: signed?.bytes ?? bare, timeoutMs, purpose: 'publisher', take } as const
  const end = await converseOverTcp({ ...conversation, open: new Set() }, deps)
  if (outcome) return outcome
  const why = end.kind === 'lost' ? end.code : `not whole within ${timeoutMs} ms`
  return { kind: end.kind !== 'done' && end.isSent ? 'interrupted' : 'unreachable', why }
}

/** What one message makes of the transfer; undefined where it goes on. */
function next(
  read: ReadAnswer,
  records: ZoneReader,
  isCovered: () => boolean,
  mustBeSigned: boolean,
): TransferOutcome | undefined {
  if (read.kind === 'stranger') return undefined
  if (read.kind !== 'answer') return read
  const { message, trust } = read
  if (message.rcode !== rcodes.noError) return saidNo(message.rcode, trust === 'signed')
  const unsigned: TsigFailure = { kind: 'tsig', problem: 'answer-unsigned', skewSeconds: undefined, rcode: 0 }
  if (mustBeSigned && trust === 'unsigned') return unsigned
  const step = records.take(message)
  if (step.kind === 'more') return undefined
  if (step.kind === 'too-large') return { kind: 'too-large', limit: 'records' }
  // RFC 8945 §5.3.1: an end that nobody signed could be anybody's.
  return step.kind === 'zone' && !isCovered() ? unsigned : step
}
