/**
 * Kinds of TXT records that share their name with others and of which a domain has one: how each is told from its neighbours, where it
 * stands, and whether a text is a valid one. Used by `options.ts`, `wanted.ts` and `plan.ts`.
 */
import type { TextProblem } from '../../base/place.ts'
import type { Rdata } from '../../dns/rdata.ts'
import { parseDmarc, selectDmarc } from '../../records/dmarc.ts'
import { parseStsRecord, selectStsRecord } from '../../records/mta-sts.ts'
import { parseSpf, selectSpf } from '../../records/spf.ts'
import { parseTlsrpt, selectTlsrpt } from '../../records/tlsrpt.ts'
import { type Selected, txtText } from '../../records/txt.ts'

export type TextKind = 'spf' | 'dmarc' | 'mtaSts' | 'tlsRpt'

interface Kind {
  /** What people call it. */
  readonly title: string
  /** In front of the domain's own name; empty: none. */
  readonly prefix: string
  readonly select: (texts: readonly string[]) => Selected
  /** Why the text is none, in words of ours. */
  readonly whyInvalid: (text: string) => string | undefined
}

type Parsed = { readonly kind: string; readonly problems?: readonly TextProblem[] }

/** The first thing that is wrong with it, also where receivers would look over it: what we write has no mistakes. */
function why(parsed: Parsed): string | undefined {
  const problem = parsed.problems?.[0]
  return problem && `${problem.message} (column ${problem.column})`
}

export const textKinds: Readonly<Record<TextKind, Kind>> = {
  // RFC 7208 §3
  spf: { title: 'SPF', prefix: '', select: selectSpf, whyInvalid: (text) => why(parseSpf(text)) },
  // RFC 7489 §6.1
  dmarc: { title: 'DMARC', prefix: '_dmarc', select: selectDmarc, whyInvalid: (text) => why(parseDmarc(text)) },
  // RFC 8461 §3.1
  mtaSts: {
    title: 'MTA-STS',
    prefix: '_mta-sts',
    select: selectStsRecord,
    whyInvalid: (text) => why(parseStsRecord(text)),
  },
  // RFC 8460 §3
  tlsRpt: { title: 'TLSRPT', prefix: '_smtp._tls', select: selectTlsrpt, whyInvalid: (text) => why(parseTlsrpt(text)) },
}

/** Whether this record is of the kind, valid or not. */
export function isOfKind(data: Rdata, kind: TextKind): boolean {
  return data.type === 'TXT' && textKinds[kind].select([txtText(data.strings)]).kind !== 'none'
}

/** A text as TXT data: in strings of at most 255 octets (RFC 1035 §3.3), which readers join without a blank. */
export function textData(text: string): Rdata {
  const octets = Buffer.from(text, 'latin1')
  const strings: Buffer[] = []
  for (let at = 0; at < octets.length || at === 0; at += 255) strings.push(octets.subarray(at, at + 255))
  return { type: 'TXT', strings }
}
