/**
 * Where senders report failures of TLS, TXT at `_smtp._tls` (RFC 8460 §3): absent though a policy is in force (tlsrpt-missing), not to be read
 * (tlsrpt-record-invalid), or naming what takes no reports (tlsrpt-destination-dead). Pages: docs/checks/tlsrpt-….md
 */
import { printable } from '../../../base/printable.ts'
import { rootWireName } from '../../../dns/wire-name.ts'
import { parseReportUri } from '../../../records/report-uri.ts'
import { parseTlsrpt, selectTlsrpt } from '../../../records/tlsrpt.ts'
import type { Facts } from '../../facts.ts'
import { type Fault, type Subject, type Undecided, undecided, type Verdict } from '../../finding.ts'
import { isAbsent, recordsOf, textsOf } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { stsPolicyOf } from '../../sts-policy.ts'
import { daneOf } from '../../tlsa.ts'

const subjectOf = (facts: Facts): Subject => ({ kind: 'record', name: `_smtp._tls.${facts.domain}`, type: 'TXT' })

const recordLine = (facts: Facts) =>
  `_smtp._tls.${facts.domain}. IN TXT "v=TLSRPTv1; rua=mailto:tlsrpt@${facts.domain}"`

const textsAt = (facts: Facts) => textsOf(facts.tlsRpt.txt).map((text) => text.toString('latin1'))

const looksMeant = (text: string) => /^\s*(?:"\s*)?v\s*=\s*TLSRPTv?\d/i.test(text)

function whyUnknown(facts: Facts): Undecided | undefined {
  const { txt } = facts.tlsRpt
  const subject = subjectOf(facts)
  if (txt.kind === 'not-examined') return undecided(subject, txt)
  return txt.kind === 'failed'
    ? { kind: 'undecided', subject, reason: 'lookup-failed', why: `TXT: ${txt.why}.` }
    : undefined
}

export const tlsRptMissing: Rule = {
  id: 'tlsrpt-missing',
  title: 'nobody is told when TLS fails',
  rfc: ['RFC 8460 §3'],
  needs: ['tlsrpt', 'mta-sts', 'tlsa'],
  examine(facts) {
    const policies = [
      ...(['enforce', 'testing'].includes(stsPolicyOf(facts)?.mode ?? '') ? ['MTA-STS'] : []),
      ...(facts.exchangers.some((exchanger) => daneOf(facts, exchanger).kind === 'records') ? ['DANE'] : []),
    ]
    if (policies.length === 0) return []
    const unknown = whyUnknown(facts)
    if (unknown) return [unknown]
    if (textsAt(facts).some(looksMeant)) return []
    return [
      {
        kind: 'fault',
        severity: 'notice',
        subject: subjectOf(facts),
        seen: `${policies.join(' and ')} ${policies.length > 1 ? 'are' : 'is'} in force, and there is no record at _smtp._tls.${facts.domain}.`,
        why: 'When mail fails over TLS, the sender knows and you do not. With this record large senders report each day what failed, and why.',
        remedy: {
          text: 'Name a mailbox for the reports, best one that a program reads.',
          records: [recordLine(facts)],
        },
      },
    ]
  },
}

export const tlsRptRecordInvalid: Rule = {
  id: 'tlsrpt-record-invalid',
  title: 'TLSRPT record that senders do not read',
  rfc: ['RFC 8460 §3'],
  needs: ['tlsrpt'],
  examine(facts) {
    const unknown = whyUnknown(facts)
    if (unknown) return [unknown]
    const seen = invalidity(facts)
    if (seen === undefined) return []
    return [
      {
        kind: 'fault',
        severity: 'warning',
        subject: subjectOf(facts),
        seen,
        why: 'Senders act as if there were no record, and send no reports.',
        remedy: {
          text: 'Leave exactly one record of this form. In an address, "," is written %2C, "!" %21 and ";" %3B.',
          records: [recordLine(facts)],
        },
      },
    ]
  },
}

function invalidity(facts: Facts): string | undefined {
  const where = `_smtp._tls.${facts.domain}`
  const selected = selectTlsrpt(textsAt(facts))
  if (selected.kind === 'several')
    return `There are ${selected.texts.length} records at ${where} that begin with "v=TLSRPTv1;".`
  if (selected.kind === 'none') {
    const meant = textsAt(facts).find(looksMeant)
    return (
      meant &&
      `The record at ${where}, "${printable(meant, 300)}", does not begin with "v=TLSRPTv1;", in this very case.`
    )
  }
  // A destination of another scheme is told by the rule about destinations, and is no fault of the form.
  const text = selected.text.replace(ruaField, (field, uris: string) => {
    const known = uris.split(',').map((part) => (isForeign(part.trim()) ? 'mailto:a@example.com' : part))
    return field.slice(0, field.length - uris.length) + known.join(',')
  })
  const parsed = parseTlsrpt(text)
  if (parsed.kind === 'tlsrpt') return undefined
  const problems = parsed.problems.map(({ message }) => message).slice(0, 5)
  return `The record at ${where}, "${printable(selected.text, 300)}", is not valid: ${problems.join('; ')}.`
}

const ruaField = /;[ \t]*rua=([^;]*)/

/** Destinations in the record that are URIs, and neither mailto: nor https:. */
function foreignUris(text: string): readonly string[] {
  const rua = ruaField.exec(text)?.[1] ?? ''
  return rua
    .split(',')
    .map((part) => part.trim())
    .filter(isForeign)
}

function isForeign(destination: string): boolean {
  const parsed = parseReportUri(destination, false)
  return parsed.kind === 'uri' && parsed.uri.scheme !== 'mailto' && parsed.uri.scheme !== 'https'
}

export const tlsRptDestinationDead: Rule = {
  id: 'tlsrpt-destination-dead',
  title: 'TLS reports go where nobody takes them',
  rfc: ['RFC 8460 §3', 'RFC 8460 §7'],
  needs: ['tlsrpt'],
  examine(facts) {
    const unknown = whyUnknown(facts)
    if (unknown) return [unknown]
    const selected = selectTlsrpt(textsAt(facts))
    if (selected.kind !== 'one') return []
    const foreign = foreignUris(selected.text).map((uri) =>
      dead(facts, `"${printable(uri, 200)}" is neither mailto: nor https:, which are all that senders know`),
    )
    return [...foreign, ...facts.tlsRpt.destinations.flatMap((one) => deadMailbox(facts, one))]
  },
}

function deadMailbox(
  facts: Facts,
  { domain, mx, a, aaaa }: Facts['tlsRpt']['destinations'][number],
): readonly Verdict[] {
  if (mx.kind === 'no-such-name') return [dead(facts, `the domain ${domain}, to which reports go, does not exist`)]
  if (mx.kind === 'answer') {
    const isNull = recordsOf(mx).every(({ data }) => data.exchange === rootWireName)
    return isNull ? [dead(facts, `the domain ${domain}, to which reports go, takes no mail (null MX)`)] : []
  }
  if (mx.kind === 'no-data' && isAbsent(a) && isAbsent(aaaa))
    return [dead(facts, `the domain ${domain}, to which reports go, has neither MX nor address`)]
  if (mx.kind === 'no-data' && (a.kind === 'answer' || aaaa.kind === 'answer')) return []
  const why = `It is not known whether ${domain} takes mail.`
  return [{ kind: 'undecided', subject: subjectOf(facts), reason: 'lookup-failed', why }]
}

const dead = (facts: Facts, what: string): Fault => ({
  kind: 'fault',
  severity: 'warning',
  subject: subjectOf(facts),
  seen: `In the TLSRPT record of ${facts.domain}, ${what}.`,
  why: 'Reports of failed TLS are lost, and you hear nothing of it.',
  remedy: { text: 'Name a mailbox that takes mail.', records: [recordLine(facts)] },
})
