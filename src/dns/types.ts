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

/** Types whose data stays opaque, with names that zone text has for them. */
export const opaqueTypeCodes = {
  MD: 3,
  MF: 4,
  MB: 7,
  MG: 8,
  MR: 9,
  WKS: 11,
  MINFO: 14,
  RP: 17,
  AFSDB: 18,
  X25: 19,
  ISDN: 20,
  RT: 21,
  NSAP: 22,
  'NSAP-PTR': 23,
  SIG: 24,
  KEY: 25,
  PX: 26,
  GPOS: 27,
  LOC: 29,
  NXT: 30,
  EID: 31,
  NIMLOC: 32,
  ATMA: 34,
  NAPTR: 35,
  KX: 36,
  CERT: 37,
  A6: 38,
  SINK: 40,
  APL: 42,
  SSHFP: 44,
  IPSECKEY: 45,
  DHCID: 49,
  SMIMEA: 53,
  HIP: 55,
  NINFO: 56,
  RKEY: 57,
  TALINK: 58,
  CDS: 59,
  CDNSKEY: 60,
  OPENPGPKEY: 61,
  CSYNC: 62,
  ZONEMD: 63,
  SVCB: 64,
  HTTPS: 65,
  DSYNC: 66,
  HHIT: 67,
  BRID: 68,
  SPF: 99,
  NID: 104,
  L32: 105,
  L64: 106,
  LP: 107,
  EUI48: 108,
  EUI64: 109,
  URI: 256,
  AVC: 258,
  DOA: 259,
  AMTRELAY: 260,
  RESINFO: 261,
  WALLET: 262,
  CLA: 263,
  IPN: 264,
  TA: 32768,
  DLV: 32769,
} as const

const codesByName: ReadonlyMap<string, number> = new Map(
  Object.entries({ ...typeCodes, ...opaqueTypeCodes, ...metaTypeCodes }),
)

const namesByCode: ReadonlyMap<number, string> = new Map([...codesByName].map(([name, code]) => [code, name]))

/** `MX` for 15, `TYPE65` for a type that we do not know (RFC 3597 §5). */
export function typeName(code: number): string {
  return namesByCode.get(code) ?? `TYPE${code}`
}

/** The code of a type by its name in any case, or as `TYPE65`; undefined where there is none. */
export function typeCodeFromName(name: string): number | undefined {
  const upper = name.toUpperCase()
  const code = codesByName.get(upper)
  if (code !== undefined) return code
  const digits = /^TYPE(\d{1,5})$/.exec(upper)?.[1]
  return digits !== undefined && Number(digits) <= 0xffff ? Number(digits) : undefined
}

/** NONE and ANY are those of dynamic updates (RFC 2136 §1.3). */
export const classCodes = { IN: 1, CH: 3, HS: 4, NONE: 254, ANY: 255 } as const

/** What a message is about (RFC 1035 §4.1.1, RFC 1996 §3.1, RFC 2136 §2.2). */
export const opcodes = { query: 0, notify: 4, update: 5 } as const

export const rcodes = {
  noError: 0,
  formErr: 1,
  servFail: 2,
  nxDomain: 3,
  notImp: 4,
  refused: 5,
  // RFC 2136 §2.2: what became of an update.
  yxDomain: 6,
  yxRrset: 7,
  nxRrset: 8,
  notAuth: 9,
  notZone: 10,
  badVers: 16,
} as const

const rcodeNames = [
  'NOERROR',
  'FORMERR',
  'SERVFAIL',
  'NXDOMAIN',
  'NOTIMP',
  'REFUSED',
  'YXDOMAIN',
  'YXRRSET',
  'NXRRSET',
  'NOTAUTH',
  'NOTZONE',
]

export function rcodeName(code: number): string {
  return rcodeNames[code] ?? (code === rcodes.badVers ? 'BADVERS' : `RCODE${code}`)
}
