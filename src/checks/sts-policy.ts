/**
 * MTA-STS of the domain as facts have it (RFC 8461): the record, and the policy that senders read. Pure; called by the rules of MTA-STS and by
 * those whose severity hangs on it.
 */
import {
  type ParsedStsPolicy,
  type ParsedStsRecord,
  parseStsPolicy,
  parseStsRecord,
  type StsPolicy,
  selectStsRecord,
  trimBlanks,
} from '../records/mta-sts.ts'
import type { Facts, HttpsFacts } from './facts.ts'
import { onceAFact } from './once-a-fact.ts'
import { textsOf } from './read-facts.ts'

export type StsRecordFound =
  | { readonly kind: 'none' }
  | { readonly kind: 'several'; readonly count: number }
  | { readonly kind: 'one'; readonly text: string; readonly parsed: ParsedStsRecord }

export const stsRecordOf = (facts: Facts): StsRecordFound => readRecord(facts.mtaSts.txt)

const readRecord = onceAFact((txt: Facts['mtaSts']['txt']): StsRecordFound => {
  const selected = selectStsRecord(textsOf(txt).map((text) => text.toString('latin1')))
  if (selected.kind === 'several') return { kind: 'several', count: selected.texts.length }
  if (selected.kind === 'none') return { kind: 'none' }
  return { kind: 'one', text: selected.text, parsed: parseStsRecord(selected.text) }
})

/** RFC 8461 §3.2: a year. The grammar admits more, and so do senders. */
export const mostMaxAgeSeconds = 31_557_600

/** The first max_age as it is written, where there is one. */
export function maxAgeOf(body: Buffer): string | undefined {
  // The blanks around it are no part of the pattern: it would try every way to share out a long row of them.
  const written = /^max_age:([^\r\n]*)/m.exec(body.toString('latin1'))?.[1]
  return written === undefined ? undefined : trimBlanks(written)
}

/**
 * What the policy host said, read; undefined where it gave no whole document with 200 (RFC 8461 §3.3). An age that is out of range or no number is
 * taken for the longest that there is: it has a rule of its own, and hides no other fault.
 */
export const stsDocumentOf = (facts: Facts): ParsedStsPolicy | undefined => readDocument(facts.mtaSts.https)

const readDocument = onceAFact((https: HttpsFacts): ParsedStsPolicy | undefined => {
  if (https.kind !== 'response' || https.status !== 200 || https.bodyEnd !== 'whole') return undefined
  const age = maxAgeOf(https.body)
  if (age === undefined || (/^\d{1,10}$/.test(age) && Number(age) <= mostMaxAgeSeconds))
    return parseStsPolicy(https.body)
  const text = https.body.toString('latin1').replace(/^max_age:[^\r\n]*/m, `max_age: ${mostMaxAgeSeconds}`)
  return parseStsPolicy(Buffer.from(text, 'latin1'))
})

/**
 * The policy that senders follow: announced by one valid record and readable. Whether its host's certificate is good is left aside: senders
 * that know the policy already go on with it (RFC 8461 §3.3).
 */
export function stsPolicyOf(facts: Facts): StsPolicy | undefined {
  const record = stsRecordOf(facts)
  if (record.kind !== 'one' || record.parsed.kind === 'invalid') return undefined
  const document = stsDocumentOf(facts)
  return document?.kind === 'policy' ? document.policy : undefined
}
