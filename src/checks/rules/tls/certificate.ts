/**
 * The certificate that an exchanger serves: its dates (tls-certificate-expired, tls-certificate-ends-soon), whether it leads to a public root
 * (tls-certificate-untrusted, tls-chain-incomplete), and its names (tls-certificate-name). How bad it is hangs on who looks at it: nobody
 * without a policy, everybody under MTA-STS, DANE by its usage. Pages: docs/checks/tls-….md
 */
import { printable } from '../../../base/printable.ts'
import type { HostName } from '../../../dns/name.ts'
import { type Certificate, matchesHost, pathOf, type Trust, trustOf } from '../../certificate.ts'
import type { Facts } from '../../facts.ts'
import type { Fault, Severity, Verdict } from '../../finding.ts'
import { certificateSeverity } from '../../policy-in-force.ts'
import { chainsOf, isSecured, overVisits, securedOf, type Visit } from '../../read-sessions.ts'
import type { Context, Rule } from '../../rule.ts'

const needs = ['smtp', 'mta-sts', 'tlsa'] as const

type Told = Pick<Fault, 'seen' | 'remedy' | 'data'>

interface Served {
  readonly visit: Visit
  readonly sent: readonly Buffer[]
  readonly path: readonly Certificate[]
  readonly leaf: Certificate
  readonly nowMs: number
}

/** Asks `tell` of each chain that an address has served, and says how bad what it tells is; the worst where there are two. */
function overChains(
  facts: Facts,
  isAnchorEnough: boolean,
  tell: (served: Served) => Told | undefined,
  why: Readonly<Record<'error' | 'notice', string>>,
  soften: (severity: 'error' | 'notice') => Severity = (severity) => severity,
): readonly Verdict[] {
  return overVisits(facts, (visit) => {
    const secured = securedOf(visit)
    if (!isSecured(secured)) return secured
    const faults = chainsOf(visit).flatMap(({ chain }): Fault[] => {
      const path = pathOf(chain)
      const [leaf] = path
      const told = leaf && tell({ visit, sent: chain, path, leaf, nowMs: visit.session.startedAtMs })
      const harm = told && certificateSeverity(facts, visit.exchanger, chain, isAnchorEnough)
      if (harm !== 'error' && harm !== 'notice') return []
      return told ? [{ kind: 'fault', severity: soften(harm), subject: visit.subject, why: why[harm], ...told }] : []
    })
    return faults.slice(0, 1)
  })
}

const whyByPolicy = (fault: string) => ({
  error: `Senders that follow the policy of this domain look at the certificate, and ${fault}: they deliver nothing here.`,
  notice: `No policy makes senders look at the certificate, so mail flows. With MTA-STS in enforce they would look, and ${fault}: then nothing is delivered here.`,
})

/** Text of others, on one line. */
const shown = (text: string) => `"${printable(text.replaceAll('\n', ', '), 200)}"`

const nameOf = ({ x509 }: Certificate) => shown(x509.subject ?? '')

const dateText = (ms: number) => new Date(ms).toISOString().slice(0, 16).replace('T', ' ')

/** Clocks of servers that have just got a certificate may be ahead of ours. */
const clockSkewMs = 10 * 60_000

export const tlsCertificateExpired: Rule = {
  id: 'tls-certificate-expired',
  title: 'certificate outside of its dates',
  rfc: ['RFC 5280 §6.1.3', 'RFC 8461 §4.2'],
  needs,
  examine: (facts) =>
    overChains(facts, false, outOfDate, whyByPolicy('a certificate outside of its dates is not good')),
}

function outOfDate({ visit, path, nowMs }: Served): Told | undefined {
  const wrong = path.find(({ notAfterMs, notBeforeMs }) => notAfterMs < nowMs || notBeforeMs > nowMs + clockSkewMs)
  if (!wrong) return undefined
  const isOver = wrong.notAfterMs < nowMs
  const when = isOver ? `has expired on ${dateText(wrong.notAfterMs)}` : `begins on ${dateText(wrong.notBeforeMs)} only`
  return {
    seen: `${visit.who} serves the certificate of ${nameOf(wrong)}, which ${when} UTC.`,
    remedy: {
      text: isOver
        ? 'Renew the certificate, let the server read the new one, and see why the renewal did not come about by itself.'
        : 'See that the clock of the server is right, or serve the certificate before this one until it begins.',
      settings: ['certbot renew --deploy-hook "systemctl reload postfix"'],
    },
    data: { notAfter: dateText(wrong.notAfterMs), notBefore: dateText(wrong.notBeforeMs) },
  }
}

const soonMs = 21 * 86_400_000
const soonShare = 0.2

/** A share of its own life, because some live a week and some a year. */
export function endsSoon({ notBeforeMs, notAfterMs }: Certificate, nowMs: number): boolean {
  const leftMs = notAfterMs - nowMs
  return leftMs >= 0 && leftMs < soonMs && leftMs < soonShare * (notAfterMs - notBeforeMs)
}

export const tlsCertificateEndsSoon: Rule = {
  id: 'tls-certificate-ends-soon',
  title: 'certificate that ends soon',
  rfc: ['RFC 8461 §4.2'],
  needs,
  examine: (facts) =>
    overChains(
      facts,
      false,
      ending,
      {
        error:
          'When it has expired, senders that follow the policy of this domain deliver nothing here. A renewal that works by itself is done by now.',
        notice:
          'No policy makes senders look at the certificate, so mail flows on; but a renewal that works by itself is done by now.',
      },
      (severity) => (severity === 'error' ? 'warning' : 'notice'),
    ),
}

function ending({ visit, leaf, nowMs }: Served): Told | undefined {
  if (!endsSoon(leaf, nowMs)) return undefined
  const hours = Math.floor((leaf.notAfterMs - nowMs) / 3_600_000)
  const left = hours < 48 ? `${hours} hours` : `${Math.floor(hours / 24)} days`
  return {
    seen: `The certificate that ${visit.who} serves ends on ${dateText(leaf.notAfterMs)} UTC, in ${left}.`,
    remedy: {
      text: 'Renew it, and see that the server reads the new one: often the file is renewed and the server still serves the old one from memory.',
      settings: ['certbot renew --deploy-hook "systemctl reload postfix"'],
    },
    data: { notAfter: dateText(leaf.notAfterMs), hoursLeft: hours },
  }
}

export const tlsCertificateUntrusted: Rule = {
  id: 'tls-certificate-untrusted',
  title: 'certificate that no public root stands for',
  rfc: ['RFC 8461 §4.2'],
  needs,
  examine: (facts, context) =>
    overChains(
      facts,
      true,
      (served) => untrusted(served, context),
      whyByPolicy('a certificate that no public authority has issued is not good'),
    ),
}

function untrusted({ visit, sent, path }: Served, { roots }: Context): Told | undefined {
  const trust = trustOf(sent, roots)
  const what = describeTrust(trust, path)
  if (what === undefined) return undefined
  return {
    seen: `${visit.who} serves a certificate that ${what}.`,
    remedy: {
      text: `Have a certificate issued for ${visit.exchanger.host ?? 'the name in the MX record'} by a public authority, and serve it with its intermediates. A private one is right with DANE alone, as TLSA 3 1 1.`,
      settings: [
        `certbot certonly --standalone -d ${visit.exchanger.host ?? 'mx.example.com'}`,
        'smtpd_tls_chain_files = /etc/ssl/private/mail.pem',
      ],
    },
    data: { trust: trust.kind },
  }
}

function describeTrust(trust: Trust, path: readonly Certificate[]): string | undefined {
  const end = path.at(-1)
  if (trust.kind === 'self-signed') return 'is signed by itself'
  if (trust.kind === 'unknown-root')
    return `leads to ${end ? nameOf(end) : 'a root'}, which is none of the public roots`
  return trust.kind === 'unreadable' ? 'cannot be read' : undefined
}

export const tlsChainIncomplete: Rule = {
  id: 'tls-chain-incomplete',
  title: 'intermediate certificate that is not sent',
  rfc: ['RFC 5246 §7.4.2', 'RFC 8446 §4.4.2'],
  needs,
  examine: (facts, context) =>
    overChains(facts, true, (served) => incomplete(served, context), whyByPolicy('they cannot find the way to a root')),
}

function incomplete({ visit, sent }: Served, { roots }: Context): Told | undefined {
  const trust = trustOf(sent, roots)
  const last = trust.kind === 'incomplete' ? trust.path.at(-1) : undefined
  if (!last) return undefined
  const from = /CA Issuers - URI:(\S+)/.exec(last.x509.infoAccess ?? '')?.[1]
  const issuer = shown(last.x509.issuer ?? '')
  return {
    seen: `${visit.who} serves the certificate of ${nameOf(last)} without that of its issuer, ${issuer}, which is no public root.`,
    remedy: {
      text: `Put the certificate of ${issuer} behind that of the server in the file that it reads${from ? `; it is at ${printable(from, 200)}` : ''}. Browsers remember intermediates, mail servers do not.`,
      settings: ['smtpd_tls_chain_files = key, certificate, intermediates (certbot: privkey.pem, fullchain.pem)'],
    },
    data: { issuer: last.x509.issuer ?? '' },
  }
}

export const tlsCertificateName: Rule = {
  id: 'tls-certificate-name',
  title: 'certificate for another name',
  rfc: ['RFC 8461 §4.2', 'RFC 9525 §6.3'],
  needs,
  examine: (facts) => overChains(facts, false, misnamed, whyByPolicy('a certificate for another name is not good')),
}

/** The reference is the name in the MX record: not the mail domain, not the end of an alias. The common name counts for nothing. */
function misnamed({ visit, leaf }: Served): Told | undefined {
  const { host } = visit.exchanger
  if (host === undefined || leaf.dnsNames.some((name) => matchesHost(name, host))) return undefined
  return {
    seen: `${visit.who} serves a certificate for ${namesText(leaf, host)}.`,
    remedy: {
      text: `Have a certificate issued that has ${host} among its DNS names, or name the host in the MX record as the certificate does.`,
      settings: [`certbot certonly --standalone -d ${host}`],
    },
    data: { names: leaf.dnsNames.slice(0, 20), host },
  }
}

const mostNames = 5

/** `"a", "b", and not for host`, or that it has none. */
export function namesText(
  { dnsNames, commonName }: Pick<Certificate, 'dnsNames' | 'commonName'>,
  host: HostName,
): string {
  const names = dnsNames.slice(0, mostNames).map(shown).join(', ')
  if (dnsNames.length > mostNames) return `${names} and ${dnsNames.length - mostNames} more, and not for ${host}`
  if (dnsNames.length > 0) return `${names}, and not for ${host}`
  const common = commonName === undefined ? '' : `; its common name, ${shown(commonName)}, does not count`
  return `no DNS name at all${common}`
}
