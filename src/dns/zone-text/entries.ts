/** What the text of a zone is made of: entries, each with its place. Made by `parse.ts`; judged, changed and written by its neighbours. */
import { type Place, placeAt, type TextProblem } from '../../base/place.ts'
import type { Rdata } from '../rdata.ts'
import type { WireName } from '../wire-name.ts'
import type { Word } from '../words.ts'

export interface Span {
  /** Offsets into the text: from the start of its first line to behind the end of its last one. */
  readonly start: number
  readonly end: number
  readonly words: readonly Word[]
  /** The origin that holds for it. */
  readonly origin: WireName
}

export interface RecordEntry extends Span {
  readonly kind: 'record'
  readonly name: WireName
  /** Stated, or by default. */
  readonly ttlSeconds: number
  /** Of the type. */
  readonly code: number
  /** Undefined where the text of the type is not known here. */
  readonly data: Rdata | undefined
  /** The words that state owner and TTL, where they are stated. */
  readonly ownerWord: Word | undefined
  readonly ttlWord: Word | undefined
  readonly typeWord: Word
  /** Index of the first word of the data. */
  readonly firstData: number
}

export type ZoneEntry =
  | RecordEntry
  | (Span & { readonly kind: 'origin' })
  | (Span & { readonly kind: 'ttl'; readonly ttlSeconds: number })
  /** `path` as it is written, its escapes taken away; `includedOrigin` holds within the file; so does `ttlSeconds`, where it is known. */
  | (Span & {
      readonly kind: 'include'
      readonly path: string
      readonly includedOrigin: WireName
      readonly ttlSeconds: number | undefined
    })
  /** `owner` as it is written, with its `$`; `code` of the type, where it is one. */
  | (Span & { readonly kind: 'generate'; readonly owner: string; readonly code: number | undefined })

export interface ZoneText {
  /** One character an octet. */
  readonly text: string
  readonly entries: readonly ZoneEntry[]
  /** What is right, and yet nearly always a mistake. */
  readonly notes: readonly TextProblem[]
}

/** Where an entry's first word stands. */
export function placeOfEntry(zone: ZoneText, entry: ZoneEntry): Place {
  return placeAt(zone.text, entry.words[0]?.start ?? entry.start)
}
