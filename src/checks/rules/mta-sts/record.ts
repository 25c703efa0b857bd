/**
 * The record that announces MTA-STS, TXT at `_mta-sts` (RFC 8461 §3.1): absent (sts-missing), not exactly one (sts-record-ambiguous), or not to be
 * read (sts-record-malformed). Pages: docs/checks/sts-….md
 */
import { printable } from '../../../base/printable.ts'
import type { Facts } from '../../facts.ts'
import { type Subject, type Undecided, undecided } from '../../finding.ts'
import { domainSubject, isNullMx, textsOf } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { stsRecordOf } from '../../sts-policy.ts'
import { daneOf } from '../../tlsa.ts'

export const stsSubject = (facts: Facts): Subject => ({ kind: 'record', name: `_mta-sts.${facts.domain}`, type: 'TXT' })

/** An id that changes with every policy: the day on which it is written down. */
const idFor = (facts: Facts) => new Date(facts.startedAtMs).toISOString().slice(0, 10).replaceAll('-', '')

const recordLine = (facts: Facts) => `_mta-sts.${facts.domain}. IN TXT "v=STSv1; id=${idFor(facts)}"`

/** Why the record is not known; undefined where it is, or where it is known that there is none. */
export function whyNoStsRecord(facts: Facts): Undecided | undefined {
  const { txt } = facts.mtaSts
  const subject = stsSubject(facts)
  if (txt.kind === 'not-examined') return undecided(subject, txt)
  return txt.kind === 'failed'
    ? { kind: 'undecided', subject, reason: 'lookup-failed', why: `TXT: ${txt.why}.` }
    : undefined
}

const texts = (facts: Facts) => textsOf(facts.mtaSts.txt).map((text) => text.toString('latin1'))

/** A record that was meant to be one, and is not taken for one: another case, blanks, no semicolon. */
const looksMeant = (text: string) => /^\s*(?:"\s*)?v\s*=\s*STSv?\d/i.test(text)

export const stsMissing: Rule = {
  id: 'sts-missing',
  title: 'no MTA-STS',
  rfc: ['RFC 8461 §3.1'],
  needs: ['mta-sts', 'tlsa'],
  examine(facts) {
    if (facts.exchangers.length === 0 || isNullMx(facts)) return []
    const unknown = whyNoStsRecord(facts)
    if (unknown) return [unknown]
    if (stsRecordOf(facts).kind !== 'none' || texts(facts).some(looksMeant)) return []
    const dane = daneCompleteness(facts)
    if (dane === 'complete') return []
    const subject = domainSubject(facts)
    if (dane !== 'incomplete')
      return [{ kind: 'undecided', subject, reason: dane.reason, why: `It matters only without DANE. ${dane.why}` }]
    return [
      {
        kind: 'fault',
        severity: 'notice',
        subject,
        seen: `There is no MTA-STS record at _mta-sts.${facts.domain}, and DANE does not cover all exchangers.`,
        why: 'Nothing tells senders to insist on TLS, so somebody on the way can take it out of the session and read along.',
        remedy: {
          text: `Serve the policy at https://mta-sts.${facts.domain}/.well-known/mta-sts.txt first, in mode testing, and publish the record then.`,
          records: [recordLine(facts)],
          settings: [
            'version: STSv1',
            'mode: testing',
            ...facts.exchangers.slice(0, 20).flatMap(({ host }) => (host ? [`mx: ${host}`] : [])),
            'max_age: 86400',
          ],
        },
      },
    ]
  },
}

/** Whether senders that do DANE are told about every exchanger. */
function daneCompleteness(facts: Facts): 'complete' | 'incomplete' | Pick<Undecided, 'reason' | 'why'> {
  const found = facts.exchangers.map((exchanger) => daneOf(facts, exchanger))
  const isMxSecure = 'trust' in facts.mx && facts.mx.trust === 'secure'
  if (isMxSecure && found.every(({ kind }) => kind === 'records')) return 'complete'
  const unknown = found.find((dane) => dane.kind === 'unknown')
  return unknown?.kind === 'unknown' && found.every(({ kind }) => kind === 'records' || kind === 'unknown')
    ? { reason: unknown.reason, why: unknown.why }
    : 'incomplete'
}

export const stsRecordAmbiguous: Rule = {
  id: 'sts-record-ambiguous',
  title: 'MTA-STS record that not every sender finds',
  rfc: ['RFC 8461 §3.1'],
  needs: ['mta-sts'],
  examine(facts) {
    const unknown = whyNoStsRecord(facts)
    if (unknown) return [unknown]
    const seen = ambiguity(facts)
    if (seen === undefined) return []
    return [
      {
        kind: 'fault',
        severity: 'warning',
        subject: stsSubject(facts),
        seen,
        why: 'Senders take one record that begins with "v=STSv1;" and nothing else. Otherwise they act as if there were no MTA-STS; those that know the policy already go on with it until it ends.',
        remedy: {
          text: 'Leave exactly one record, without a blank before the first semicolon.',
          records: [recordLine(facts)],
        },
      },
    ]
  },
}

function ambiguity(facts: Facts): string | undefined {
  const found = stsRecordOf(facts)
  const where = `_mta-sts.${facts.domain}`
  if (found.kind === 'several') return `There are ${found.count} records at ${where} that begin with "v=STSv1;".`
  // A single `v=STSv1 ;` fits the grammar, and yet the rule that picks the record looks for "v=STSv1;".
  const isSpaced = (text: string) => /^v=STSv1[ \t]+;/.test(text)
  const spaced = found.kind === 'one' ? isSpaced(found.text) : texts(facts).some(isSpaced)
  return spaced ? `The record at ${where} has a blank before its first semicolon.` : undefined
}

export const stsRecordMalformed: Rule = {
  id: 'sts-record-malformed',
  title: 'MTA-STS record that cannot be read',
  rfc: ['RFC 8461 §3.1', 'RFC 8461 §3.2'],
  needs: ['mta-sts'],
  examine(facts) {
    const unknown = whyNoStsRecord(facts)
    if (unknown) return [unknown]
    const wrong = malformed(facts)
    if (!wrong) return []
    return [
      {
        kind: 'fault',
        severity: 'warning',
        subject: stsSubject(facts),
        seen: `The record at _mta-sts.${facts.domain}, "${printable(wrong.text, 300)}", is not valid: ${wrong.why}.`,
        why: 'Senders act as if there were no MTA-STS; those that know the policy already never hear of a new one.',
        remedy: {
          text: 'Write the record in this form; the id is 1 to 32 letters and digits, and changes with the policy.',
          records: [recordLine(facts)],
        },
      },
    ]
  },
}

function malformed(facts: Facts): { readonly text: string; readonly why: string } | undefined {
  const found = stsRecordOf(facts)
  if (found.kind === 'several' || ambiguity(facts) !== undefined) return undefined
  if (found.kind === 'one') {
    if (found.parsed.kind === 'record') return undefined
    return {
      text: found.text,
      why: found.parsed.problems
        .map(({ message }) => message)
        .slice(0, 5)
        .join('; '),
    }
  }
  const text = texts(facts).find(looksMeant)
  return text === undefined ? undefined : { text, why: 'it does not begin with "v=STSv1;", in this very case' }
}
