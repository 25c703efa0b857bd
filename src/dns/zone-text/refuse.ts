/**
 * Why a zone's text must not be edited, or not in the way that is wanted: what would be wrong, lost, or undone by somebody else.
 * Called by `edit.ts` before anything is changed.
 */
import type { Place } from '../../base/place.ts'
import { printable } from '../../base/printable.ts'
import { typeCodes, typeName } from '../types.ts'
import { foldName, isAtOrBelow, nameText, sameName, type WireName } from '../wire-name.ts'
import { placeOfEntry, type ZoneEntry, type ZoneText } from './entries.ts'
import type { IncludedFile } from './includes.ts'
import type { RrsetEdit } from './rrset-edit.ts'

export interface Refusal {
  readonly kind: 'refused'
  readonly reason: /** No SOA of the zone, or several. */
    | 'soa'
    /** Somebody signs this text: what is changed here would no longer validate. */
    | 'signed'
    | 'outside'
    /** The set, or part of it, stands in another file, or would if $INCLUDE were read. */
    | 'included'
    | 'generated'
    /** The text of the type is not known here. */
    | 'unreadable'
    /** CNAME beside other data (RFC 1034 §3.6.2). */
    | 'alias'
    | 'serial'
  readonly why: string
  /** Where the reason stands; `file` where it is not the text itself. */
  readonly place: (Place & { readonly file?: string }) | undefined
}

interface Source {
  readonly file: string | undefined
  readonly zone: ZoneText
}

/**
 * @param apex  the name of the zone
 * @param read  the files that the text includes; undefined: they were not read
 */
export function whyRefused(
  zone: ZoneText,
  edits: readonly RrsetEdit[],
  apex: WireName,
  read: readonly IncludedFile[] | undefined,
): Refusal | undefined {
  const included = read ?? []
  const sources: Source[] = [{ file: undefined, zone }, ...included]
  const unread = read === undefined && zone.entries.find((entry) => entry.kind === 'include')
  if (unread) return refuse('included', '$INCLUDE brings records that were not read', { file: undefined, zone }, unread)
  const refusal = whyNotAtAll(sources, zone, apex)
  if (refusal) return refusal
  for (const edit of edits) {
    const refusal = whyNotSet(sources, included, edit, apex) ?? whyAlias(sources, edits, edit)
    if (refusal) return refusal
  }
  return undefined
}

function whyNotAtAll(sources: readonly Source[], main: ZoneText, apex: WireName): Refusal | undefined {
  const soas = found(sources, (entry) => entry.kind === 'record' && entry.code === typeCodes.SOA)
  const [soa, second] = soas
  if (soa === undefined) return { kind: 'refused', reason: 'soa', why: 'it has no SOA record', place: undefined }
  if (second) return refuse('soa', 'it has more than one SOA record', second.source, second.entry)
  if (soa.entry.kind === 'record' && !sameName(soa.entry.name, apex))
    return refuse('soa', `its SOA record is not that of ${nameText(apex)}`, soa.source, soa.entry)
  if (soa.source.zone !== main)
    return refuse('soa', 'its SOA record stands in a file that it includes', soa.source, soa.entry)
  if (soa.entry.words.some((word) => word.text === '\\#' && !word.quoted))
    return refuse(
      'soa',
      'its SOA record has the generic form of RFC 3597, without a serial to raise',
      soa.source,
      soa.entry,
    )
  const signature = found(sources, (entry) => entry.kind === 'record' && entry.code === typeCodes.RRSIG)[0]
  if (signature) {
    const why = 'it holds signatures (RRSIG), which whoever signs it would have to make anew: edit the unsigned source'
    return refuse('signed', why, signature.source, signature.entry)
  }
  return undefined
}

function whyNotSet(
  sources: readonly Source[],
  included: readonly IncludedFile[],
  edit: RrsetEdit,
  apex: WireName,
): Refusal | undefined {
  const what = `${nameText(edit.name)} ${typeName(edit.code)}`
  if (!isAtOrBelow(edit.name, apex))
    return { kind: 'refused', reason: 'outside', why: `${what} lies outside of ${nameText(apex)}`, place: undefined }
  if (edit.code === typeCodes.SOA)
    return { kind: 'refused', reason: 'soa', why: `of ${what} only the serial is changed here`, place: undefined }
  const elsewhere = found(included, (entry) => isOf(entry, edit))[0]
  if (elsewhere) {
    const why = `${what} stands in ${printable(elsewhere.source.file ?? '')}, which the file includes: edit it there`
    return refuse('included', why, elsewhere.source, elsewhere.entry)
  }
  const generated = found(sources, (entry) => mayGenerate(entry, edit))[0]
  if (generated) return refuse('generated', `$GENERATE may make ${what}`, generated.source, generated.entry)
  const unreadable = found(
    sources,
    (entry) => isOf(entry, edit) && entry.kind === 'record' && entry.data === undefined,
  )[0]
  if (unreadable)
    return refuse('unreadable', `the text of ${what} is not known here`, unreadable.source, unreadable.entry)
  return undefined
}

/** Whether the set would stand beside a CNAME, or a CNAME beside others, once all is done. */
function whyAlias(sources: readonly Source[], edits: readonly RrsetEdit[], edit: RrsetEdit): Refusal | undefined {
  if (edit.data.length === 0) return undefined
  const isAlias = edit.code === typeCodes.CNAME
  // RFC 4034 §3, §4 and RFC 2181 §10.1: signatures and denials may stand beside it.
  const clashes = (code: number | undefined) =>
    code !== edit.code && (isAlias ? code !== typeCodes.RRSIG && code !== typeCodes.NSEC : code === typeCodes.CNAME)
  const why = `${nameText(edit.name)} would have a CNAME record and others beside it (RFC 1034 §3.6.2)`
  if (isAlias && edit.data.length > 1)
    return {
      kind: 'refused',
      reason: 'alias',
      why: `${nameText(edit.name)} would have two CNAME records`,
      place: undefined,
    }
  const alsoWanted = edits.some(
    (other) => other.data.length > 0 && sameName(other.name, edit.name) && clashes(other.code),
  )
  if (alsoWanted) return { kind: 'refused', reason: 'alias', why, place: undefined }
  const goes = (code: number | undefined) =>
    edits.some((other) => other.data.length === 0 && other.code === code && sameName(other.name, edit.name))
  const clash = found(
    sources,
    (entry) => entry.kind === 'record' && sameName(entry.name, edit.name) && clashes(entry.code) && !goes(entry.code),
  )[0]
  return clash && refuse('alias', why, clash.source, clash.entry)
}

/** $GENERATE of this type, whose owner can become this name. */
function mayGenerate(entry: ZoneEntry, edit: RrsetEdit): boolean {
  if (entry.kind !== 'generate') return false
  if (entry.code !== undefined && entry.code !== edit.code && entry.code !== typeCodes.CNAME) return false
  // Each gap can be anything, and many of them would take long to try.
  if (entry.owner.length > 255 || /[\\@]/.test(entry.owner)) return true
  const parts = entry.owner.toLowerCase().split(/\$(?:\{[^{}]*\})?/)
  if (parts.length > 4) return true
  const isAbsolute = entry.owner.endsWith('.')
  const pattern = parts.map((part) => part.replace(/[^a-z0-9_-]/g, '\\$&')).join('.+')
  const suffix = isAbsolute ? '' : `.${nameText(foldName(entry.origin))}`.replace(/^\.\.$/, '.')
  return new RegExp(`^${pattern}${suffix.replace(/[^a-z0-9_-]/g, '\\$&')}$`).test(nameText(foldName(edit.name)))
}

function isOf(entry: ZoneEntry, edit: RrsetEdit): boolean {
  return entry.kind === 'record' && entry.code === edit.code && sameName(entry.name, edit.name)
}

function found(
  sources: readonly Source[],
  wanted: (entry: ZoneEntry) => boolean,
): { source: Source; entry: ZoneEntry }[] {
  return sources.flatMap((source) => source.zone.entries.filter(wanted).map((entry) => ({ source, entry })))
}

function refuse(reason: Refusal['reason'], why: string, source: Source, entry: ZoneEntry): Refusal {
  const place = placeOfEntry(source.zone, entry)
  return { kind: 'refused', reason, why, place: source.file === undefined ? place : { ...place, file: source.file } }
}
