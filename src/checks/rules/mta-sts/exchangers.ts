/**
 * The exchangers under the policy (RFC 8461 §4): not named by it (sts-exchanger-uncovered), or without the TLS and the certificate that it wants
 * (sts-exchanger-unverified). Pages: docs/checks/sts-….md
 */
import { type StsPolicy, stsCover } from '../../../records/mta-sts.ts'
import { matchesHost, pathOf, trustOf } from '../../certificate.ts'
import type { ExchangerFacts, Facts } from '../../facts.ts'
import type { Fault, Severity, Verdict } from '../../finding.ts'
import { exchangerSubject, plainName } from '../../read-facts.ts'
import { chainsOf, isSecured, offersStartTls, overVisits, securedOf, type Visit } from '../../read-sessions.ts'
import type { Context, Rule } from '../../rule.ts'
import { overPolicy, policySubject } from './policy.ts'

const severityOf = ({ mode }: StsPolicy): Severity => (mode === 'enforce' ? 'error' : 'warning')

const effectOf = ({ mode }: StsPolicy) =>
  mode === 'enforce'
    ? 'Senders that follow MTA-STS never deliver to it.'
    : 'In mode testing senders deliver all the same and report it; with enforce they would not deliver.'

function coverOf(policy: StsPolicy): (exchanger: ExchangerFacts) => boolean {
  const isCovered = stsCover(policy)
  return ({ host }) => host !== undefined && isCovered(host)
}

export const stsExchangerUncovered: Rule = {
  id: 'sts-exchanger-uncovered',
  title: 'exchanger that the MTA-STS policy does not name',
  rfc: ['RFC 8461 §4.1', 'RFC 8461 §5', 'RFC 8461 §8.4'],
  needs: ['mta-sts'],
  examine: (facts) => overPolicy(facts, (policy) => uncovered(facts, policy)),
}

function uncovered(facts: Facts, policy: StsPolicy): readonly Verdict[] {
  if (policy.mode === 'none') return []
  const { mx } = facts
  if (mx.kind === 'failed' || mx.kind === 'not-examined')
    return [
      {
        kind: 'undecided',
        subject: policySubject(facts),
        reason: 'lookup-failed',
        why: 'The exchangers are not known.',
      },
    ]
  const best = Math.min(...facts.exchangers.map(({ preferences }) => preferences[0] ?? 0))
  const isCovered = coverOf(policy)
  return (
    facts.exchangers
      // A name that no host can have gets no mail whatever the policy names: the rules of MX targets say so.
      .filter((exchanger) => exchanger.host !== undefined && !isCovered(exchanger))
      .map((exchanger): Fault => {
        const name = plainName(exchanger.name)
        const isBackup = (exchanger.preferences[0] ?? 0) > best
        return {
          kind: 'fault',
          severity: severityOf(policy),
          subject: exchangerSubject(exchanger),
          seen: `No "mx" line of the policy at mta-sts.${facts.domain} matches ${name}.`,
          why: `${effectOf(policy)}${isBackup ? ' It shows only when the better exchangers fail: then mail waits, and comes back.' : ''}`,
          remedy: {
            text: 'Name the exchanger as the MX record does ("*." stands for exactly one label), then change the id of the record.',
            settings: [`mx: ${name}`],
          },
          data: { isBackup },
        }
      })
  )
}

export const stsExchangerUnverified: Rule = {
  id: 'sts-exchanger-unverified',
  title: 'exchanger that does not keep the MTA-STS policy',
  rfc: ['RFC 8461 §4.2', 'RFC 8461 §5'],
  needs: ['mta-sts', 'smtp'],
  examine: (facts, context) =>
    overPolicy(facts, (policy) => {
      if (policy.mode === 'none') return []
      // One that is not covered is told as such.
      const exchangers = facts.exchangers.filter(coverOf(policy))
      return overVisits({ ...facts, exchangers }, (visit) => verify(visit, policy, context))
    }),
}

/** DANE that is in order excuses nothing: there are senders that know MTA-STS alone. */
function verify(visit: Visit, policy: StsPolicy, context: Context): readonly Verdict[] {
  const secured = securedOf(visit)
  const isOpen = offersStartTls(visit.session) === false
  const { handshake } = visit.session
  if (!isSecured(secured) && !isOpen && handshake.kind !== 'failed') return secured
  const wrong = isSecured(secured)
    ? chainsOf(visit).flatMap(({ chain }) => faultsOf(visit, chain, context))
    : [isOpen ? 'does not offer STARTTLS' : 'fails in the TLS handshake']
  const { host } = visit.exchanger
  if (wrong.length === 0) return []
  return [
    {
      kind: 'fault',
      severity: severityOf(policy),
      subject: visit.subject,
      seen: `${visit.who} ${[...new Set(wrong)].join(', and ')}.`,
      why: effectOf(policy),
      remedy: {
        text: `Let it offer STARTTLS with a certificate of a public authority for ${host ?? 'its name in the MX record'}, and its intermediates. Until then, change the policy to mode testing, with a new id.`,
        settings: [
          `certbot certonly --standalone -d ${host ?? 'mx.example.com'}`,
          'smtpd_tls_chain_files = /etc/ssl/private/mail.pem',
          'mode: testing',
        ],
      },
      data: { wrong: [...new Set(wrong)] },
    },
  ]
}

function faultsOf({ exchanger, session }: Visit, chain: readonly Buffer[], { roots }: Context): string[] {
  const path = pathOf(chain)
  const [leaf] = path
  if (!leaf) return ['serves a certificate that cannot be read']
  const { host } = exchanger
  const wrong: string[] = []
  if (trustOf(chain, roots).kind !== 'trusted') wrong.push('serves a certificate that leads to no public root')
  if (path.some(({ notAfterMs, notBeforeMs }) => notAfterMs < session.startedAtMs || notBeforeMs > session.startedAtMs))
    wrong.push('serves a certificate outside of its dates')
  if (host !== undefined && !leaf.dnsNames.some((name) => matchesHost(name, host)))
    wrong.push(`serves a certificate that is not for ${host}`)
  return wrong
}
