/**
 * The TLS handshake behind STARTTLS: fails (tls-handshake-fails), still takes TLS 1.0 or 1.1 (tls-old-offered), agrees on a weak suite
 * (tls-cipher-weak), or needs SNI (tls-sni-required). Pages: docs/checks/tls-….md
 */
import { printable } from '../../../base/printable.ts'
import type { Handshake } from '../../../smtp/probe-facts.ts'
import { matchesHost, readCertificate } from '../../certificate.ts'
import type { Facts } from '../../facts.ts'
import type { Undecided, Verdict } from '../../finding.ts'
import { whoDemandsTls } from '../../policy-in-force.ts'
import { extraOf, isSecured, overVisits, securedOf, undecidedSaid, type Visit } from '../../read-sessions.ts'
import type { Rule } from '../../rule.ts'

export const tlsHandshakeFails: Rule = {
  id: 'tls-handshake-fails',
  title: 'TLS handshake that fails',
  rfc: ['RFC 9325 §3.1.1', 'RFC 8461 §7.1', 'RFC 8461 §7.2'],
  needs: ['smtp', 'mta-sts', 'tlsa'],
  examine: (facts) => overVisits(facts, (visit) => failure(facts, visit)),
}

/** A handshake is cut short by our own time too; one that had so long and brought nothing is a fault. */
const enoughMs = 10_000

function failure(facts: Facts, visit: Visit): readonly Verdict[] {
  const { subject, who, session, exchanger } = visit
  const { handshake } = session
  if (handshake.kind === 'secured') return []
  if (handshake.kind === 'not-said') return securedOf(visit) as readonly Undecided[]
  if (handshake.side === 'timeout' && handshake.tookMs < enoughMs) {
    return [{ kind: 'undecided', subject, reason: 'no-answer', why: 'The handshake was not over in time.' }]
  }
  const cause = causeOf(visit, handshake)
  const demanded = whoDemandsTls(facts, exchanger)
  return [
    {
      kind: 'fault',
      severity: demanded.length > 0 ? 'error' : 'warning',
      subject,
      seen: `The TLS handshake with ${who}, with TLS 1.2 or 1.3 and the name ${handshake.offer.serverName ?? '(none)'}, fails: ${printable(handshake.detail, 200)}. ${cause.told}`,
      why:
        demanded.length > 0
          ? `${demanded.join(' and ')} of this domain want TLS, so senders that look at it deliver nothing here.`
          : 'Senders fall back to no encryption, some after minutes, and those that insist on it do not deliver.',
      remedy: { text: cause.remedy, settings: cause.settings },
      data: { side: handshake.side, detail: handshake.detail },
    },
  ]
}

/** What the other handshakes of the visit, or this one, tell about the reason. */
function causeOf(visit: Visit, { side }: Extract<Handshake, { kind: 'failed' }>) {
  const works = (purpose: Parameters<typeof extraOf>[1]) => extraOf(visit, purpose)?.handshake.kind === 'secured'
  const versions = ['smtpd_tls_protocols = >=TLSv1.2', 'smtpd_tls_mandatory_protocols = >=TLSv1.2']
  if (works('without-sni')) {
    return {
      told: 'Without a name in the handshake (SNI) it succeeds.',
      remedy: 'Let the server answer names that it does not know with its default certificate.',
      settings: ['tls_server_sni_maps'],
    }
  }
  if (works('tls-1.2')) {
    return {
      told: 'With TLS 1.2 alone it succeeds.',
      remedy: 'Update what speaks TLS here, or switch TLS 1.3 off until it works.',
      settings: versions,
    }
  }
  if (works('old-tls')) {
    return {
      told: 'With TLS 1.1 or older it succeeds.',
      remedy: 'Switch TLS 1.2 and 1.3 on; the older versions must not be used any more (RFC 8996).',
      settings: versions,
    }
  }
  return {
    told:
      side === 'local'
        ? 'It was ended here, so the reason may be what this TLS library takes.'
        : 'No other way that was tried succeeds.',
    remedy:
      'Look into the log of the server for this handshake: key and certificate that do not belong together, or none at all.',
    settings: ['smtpd_tls_chain_files = /etc/ssl/private/mail.pem', 'smtpd_tls_loglevel = 1'],
  }
}

export const tlsOldOffered: Rule = {
  id: 'tls-old-offered',
  title: 'old TLS versions still offered',
  rfc: ['RFC 8996 §4', 'RFC 8996 §5', 'RFC 9325 §5.2'],
  needs: ['smtp'],
  examine: (facts) => overVisits(facts, oldVersions),
}

function oldVersions(visit: Visit): readonly Verdict[] {
  const { subject, who, smtp } = visit
  const secured = securedOf(visit)
  // Where the old ones are all that works, the failed handshake says so.
  if (!isSecured(secured)) return secured
  const extra = extraOf(visit, 'old-tls')
  if (!extra) return smtp.probe === 'polite' ? [notAsked(visit, 'Old versions are')] : []
  const { handshake } = extra
  if (handshake.kind === 'not-said') return [undecidedSaid(subject, handshake)]
  if (handshake.kind === 'failed') {
    if (handshake.side !== 'timeout') return []
    return [{ kind: 'undecided', subject, reason: 'no-answer', why: 'The handshake was not over in time.' }]
  }
  return [
    {
      kind: 'fault',
      severity: 'notice',
      subject,
      seen: `${who} still takes ${handshake.version === 'TLSv1' ? 'TLS 1.0' : 'TLS 1.1'}, beside ${secured.version.replace('v', ' ')}.`,
      why: 'TLS 1.0 and 1.1 must not be negotiated any more (RFC 8996). For mail they are still better than no encryption, which is what very old senders would use instead.',
      remedy: {
        text: 'Switch them off when no sender that you need uses them; the log shows the version of each connection.',
        settings: ['smtpd_tls_protocols = >=TLSv1.2'],
      },
      data: { version: handshake.version },
    },
  ]
}

const notAsked = ({ subject }: Visit, what: string): Undecided => ({
  kind: 'undecided',
  subject,
  reason: 'not-wanted',
  why: `${what} asked for only with the consent of the owner (full probe).`,
})

/** RFC 9325 §4.4 */
const leastDhBits = 2048

export const tlsCipherWeak: Rule = {
  id: 'tls-cipher-weak',
  title: 'weak cipher suite',
  rfc: ['RFC 9325 §4.1', 'RFC 9325 §4.2', 'RFC 9325 §4.4'],
  needs: ['smtp'],
  examine: (facts) => overVisits(facts, weakSuite),
}

/** Only what was agreed on: to try all suites is what gets an address banned. */
function weakSuite(visit: Visit): readonly Verdict[] {
  const { subject, who } = visit
  const secured = securedOf(visit)
  if (!isSecured(secured)) return secured
  const { version, cipher, keyExchange } = secured
  const name = printable(cipher.standardName || cipher.name, 80)
  const weaknesses: string[] = []
  if (version !== 'TLSv1.3') {
    if (!/^TLS_(?:EC)?DHE_/.test(cipher.standardName)) weaknesses.push('has no forward secrecy')
    if (!/_(?:GCM|CCM|CCM_8|CHACHA20_POLY1305)(?:_|$)/.test(cipher.standardName))
      weaknesses.push('is not authenticated as a whole (AEAD)')
  }
  if (keyExchange?.name === 'DH' && keyExchange.bits < leastDhBits)
    weaknesses.push(`exchanges keys with a group of ${keyExchange.bits} bits`)
  if (weaknesses.length === 0) return []
  return [
    {
      kind: 'fault',
      severity: 'notice',
      subject,
      seen: `${who} agrees on ${name}, which ${weaknesses.join(' and ')}.`,
      why: 'Who records the traffic today may read it later, when the key of the server is stolen or the suite is broken. It is what the server has chosen from all that modern senders offer.',
      remedy: {
        text: 'Let the server prefer ECDHE with AES-GCM or ChaCha20-Poly1305; best, switch TLS 1.3 on.',
        settings: [
          'smtpd_tls_protocols = >=TLSv1.2',
          'tls_preempt_cipherlist = no',
          'smtpd_tls_eecdh_grade = auto',
          'smtpd_tls_dh1024_param_file = auto',
        ],
      },
      data: { cipher: cipher.standardName, weaknesses },
    },
  ]
}

export const tlsSniRequired: Rule = {
  id: 'tls-sni-required',
  title: 'exchanger that needs a name in the handshake',
  rfc: ['RFC 7672 §8.1', 'RFC 8461 §7.1'],
  needs: ['smtp'],
  examine: (facts) => overVisits(facts, needsName),
}

function needsName(visit: Visit): readonly Verdict[] {
  const { subject, who, smtp, exchanger } = visit
  const secured = securedOf(visit)
  if (!isSecured(secured)) return secured
  // Nothing was said that could be left out.
  if (secured.offer.serverName === undefined) return []
  const extra = extraOf(visit, 'without-sni')
  if (!extra) return smtp.probe === 'polite' ? [notAsked(visit, 'A handshake without a name is')] : []
  const { handshake } = extra
  if (handshake.kind === 'not-said') return [undecidedSaid(subject, handshake)]
  if (handshake.kind === 'failed' && handshake.side === 'timeout')
    return [{ kind: 'undecided', subject, reason: 'no-answer', why: 'The handshake was not over in time.' }]
  const { host } = exchanger
  const names = (chain: readonly Buffer[]) => (chain[0] ? (readCertificate(chain[0])?.dnsNames ?? []) : [])
  const fits = (chain: readonly Buffer[]) => host !== undefined && names(chain).some((name) => matchesHost(name, host))
  const isUnusable = handshake.kind === 'secured' && fits(secured.chain) && !fits(handshake.chain)
  if (handshake.kind === 'secured' && !isUnusable) return []
  const what =
    handshake.kind === 'secured'
      ? `serves a certificate for ${printable(names(handshake.chain).slice(0, 5).join(', ') || 'no name', 200)}`
      : `ends the handshake: ${printable(handshake.detail, 200)}`
  return [
    {
      kind: 'fault',
      severity: 'notice',
      subject,
      seen: `Without a name in the handshake (SNI) ${who} ${what}.`,
      why: 'A server must not insist on SNI (RFC 7672 §8.1): senders that leave it out get no encryption, or a certificate that is none of this exchanger.',
      remedy: {
        text: `Make the certificate for ${host ?? 'the name in the MX record'} the default of the server.`,
        settings: ['smtpd_tls_chain_files (the default)', 'tls_server_sni_maps (the others)'],
      },
      data: { failed: handshake.kind === 'failed' },
    },
  ]
}
