/**
 * Certificates with keys or signatures that are too weak to prove anything: RSA under 2048 bits; MD5 or SHA-1 below the root.
 * Page: docs/checks/tls-key-weak.md
 */
import { printable } from '../../../base/printable.ts'
import { type Certificate, pathOf } from '../../certificate.ts'
import type { ExchangerAddress, ExchangerFacts } from '../../facts.ts'
import { undecided, type Verdict } from '../../finding.ts'
import { addressSubject, everyAddress, plainName } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'

/** RFC 9325 §4.5. */
const leastRsaBits = 2048

export const tlsKeyWeak: Rule = {
  id: 'tls-key-weak',
  title: 'certificate with a weak key or signature',
  rfc: ['RFC 9325 §4.5'],
  needs: ['smtp'],
  examine: (facts) => everyAddress(facts).flatMap(({ exchanger, at }) => ofAddress(exchanger, at)),
}

function ofAddress(exchanger: ExchangerFacts, { address, smtp }: ExchangerAddress): Verdict[] {
  const subject = addressSubject(exchanger, address)
  if (smtp.kind === 'not-examined') return smtp.reason === 'not-applicable' ? [] : [undecided(subject, smtp)]
  const handshakes = smtp.sessions.flatMap((session) => [
    session.handshake,
    ...session.extras.map((extra) => extra.handshake),
  ])
  const weak = new Set(
    handshakes.flatMap((handshake) =>
      handshake.kind === 'secured' ? pathOf(handshake.chain).flatMap(weaknesses) : [],
    ),
  )
  if (weak.size === 0) return []
  return [
    {
      kind: 'fault',
      severity: 'warning',
      subject,
      seen: `${plainName(exchanger.name)} (${address}) serves ${[...weak].join(' and ')}.`,
      why: 'Such a key or signature can be forged with effort that many can afford, and newer TLS libraries refuse it: those senders fall back to no encryption, or do not deliver.',
      remedy: {
        text: `Have a certificate issued for a new key (RSA of ${leastRsaBits} bits or more, or ECDSA P-256), signed with SHA-256, and serve it with its chain.`,
      },
      data: { weaknesses: [...weak] },
    },
  ]
}

function weaknesses(certificate: Certificate): string[] {
  const { key, signature, isSelfIssued, x509 } = certificate
  const who = `the certificate of "${printable(x509.subject.replaceAll('\n', ', '), 200)}"`
  const found: string[] = []
  if (key.kind === 'rsa' && key.bits < leastRsaBits) found.push(`${who} with an RSA key of ${key.bits} bits`)
  // A root is trusted because it is known: the signature that it puts under itself proves nothing anyway.
  if (!isSelfIssued && /md5|sha-?1(?!\d)/i.test(signature)) found.push(`${who} signed with ${printable(signature, 60)}`)
  return found
}
