/**
 * DMARC of the domain, found by the walk up the tree (RFC 9989 §4.10): absent (dmarc-missing), several at one name (dmarc-ambiguous), not to be read
 * (dmarc-malformed), asking for nothing (dmarc-not-enforced), reporting where nobody agreed (dmarc-report-unauthorised); and BIMI, which needs it
 * (bimi-without-enforcement). Pages: docs/checks/….md
 */
import { printable } from '../../../base/printable.ts'
import type { HostName } from '../../../dns/name.ts'
import { nameFromHost, sameName } from '../../../dns/wire-name.ts'
import { type DmarcPolicy, parseDmarc, selectDmarc } from '../../../records/dmarc.ts'
import { type DmarcDiscovery, effectivePolicy } from '../../../records/dmarc-discovery.ts'
import type { Facts, View } from '../../facts.ts'
import { type Subject, type Undecided, undecided, type Verdict } from '../../finding.ts'
import { isAbsent } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { latin1TextsOf, whyNoText } from './unknown-text.ts'

const subjectOf = (domain: HostName): Subject => ({ kind: 'record', name: `_dmarc.${domain}`, type: 'TXT' })

type Known = Exclude<DmarcDiscovery, { kind: 'failed' }>

function overDiscovery(facts: Facts, judge: (discovery: Known) => readonly Verdict[]): readonly Verdict[] {
  const { discovery } = facts.dmarc
  const subject = subjectOf(facts.domain)
  if (discovery.kind === 'not-examined') return [undecided(subject, discovery)]
  if (discovery.kind !== 'failed') return judge(discovery)
  const failure: Undecided = { kind: 'undecided', subject, reason: 'lookup-failed', why: `TXT: ${discovery.why}.` }
  return [failure]
}

/** What stands at `_dmarc` of this domain, where it was asked. */
function textsAt(facts: Facts, domain: string): readonly string[] {
  const wanted = nameFromHost(`_dmarc.${domain}` as HostName)
  const seen = facts.dmarc.walk.find(({ name }) => sameName(name, wanted))
  return seen ? latin1TextsOf(seen.view) : []
}

const exampleRecord = ({ domain }: Facts) => `_dmarc.${domain}. IN TXT "v=DMARC1; p=none; rua=mailto:dmarc@${domain}"`

export const dmarcMissing: Rule = {
  id: 'dmarc-missing',
  title: 'no DMARC',
  rfc: ['RFC 9989 §4.10'],
  needs: ['senders'],
  examine: (facts) =>
    overDiscovery(facts, ({ kind, asked }) => {
      const isTold = asked.some(
        ({ domain, found }) => found === 'several' || found === 'invalid' || meantAt(facts, domain).length > 0,
      )
      if (kind !== 'none' || isTold || facts.mx.kind === 'no-such-name') return []
      return [
        {
          kind: 'fault',
          severity: 'notice',
          subject: subjectOf(facts.domain),
          seen: `There is no DMARC record at _dmarc.${facts.domain}${asked.length > 1 ? ' or above it' : ''}.`,
          why: 'Nothing tells receivers what to do with forged mail in the name of the domain, and large ones want a record from who sends much.',
          remedy: {
            text: 'Begin with reports alone, then go on to quarantine and reject when all that you send passes.',
            records: [exampleRecord(facts)],
          },
        },
      ]
    }),
}

export const dmarcAmbiguous: Rule = {
  id: 'dmarc-ambiguous',
  title: 'several DMARC records at one name',
  rfc: ['RFC 9989 §4.10'],
  needs: ['senders'],
  examine: (facts) =>
    overDiscovery(facts, (discovery) =>
      discovery.asked
        .filter(({ found }) => found === 'several')
        .map(({ domain }) => ({
          kind: 'fault',
          severity: 'warning',
          subject: subjectOf(domain),
          seen: `There are ${selectedCount(facts, domain)} DMARC records at _dmarc.${domain}. ${discovery.kind === 'found' ? `Receivers drop them and take that of ${discovery.at}.` : 'Receivers drop all of them, and there is none above.'}`,
          why: 'Receivers take none of several: the domain has another policy than it says, or none.',
          remedy: { text: 'Leave exactly one.', records: [exampleRecord(facts)] },
        })),
    ),
}

function selectedCount(facts: Facts, domain: HostName): number {
  const selected = selectDmarc(textsAt(facts, domain))
  return selected.kind === 'several' ? selected.texts.length : 2
}

/** Texts that were meant to be records, and that receivers do not take for ones: the version is not first, or in another case. */
const meantAt = (facts: Facts, domain: string) =>
  textsAt(facts, domain).filter(
    (text) => /(?:^|;)\s*(?:"\s*)?v\s*=\s*DMARC\s*1/i.test(text) && selectDmarc([text]).kind === 'none',
  )

export const dmarcMalformed: Rule = {
  id: 'dmarc-malformed',
  title: 'DMARC record that receivers do not take',
  rfc: ['RFC 9989 §4.7', 'RFC 9989 §4.10.1'],
  needs: ['senders'],
  examine: (facts) =>
    overDiscovery(facts, ({ asked }) =>
      asked.flatMap(({ domain, found }): Verdict[] => {
        const texts = found === 'invalid' ? textsAt(facts, domain) : found === 'none' ? meantAt(facts, domain) : []
        const [text] = found === 'invalid' ? texts.filter((one) => selectDmarc([one]).kind === 'one') : texts
        if (text === undefined) return []
        const parsed = parseDmarc(text)
        const why = parsed.kind === 'invalid' ? parsed.problems.map(({ message }) => message).slice(0, 5) : []
        return [
          {
            kind: 'fault',
            severity: 'warning',
            subject: subjectOf(domain),
            seen: `The record at _dmarc.${domain}, "${printable(text, 500)}", is not valid: ${why.join('; ') || 'it is not taken for a record'}.`,
            why: 'Receivers act as if it were not there.',
            remedy: {
              text: 'Begin with "v=DMARC1;", in this very case, and say "p" right behind it.',
              records: [exampleRecord(facts)],
            },
          },
        ]
      }),
    ),
}

export const dmarcNotEnforced: Rule = {
  id: 'dmarc-not-enforced',
  title: 'DMARC that asks for nothing',
  rfc: ['RFC 9989 §4.7'],
  needs: ['senders'],
  examine: (facts) =>
    overDiscovery(facts, (discovery) => {
      if (discovery.kind !== 'found') return []
      const weak = weaknessesOf(facts, discovery)
      if (weak.length === 0) return []
      return [
        {
          kind: 'fault',
          severity: 'notice',
          subject: subjectOf(discovery.at),
          seen: `The DMARC record at _dmarc.${discovery.at} ${weak.join(', and ')}.`,
          why: 'Forged mail in these names is delivered as if there were no DMARC.',
          remedy: {
            text: 'When the reports show that all that you send passes, ask for more.',
            records: [`_dmarc.${discovery.at}. IN TXT "v=DMARC1; p=quarantine; rua=mailto:dmarc@${discovery.at}"`],
          },
          data: { weak },
        },
      ]
    }),
}

function weaknessesOf(facts: Facts, { at, record }: Extract<Known, { kind: 'found' }>): string[] {
  const weak: string[] = []
  if (policyOf(facts, { at, record }) === 'none') weak.push(`asks for nothing for mail from ${facts.domain} (none)`)
  if (record.isTest) weak.push('is in test (t=y), which takes one step off the policy')
  // Of one that is inherited, subdomains of the owner's are another matter.
  if (at === facts.domain && record.policy !== undefined && record.policy !== 'none') {
    if (record.subdomainPolicy === 'none') weak.push('asks for nothing for subdomains (sp=none)')
    if (record.nonexistentPolicy === 'none') weak.push('asks for nothing for subdomains that do not exist (np=none)')
  }
  return weak
}

const policyOf = (
  facts: Facts,
  { at, record }: Pick<Extract<Known, { kind: 'found' }>, 'at' | 'record'>,
): DmarcPolicy => effectivePolicy(facts.domain, at, record, facts.mx.kind !== 'no-such-name')

export const dmarcReportUnauthorised: Rule = {
  id: 'dmarc-report-unauthorised',
  title: 'DMARC reports go to who has not agreed',
  rfc: ['RFC 9990', 'RFC 7489 §7.1'],
  needs: ['senders'],
  examine: (facts) =>
    facts.dmarc.reportConsents.flatMap(({ destination, txt }): Verdict[] => {
      const name = `${facts.domain}._report._dmarc.${destination}`
      const subject: Subject = { kind: 'record', name, type: 'TXT' }
      const unknown = whyNoText(subject, txt)
      if (unknown) return [unknown]
      // Several are allowed there, and a wildcard counts.
      if (!isAbsent(txt) && latin1TextsOf(txt).some((text) => /^v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)/.test(text)))
        return []
      return [
        {
          kind: 'fault',
          severity: 'warning',
          subject,
          seen: `DMARC reports of ${facts.domain} are to go to ${destination}, which has no record at ${name}.`,
          why: 'Without it receivers send no reports there, so that nobody can be flooded with those of others.',
          remedy: {
            text: `Ask who keeps ${destination} to publish it, or name a mailbox of your own.`,
            records: [`${name}. IN TXT "v=DMARC1"`],
          },
        },
      ]
    }),
}

export const bimiWithoutEnforcement: Rule = {
  id: 'bimi-without-enforcement',
  title: 'BIMI without a DMARC policy that it needs',
  rfc: ['draft-brand-indicators-for-message-identification'],
  needs: ['senders'],
  examine(facts) {
    const { bimi } = facts
    const subject: Subject = { kind: 'record', name: `default._bimi.${facts.domain}`, type: 'TXT' }
    const unknown = whyNoText(subject, bimi)
    if (unknown) return [unknown]
    if (!hasBimi(bimi)) return []
    return overDiscovery(facts, (discovery) => {
      const policy = discovery.kind === 'found' ? policyOf(facts, discovery) : 'none'
      const isTest = discovery.kind === 'found' && discovery.record.isTest
      if (policy === 'reject' || (policy === 'quarantine' && !isTest)) return []
      return [
        {
          kind: 'fault',
          severity: 'notice',
          subject,
          seen: `There is a BIMI record at default._bimi.${facts.domain}, and DMARC of the domain ${discovery.kind === 'found' ? `asks for ${policy}${isTest ? ', in test' : ''}` : 'is not there'}.`,
          why: 'Mail programs show the logo only where DMARC asks for quarantine or reject.',
          remedy: {
            text: 'Raise the DMARC policy, or take the BIMI record out.',
            records: [`_dmarc.${facts.domain}. IN TXT "v=DMARC1; p=quarantine; rua=mailto:dmarc@${facts.domain}"`],
          },
        },
      ]
    })
  },
}

const hasBimi = (bimi: View<'TXT'>) => latin1TextsOf(bimi).some((text) => /^v[ \t]*=[ \t]*BIMI1\b/i.test(text))
