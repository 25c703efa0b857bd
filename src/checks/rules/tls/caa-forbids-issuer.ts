/**
 * CAA records that do not allow the authority from which the exchanger's certificate comes: the next renewal will be refused.
 * Page: docs/checks/caa-forbids-issuer.md
 */
import { printable, printableBytes } from '../../../base/printable.ts'
import { nameText } from '../../../dns/wire-name.ts'
import { trustOf } from '../../certificate.ts'
import type { ExchangerFacts, Facts, NamedView } from '../../facts.ts'
import { type Undecided, undecided, type Verdict } from '../../finding.ts'
import { exchangerSubject, plainName, recordsOf } from '../../read-facts.ts'
import { chainsOf, isSecured, securedOf, type Visit, visitsOf } from '../../read-sessions.ts'
import type { Context, Rule } from '../../rule.ts'
import { caaNamesOf } from './issuer-names.ts'

export const caaForbidsIssuer: Rule = {
  id: 'caa-forbids-issuer',
  title: 'CAA that forbids the present issuer',
  rfc: ['RFC 8659 §3', 'RFC 8659 §4.2'],
  needs: ['smtp', 'caa'],
  examine: (facts, context) => facts.exchangers.flatMap((exchanger) => ofExchanger(facts, exchanger, context)),
}

function ofExchanger(facts: Facts, exchanger: ExchangerFacts, context: Context): readonly Verdict[] {
  const subject = exchangerSubject(exchanger)
  const { caa } = exchanger
  if ('kind' in caa)
    return caa.reason === 'depends-on-failed' || caa.reason === 'not-applicable' ? [] : [undecided(subject, caa)]
  const policy = relevantSet(caa)
  if (policy === undefined) return []
  if (policy.view.kind !== 'answer') {
    return [
      {
        kind: 'undecided',
        subject,
        reason: 'lookup-failed',
        why: `CAA of ${plainName(policy.name)} could not be looked up.`,
      },
    ]
  }
  const visit = visitsOf(facts).find((one) => one.exchanger === exchanger && isSecured(securedOf(one)))
  if (!visit) return [noCertificate(exchanger)]
  return judge(visit, policy, context)
}

/** RFC 8659 §3: the first set on the way up from the name counts; a look-up that failed is no "nothing there". */
function relevantSet(caa: readonly NamedView<'CAA'>[]): NamedView<'CAA'> | undefined {
  return caa.find(({ view }) => view.kind === 'answer' || view.kind === 'failed' || view.kind === 'not-examined')
}

const noCertificate = (exchanger: ExchangerFacts): Undecided => ({
  kind: 'undecided',
  subject: exchangerSubject(exchanger),
  reason: 'depends-on-failed',
  why: 'It is not known which authority its certificate comes from.',
})

function judge(visit: Visit, { name, view }: NamedView<'CAA'>, { roots }: Context): readonly Verdict[] {
  const { exchanger, who } = visit
  const chain = chainsOf(visit)[0]?.chain ?? []
  const trust = trustOf(chain, roots)
  // What no public authority has issued does not ask CAA.
  if (trust.kind !== 'trusted') return []
  const leaf = trust.path[0]
  const issuer = leaf && caaNamesOf(leaf.x509.issuer ?? '')
  if (!leaf || !issuer) {
    const why = 'It is not known by which name its authority goes in CAA.'
    return [{ kind: 'undecided', subject: exchangerSubject(exchanger), reason: 'not-applicable', why }]
  }
  const isWildcard =
    exchanger.host !== undefined &&
    !leaf.dnsNames.includes(exchanger.host) &&
    leaf.dnsNames.some((one) => one.startsWith('*.'))
  const allowed = allowedBy(view, isWildcard)
  if (allowed === undefined || allowed.some((one) => issuer.names.includes(one))) return []
  const organisation = printable(issuer.organisation, 100)
  return [
    {
      kind: 'fault',
      severity: 'notice',
      subject: exchangerSubject(exchanger),
      seen: `${who} serves a certificate of "${organisation}", and CAA of ${plainName(name)} allows ${allowed.length > 0 ? printableBytes(Buffer.from(allowed.slice(0, 8).join(', ')), 200) : 'nobody'}.`,
      why: 'The certificate stays good until it ends; then the authority must refuse to renew it, and TLS of this exchanger ends with it.',
      remedy: {
        text: `Allow "${organisation}" in CAA, or move to an authority that is allowed.`,
        records: [`${nameText(name)} IN CAA 0 ${isWildcard ? 'issuewild' : 'issue'} "${issuer.names[0] ?? ''}"`],
      },
      data: { issuer: issuer.organisation, allowed },
    },
  ]
}

/** The authorities that may issue, or undefined where all may (RFC 8659 §4.2, §4.3): `issuewild` goes before `issue` for wildcards. */
function allowedBy(view: NamedView<'CAA'>['view'], isWildcard: boolean): readonly string[] | undefined {
  const records = recordsOf(view).map(({ data }) => ({ ...data, tag: data.tag.toLowerCase() }))
  const known = ['issue', 'issuewild', 'iodef', 'issuemail', 'issuevmc', 'contactemail', 'contactphone']
  // RFC 8659 §4.1: a critical property that an authority does not know forbids it.
  if (records.some(({ flags, tag }) => (flags & 0x80) !== 0 && !known.includes(tag))) return []
  const wild = records.filter(({ tag }) => tag === 'issuewild')
  const relevant = isWildcard && wild.length > 0 ? wild : records.filter(({ tag }) => tag === 'issue')
  if (relevant.length === 0) return undefined
  return relevant.flatMap(({ value }) => {
    const domain = value.toString('latin1').split(';')[0]?.trim().toLowerCase() ?? ''
    return domain === '' ? [] : [domain]
  })
}
