/** Where reports are sent to: the URIs of `rua` and `ruf` (RFC 7489 §6.2, RFC 8460 §3). Used by `dmarc.ts` and `tlsrpt.ts`. */
import { type HostName, parseName } from '../dns/name.ts'
import { type Problems, shown } from './problems.ts'
import type { TagField } from './tag-list.ts'

export interface ReportUri {
  /** As it is written, without a size limit. Printable ASCII. */
  readonly uri: string
  /** In lower case. */
  readonly scheme: string
  /** Of a mailto URI, its address's domain; of an https one, its host. */
  readonly domain: HostName | undefined
  /** What DMARC's `!10m` says, octets. */
  readonly maxBytes: number | undefined
}

export type ParsedReportUri =
  | { readonly kind: 'uri'; readonly uri: ReportUri }
  | { readonly kind: 'invalid'; readonly why: string }

/** RFC 3986 §2, but for what must be encoded here: comma, exclamation mark, semicolon. */
const uriPattern = /^([A-Za-z][A-Za-z0-9+.-]*):((?:[A-Za-z0-9\-._~:/?#[\]@$&'()*+=]|%[0-9A-Fa-f]{2})+)$/

const unitBytes: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 }

/** @param mayLimit  whether a size may stand behind it, as in DMARC */
export function parseReportUri(text: string, mayLimit: boolean): ParsedReportUri {
  if (text.length > 2_000) return invalid('it is longer than 2000 octets')
  const limit = mayLimit ? /!(\d{1,20})([kmgt]?)$/i.exec(text) : null
  const uri = limit ? text.slice(0, limit.index) : text
  const match = uriPattern.exec(uri)
  if (!match) return invalid('it is no URI with comma, semicolon and exclamation mark encoded')
  const scheme = (match[1] ?? '').toLowerCase()
  const maxBytes = limit ? Number(limit[1]) * (unitBytes[(limit[2] ?? '').toLowerCase()] ?? 1) : undefined
  // RFC 7489 §6.4: the number as it is written fits in 64 bits.
  if (limit && BigInt(limit[1] ?? 0) >= 1n << 64n) return invalid('its size does not fit in 64 bits')
  const domain = domainOf(scheme, match[2] ?? '')
  if (domain === undefined && (scheme === 'mailto' || scheme === 'https'))
    return invalid(scheme === 'mailto' ? 'it has no address with a domain' : 'it has no host')
  return { kind: 'uri', uri: { uri, scheme, domain, maxBytes } }
}

/** The URIs of a field, with the place of each; what is none is told. */
export function* reportUris(
  { value, valueAt }: Pick<TagField, 'value' | 'valueAt'>,
  mayLimit: boolean,
  problems: Problems,
): Iterable<{ readonly uri: ReportUri; readonly at: number; readonly text: string }> {
  let at = valueAt
  for (const part of value.split(',')) {
    const text = part.trim()
    const start = at + part.indexOf(text)
    at += part.length + 1
    const parsed = parseReportUri(text, mayLimit)
    if (parsed.kind === 'uri') yield { uri: parsed.uri, at: start, text }
    else problems.add(start, `${shown(text)} is nowhere to send reports to: ${parsed.why}`)
  }
}

const invalid = (why: string): ParsedReportUri => ({ kind: 'invalid', why })

function domainOf(scheme: string, rest: string): HostName | undefined {
  const text =
    scheme === 'mailto'
      ? /^[^?@]+@([^?@]+)(?:\?|$)/.exec(rest)?.[1]
      : scheme === 'https'
        ? /^\/\/([^/?#@:]+)(?::\d+)?(?:[/?#]|$)/.exec(rest)?.[1]
        : undefined
  if (text === undefined) return undefined
  const parsed = parseName(text)
  return parsed.kind === 'name' && parsed.name !== '.' ? parsed.name : undefined
}
