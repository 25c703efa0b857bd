/**
 * DMARC policy records (RFC 7489 §6.3–6.4; RFC 9989 adds `np`, `psd` and `t`, and takes `pct`, `rf` and `ri` away). Used by checks and by
 * `dmarc-discovery.ts`. Pure: what is wrong is told, and what receivers make of it is kept apart.
 */
import type { TextProblem } from '../base/place.ts'
import { createProblems, type Problems, shown } from './problems.ts'
import { type ReportUri, reportUris } from './report-uri.ts'
import { splitTags, type TagField } from './tag-list.ts'
import { type Selected, selectText } from './txt.ts'

export type DmarcPolicy = 'none' | 'quarantine' | 'reject'
export type DmarcAlignment = 'relaxed' | 'strict'

export interface DmarcRecord {
  /** `p`; undefined where it is missing, or it, `sp` or `np` is wrong. Then receivers take `none`, if `aggregateTo` is not empty (§6.6.3). */
  readonly policy: DmarcPolicy | undefined
  /** `sp` and `np`, for subdomains and for those that do not exist; undefined: as the one before. */
  readonly subdomainPolicy: DmarcPolicy | undefined
  readonly nonexistentPolicy: DmarcPolicy | undefined
  readonly dkimAlignment: DmarcAlignment
  readonly spfAlignment: DmarcAlignment
  /** `rua` and `ruf`: what of them is right. */
  readonly aggregateTo: readonly ReportUri[]
  readonly failuresTo: readonly ReportUri[]
  /** `fo`: of 0, 1, d, s. */
  readonly failureOptions: readonly string[]
  /** `t=y`: receivers are asked to apply one policy less (RFC 9989 §4.7). */
  readonly isTest: boolean
  /** `psd`: whether this is a public suffix, which the walk up the tree stops at (RFC 9989 §4.7). */
  readonly publicSuffix: 'y' | 'n' | 'u'
  /** `pct`, which RFC 9989 no longer has; 0–100. */
  readonly percent: number
  /** `ri`, likewise. */
  readonly intervalSeconds: number
}

export type ParsedDmarc =
  /** `problems`: what receivers ignore, or take the default for. */
  | { readonly kind: 'dmarc'; readonly record: DmarcRecord; readonly problems: readonly TextProblem[] }
  /** No DMARC record, or one that says nothing to receivers. */
  | { readonly kind: 'invalid'; readonly problems: readonly TextProblem[] }

/** The version comes first, its value in this very case (RFC 7489 §6.4). */
const version = /^v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)/

export function selectDmarc(texts: readonly string[]): Selected {
  return selectText(texts, (text) => version.test(text))
}

type Read = { -readonly [K in keyof DmarcRecord]: DmarcRecord[K] } & { hasWrongPolicy: boolean }

/** @param text  of one record, its strings joined, one character an octet (`txtText`) */
export function parseDmarc(text: string): ParsedDmarc {
  const problems = createProblems(text)
  if (!version.test(text)) {
    problems.add(0, 'it does not begin with "v=DMARC1"')
    return { kind: 'invalid', problems: problems.list }
  }
  const record: Read = {
    hasWrongPolicy: false,
    policy: undefined,
    subdomainPolicy: undefined,
    nonexistentPolicy: undefined,
    dkimAlignment: 'relaxed',
    spfAlignment: 'relaxed',
    aggregateTo: [],
    failuresTo: [],
    failureOptions: ['0'],
    isTest: false,
    publicSuffix: 'u',
    percent: 100,
    intervalSeconds: 86_400,
  }
  const seen = new Set<string>()
  const fields = splitTags(text)
  // One semicolon may end the record.
  if (fields.at(-1)?.name === '' && !fields.at(-1)?.hasValue) fields.pop()
  for (const field of fields) {
    const why = whyNotTag(field) ?? (seen.has(field.name) ? `a second ${shown(field.name)}` : undefined)
    if (why) problems.add(field.at, why)
    // A tag that stands twice makes a tag list invalid (RFC 6376 §3.2, whose syntax this is).
    if (why && seen.has(field.name)) return { kind: 'invalid', problems: problems.list }
    if (why) continue
    seen.add(field.name)
    readTag(field, record, problems)
  }
  if (!seen.has('p')) problems.add(text.length, '"p" is missing')
  const { hasWrongPolicy, ...read } = record
  if (hasWrongPolicy) read.policy = undefined
  // RFC 7489 §6.6.3: without a policy it says something only by where reports go to, or, to those who walk the tree, where to stop.
  const saysNothing = read.policy === undefined && read.aggregateTo.length === 0 && read.publicSuffix === 'u'
  return saysNothing
    ? { kind: 'invalid', problems: problems.list }
    : { kind: 'dmarc', record: read, problems: problems.list }
}

function whyNotTag({ name, hasValue, value }: TagField): string | undefined {
  if (name === '' && !hasValue) return 'two semicolons with nothing between them'
  if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name)) return `${shown(name)} is no name of a tag`
  if (!hasValue) return `${shown(name)} has no "=" and no value`
  return /[^\t\x20-\x7e]/.test(value) ? `${shown(name)} has a value that is not ASCII` : undefined
}

function readTag(field: TagField, record: Read, problems: Problems): void {
  const value = field.value.toLowerCase()
  const choose = <T>(choices: Readonly<Record<string, T>>, otherwise: T): T => {
    if (Object.hasOwn(choices, value)) return choices[value] ?? otherwise
    const names = Object.keys(choices).join(', ')
    problems.add(field.valueAt, `${shown(field.name)} is ${shown(field.value)}, not one of ${names}`)
    return otherwise
  }
  switch (field.name) {
    case 'p':
      record.policy = choose<DmarcPolicy | undefined>(policies, undefined)
      record.hasWrongPolicy ||= record.policy === undefined
      break
    case 'sp':
      record.subdomainPolicy = choose<DmarcPolicy | undefined>(policies, undefined)
      record.hasWrongPolicy ||= record.subdomainPolicy === undefined
      break
    case 'np':
      record.nonexistentPolicy = choose<DmarcPolicy | undefined>(policies, undefined)
      record.hasWrongPolicy ||= record.nonexistentPolicy === undefined
      break
    case 'adkim':
      record.dkimAlignment = choose(alignments, 'relaxed')
      break
    case 'aspf':
      record.spfAlignment = choose(alignments, 'relaxed')
      break
    case 't':
      record.isTest = choose({ y: true, n: false }, false)
      break
    case 'psd':
      record.publicSuffix = choose({ y: 'y', n: 'n', u: 'u' } as const, 'u')
      break
    case 'rua':
      record.aggregateTo = readUris(field, problems)
      break
    case 'ruf':
      record.failuresTo = readUris(field, problems)
      break
    default:
      readLesserTag(field, record, problems)
  }
}

/** Options of reports, and what newer receivers no longer read. Unknown tags are ignored (RFC 7489 §6.3). */
function readLesserTag(field: TagField, record: Read, problems: Problems): void {
  const fail = (what: string) =>
    problems.add(field.valueAt, `${shown(field.name)} is ${shown(field.value)}, not ${what}`)
  if (field.name === 'fo') {
    const options = field.value
      .toLowerCase()
      .split(':')
      .map((option) => option.trim())
    if (options.every((option) => /^[01ds]$/.test(option))) record.failureOptions = options
    else fail('0, 1, d and s with ":" between them')
  } else if (field.name === 'pct') {
    if (/^\d{1,3}$/.test(field.value) && Number(field.value) <= 100) record.percent = Number(field.value)
    else fail('a number from 0 to 100')
  } else if (field.name === 'ri') {
    if (/^\d{1,10}$/.test(field.value) && Number(field.value) < 2 ** 32) record.intervalSeconds = Number(field.value)
    else fail('a number of seconds')
  } else if (field.name === 'rf' && !/^[A-Za-z0-9-]+(?:[ \t]*:[ \t]*[A-Za-z0-9-]+)*$/.test(field.value)) {
    fail('formats of reports with ":" between them')
  }
}

const policies: Readonly<Record<string, DmarcPolicy>> = { none: 'none', quarantine: 'quarantine', reject: 'reject' }
const alignments: Readonly<Record<string, DmarcAlignment>> = { r: 'relaxed', s: 'strict' }

function readUris(field: TagField, problems: Problems): ReportUri[] {
  const uris: ReportUri[] = []
  for (const { uri, at, text } of reportUris(field, true, problems)) {
    uris.push(uri)
    // RFC 7489 §6.3 defines mailto alone.
    if (uri.scheme !== 'mailto') problems.add(at, `${shown(text)} is not mailto:, so no receiver sends to it`)
  }
  return uris
}
