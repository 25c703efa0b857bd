/**
 * The numbers of DNS by name: record types, classes and response codes (IANA's registry; RFC 1035 §3.2, RFC 6895).
 * Used by the codec and by whoever asks questions.
 */

/** The record types whose data we read and write; all others are opaque (RFC 3597). */
export const typeCodes = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  HINFO: 13,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  DNAME: 39,
  DS: 43,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  NSEC3: 50,
  NSEC3PARAM: 51,
  TLSA: 52,
  CAA: 257,
} as const

export type RecordType = keyof typeof typeCodes

/** Types that are no data of a zone: the codec treats OPT itself (RFC 6891), and TSIG is opaque (RFC 8945). */
export const metaTypeCodes = { OPT: 41, TSIG: 250, AXFR: 252, ANY: 255 } as const

const namesByCode: ReadonlyMap<number, string> = new Map(
  Object.entries({ ...typeCodes, ...metaTypeCodes }).map(([name, code]) => [code, name]),
)

/** `MX` for 15, `TYPE65` for a type that we do not know (RFC 3597 §5). */
export function typeName(code: number): string {
  return namesByCode.get(code) ?? `TYPE${code}`
}

/** NONE and ANY are those of dynamic updates (RFC 2136 §1.3). */
export const classCodes = { IN: 1, CH: 3, HS: 4, NONE: 254, ANY: 255 } as const

export const rcodes = {
  noError: 0,
  formErr: 1,
  servFail: 2,
  nxDomain: 3,
  notImp: 4,
  refused: 5,
  badVers: 16,
} as const

const rcodeNames = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED']

export function rcodeName(code: number): string {
  return rcodeNames[code] ?? (code === rcodes.badVers ? 'BADVERS' : `RCODE${code}`)
}
