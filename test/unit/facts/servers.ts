/** What authoritative servers said, in facts that rules are tested with. */
import type { Direct, DirectOutcome } from '../../../src/checks/facts.ts'
import type { Message } from '../../../src/dns/message.ts'
import type { Rdata } from '../../../src/dns/rdata.ts'
import { classCodes, type RecordType, rcodes, typeCodes } from '../../../src/dns/types.ts'
import { wire } from './names.ts'
import { record, rrsigData, soaData } from './records.ts'

interface ResponseWords {
  readonly authorities?: readonly Rdata[]
  /** Owner of the authorities. Default example.com. */
  readonly zone?: string
  readonly message?: Partial<Message>
}

/** An authoritative answer with its signature; without data NODATA, with the SOA and a signed NSEC. */
export function response(
  name: string,
  type: RecordType,
  data: readonly Rdata[],
  words: ResponseWords = {},
): DirectOutcome {
  const owner = wire(name)
  const zone = wire(words.zone ?? 'example.com')
  const signed = data.length > 0 ? [...data, rrsigData(type)] : []
  const nsec = { type: 'NSEC', next: zone, types: [2, 6, 15, 16, 46, 47, 48] } as const
  const denial = [soaData(), rrsigData('SOA'), nsec, rrsigData('NSEC')]
  const authorities = words.authorities ?? (data.length > 0 ? [] : denial)
  const message: Message = {
    id: 1,
    isResponse: true,
    opcode: 0,
    authoritative: true,
    truncated: false,
    recursionDesired: false,
    recursionAvailable: false,
    authenticData: false,
    checkingDisabled: false,
    rcode: rcodes.noError,
    questions: [{ name: owner, type: typeCodes[type], class: classCodes.IN }],
    answers: signed.map((one) => record(owner, one)),
    authorities: authorities.map((one) => record(zone, one)),
    additionals: [],
    edns: { udpBytes: 1232, version: 0, dnssecOk: true, options: [] },
    ...words.message,
  }
  return { kind: 'response', message, bytes: 300, tookMs: 15 }
}

export const silence: DirectOutcome = { kind: 'silence', tries: 3, tookMs: 9000 }

export const direct = (
  name: string,
  type: RecordType,
  outcome: DirectOutcome,
  more: Partial<Pick<Direct, 'over' | 'edns' | 'recursion'>> = {},
): Direct => ({ name: wire(name), type, over: 'udp', edns: true, recursion: false, outcome, ...more })
