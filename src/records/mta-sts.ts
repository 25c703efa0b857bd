/**
 * MTA-STS: the TXT record at `_mta-sts` and the policy at `https://mta-sts.<domain>/.well-known/mta-sts.txt` (RFC 8461 §3). Used by checks and
 * by whoever publishes one. Strict and pure.
 */
import type { TextProblem } from '../base/place.ts'
import { type HostName, isHostName, parseName } from '../dns/name.ts'
import { createProblems, type Problems, shown } from './problems.ts'
import { fieldProblem, readStrictFields } from './strict-fields.ts'
import { type Selected, selectText } from './txt.ts'

export interface StsRecord {
  /** Changes with the policy; it has no order. 1–32 letters and digits. */
  readonly id: string
}

export type ParsedStsRecord =
  | { readonly kind: 'record'; readonly record: StsRecord }
  | { readonly kind: 'invalid'; readonly problems: readonly TextProblem[] }

const version = 'v=STSv1'

/**
 * RFC 8461 §3.1: of several, those that do not begin with "v=STSv1;" are discarded. A single one is judged by its grammar, which allows a
 * blank before the semicolon.
 */
export function selectStsRecord(texts: readonly string[]): Selected {
  const begins = texts.length === 1 ? /^v=STSv1[ \t]*;/ : /^v=STSv1;/
  return selectText(texts, (text) => begins.test(text))
}

/** @param text  of one record, one character an octet (`txtText`) */
export function parseStsRecord(text: string): ParsedStsRecord {
  const problems = createProblems(text)
  let id: string | undefined
  for (const field of readStrictFields(text, version, problems)) {
    if (field.name === 'id') {
      // §3.2: of duplicates only the first counts.
      if (id === undefined && !/^[A-Za-z0-9]{1,32}$/.test(field.value))
        problems.add(field.valueAt, `the id ${shown(field.value)} is not 1–32 letters and digits`)
      id ??= field.value
      continue
    }
    const why = fieldProblem(field)
    if (why) problems.add(field.at, why)
  }
  if (id === undefined) problems.add(text.length, 'the field "id" is missing')
  if (problems.list.length > 0 || id === undefined) return { kind: 'invalid', problems: problems.list }
  return { kind: 'record', record: { id } }
}

export type StsMode = 'enforce' | 'testing' | 'none'

export interface StsPattern {
  /** The name, or what stands behind `*.`. */
  readonly host: HostName
  readonly isWildcard: boolean
}

export interface StsPolicy {
  readonly mode: StsMode
  /** 0 to 31,557,600. */
  readonly maxAgeSeconds: number
  /** Of the exchangers; none only in mode `none`. */
  readonly patterns: readonly StsPattern[]
}

export type ParsedStsPolicy =
  | {
      readonly kind: 'policy'
      readonly policy: StsPolicy
      /** Of "mx" lines that match no exchanger. A strict sender may refuse the whole policy for one. */
      readonly badPatterns: readonly TextProblem[]
      /** Of lines that senders ignore, though their writer will have meant something. */
      readonly notes: readonly TextProblem[]
    }
  | { readonly kind: 'invalid'; readonly problems: readonly TextProblem[] }

/** RFC 8461 §3.2; §3.3 suggests it as the most that a sender reads. */
const maxPolicyBytes = 64 * 1024
const maxMaxAge = 31_557_600

/** @param bytes  the body that the web server gave; over 64 KiB it is invalid */
export function parseStsPolicy(bytes: Uint8Array): ParsedStsPolicy {
  if (bytes.length > maxPolicyBytes) {
    const message = `${bytes.length} octets long; senders read ${maxPolicyBytes}`
    return { kind: 'invalid', problems: [{ line: 1, column: 1, message }] }
  }
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
  const read: ReadPolicy = {
    version: undefined,
    mode: undefined,
    maxAgeSeconds: undefined,
    patterns: [],
    problems: createProblems(text),
    badPatterns: createProblems(text),
    notes: createProblems(text),
  }
  let at = 0
  const lines = text.split('\n')
  for (const [index, line] of lines.entries()) {
    // LF or CRLF ends a line; blanks may stand before it. The last line may have an end, or none.
    if (line !== '' || index < lines.length - 1) readLine(line.replace(/\r$/, ''), at, read)
    at += line.length + 1
  }
  return judge(read, text)
}

interface ReadPolicy {
  version: string | undefined
  mode: StsMode | undefined
  maxAgeSeconds: number | undefined
  readonly patterns: StsPattern[]
  readonly problems: Problems
  readonly badPatterns: Problems
  readonly notes: Problems
}

function readLine(line: string, at: number, read: ReadPolicy): void {
  const colon = line.indexOf(':')
  const name = line.slice(0, colon < 0 ? line.length : colon)
  if (trimBlanks(line) === '') {
    read.notes.add(at, 'an empty line, which the grammar has no place for')
  } else if (colon < 0 || !/^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$/.test(name)) {
    read.problems.add(at, `${shown(line)} is no "key: value"`)
  } else {
    const rest = line.slice(colon + 1)
    const value = trimBlanks(rest)
    const valueAt = at + colon + 1 + (value === '' ? 0 : rest.indexOf(value))
    if (name === 'mx') readPattern(value, valueAt, read)
    else if (name === 'version' || name === 'mode' || name === 'max_age') readOnce(name, value, at, valueAt, read)
    else if (!isExtensionValue(value))
      read.problems.add(valueAt, `the value of ${shown(name)} is empty, or has characters that no value has`)
    else if (/^(?:version|mode|max_age|mx)$/i.test(name))
      read.notes.add(at, `${shown(name)} is ignored: keys are in lower case`)
  }
}

function readOnce(
  name: 'version' | 'mode' | 'max_age',
  value: string,
  at: number,
  valueAt: number,
  read: ReadPolicy,
): void {
  const before = name === 'max_age' ? read.maxAgeSeconds : read[name]
  if (before !== undefined) {
    read.notes.add(at, `a second "${name}"; the first counts`)
  } else if (name === 'version') {
    read.version = value
    if (value !== 'STSv1') read.problems.add(valueAt, `the version ${shown(value)} is not STSv1`)
  } else if (name === 'mode') {
    read.mode = value === 'enforce' || value === 'testing' ? value : 'none'
    if (read.mode !== value) read.problems.add(valueAt, `the mode ${shown(value)} is not enforce, testing or none`)
  } else {
    read.maxAgeSeconds = Number(value)
    if (!/^\d{1,10}$/.test(value) || read.maxAgeSeconds > maxMaxAge)
      read.problems.add(valueAt, `max_age ${shown(value)} is not a number of seconds up to ${maxMaxAge}`)
  }
}

function readPattern(value: string, at: number, read: ReadPolicy): void {
  const isWildcard = value.startsWith('*.')
  const text = isWildcard ? value.slice(2) : value
  const parsed = parseName(text)
  // RFC 5321 §4.1.2, Domain: no final dot and no underscore; and A-labels in place of U-labels (RFC 8461 §3.2).
  const isDomain =
    parsed.kind === 'name' && isHostName(parsed.name) && /^[A-Za-z0-9.-]+$/.test(text) && !text.endsWith('.')
  if (isDomain) read.patterns.push({ host: parsed.name, isWildcard })
  else read.badPatterns.add(at, `${shown(value)} is neither a host name nor "*." and one, so it matches no exchanger`)
}

function judge(read: ReadPolicy, text: string): ParsedStsPolicy {
  const { version, mode, maxAgeSeconds, patterns, problems } = read
  for (const [key, value] of Object.entries({ version, mode, max_age: maxAgeSeconds }))
    if (value === undefined) problems.add(text.length, `"${key}" is missing`)
  if (mode !== undefined && mode !== 'none' && patterns.length === 0)
    problems.add(text.length, `no "mx" that names a host, which mode ${mode} needs`)
  if (problems.list.length > 0 || mode === undefined || maxAgeSeconds === undefined)
    return { kind: 'invalid', problems: [...problems.list, ...read.badPatterns.list] }
  const policy = { mode, maxAgeSeconds, patterns }
  return { kind: 'policy', policy, badPatterns: read.badPatterns.list, notes: read.notes.list }
}

/** Octets of UTF-8, blanks within, no controls. */
function isExtensionValue(value: string): boolean {
  if (value === '' || /[\x00-\x1f\x7f]/.test(value)) return false
  return /^[\x20-\x7e]+$/.test(value) || Buffer.from(value, 'latin1').toString('utf8').includes('\ufffd') === false
}

/** Without the spaces and tabs at both ends, and nothing else. */
export function trimBlanks(text: string): string {
  let [start, end] = [0, text.length]
  while (start < end && /[ \t]/.test(text.charAt(start))) start++
  while (end > start && /[ \t]/.test(text.charAt(end - 1))) end--
  return text.slice(start, end)
}

/** Whether the policy names this exchanger (RFC 8461 §4.1): a wildcard stands for exactly the left-most label. */
export const isCoveredBySts = (policy: Pick<StsPolicy, 'patterns'>, exchanger: HostName): boolean =>
  stsCover(policy)(exchanger)

/** The same for many exchangers: a policy has room for thousands of patterns. */
export function stsCover({ patterns }: Pick<StsPolicy, 'patterns'>): (exchanger: HostName) => boolean {
  const hosts = new Set<string>(patterns.flatMap(({ host, isWildcard }) => (isWildcard ? [] : host)))
  const parents = new Set<string>(patterns.flatMap(({ host, isWildcard }) => (isWildcard ? host : [])))
  return (exchanger) => {
    const dot = exchanger.indexOf('.')
    return hosts.has(exchanger) || (dot >= 0 && parents.has(exchanger.slice(dot + 1)))
  }
}
