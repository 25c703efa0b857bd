/**
 * Zone text, a "master file", into its entries (RFC 1035 §5, RFC 2308 §4 for $TTL, RFC 3597 §5 for types without a text), each with its place,
 * so that an editor can change one and leave the rest. Used by `edit.ts`, by `includes.ts` and by whoever reads a zone. Never throws on
 * text and takes linear time; one class, IN.
 */
import { placeAt, type TextProblem } from '../../base/place.ts'
import type { DnsRecord } from '../message.ts'
import { classCodes } from '../types.ts'
import type { Note } from '../word-reader.ts'
import { readEntry } from '../words.ts'
import type { ZoneEntry, ZoneText } from './entries.ts'
import { Reading, type ReadingOptions } from './reading.ts'

export interface ZoneTextOptions extends ReadingOptions {
  /** Octets of text. */
  readonly maxBytes?: number
}

export type ParsedZone =
  | { readonly kind: 'zone'; readonly zone: ZoneText }
  | { readonly kind: 'invalid'; readonly problems: readonly TextProblem[] }

/** One mistake at the top makes hundreds below. */
const mostProblems = 20

/** The text of a zone as it stands in the file. */
export function parseZone(bytes: Uint8Array, options: ZoneTextOptions): ParsedZone {
  const maxBytes = options.maxBytes ?? 64 * 1024 * 1024
  if (bytes.length > maxBytes) {
    return invalid([{ line: 1, column: 1, message: `${bytes.length} octets long; ${maxBytes} are the most` }])
  }
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
  if (text.startsWith('\xef\xbb\xbf'))
    return invalid([{ line: 1, column: 1, message: 'a byte order mark, which name servers take for part of a name' }])
  const reading = new Reading(text, options)
  const entries: ZoneEntry[] = []
  for (let at = 0; at < text.length && reading.problems.length < mostProblems; ) {
    const entry = readEntry(text, at)
    at = entry.end
    const read = reading.entry(entry)
    if (read) entries.push(read)
  }
  const places = (notes: readonly Note[]) => notes.map(({ at, why }) => ({ ...placeAt(text, at), message: why }))
  if (reading.problems.length > 0) return invalid(places(reading.problems))
  return { kind: 'zone', zone: { text, entries, notes: places(reading.notes) } }
}

const invalid = (problems: readonly TextProblem[]): ParsedZone => ({ kind: 'invalid', problems })

/** The records whose text is known, in the order of the text. */
export function recordsOf(zone: ZoneText): DnsRecord[] {
  const records: DnsRecord[] = []
  for (const entry of zone.entries) {
    if (entry.kind !== 'record' || entry.data === undefined) continue
    records.push({ name: entry.name, class: classCodes.IN, ttlSeconds: entry.ttlSeconds, data: entry.data })
  }
  return records
}
