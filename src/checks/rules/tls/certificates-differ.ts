/**
 * One exchanger with several certificates: other ones at other addresses, or one for RSA and one for ECDSA. Each of them must fit the TLSA
 * records and the MTA-STS policy, and somebody who looks sees one alone. Page: docs/checks/tls-certificates-differ.md
 */
import { createHash } from 'node:crypto'
import { readCertificate } from '../../certificate.ts'
import type { Verdict } from '../../finding.ts'
import { exchangerSubject, plainName } from '../../read-facts.ts'
import { chainsOf, isSecured, overVisits, securedOf, type Visit, visitsOf } from '../../read-sessions.ts'
import type { Rule } from '../../rule.ts'

export const tlsCertificatesDiffer: Rule = {
  id: 'tls-certificates-differ',
  title: 'exchanger with several certificates',
  rfc: ['RFC 7671 §8', 'RFC 8461 §4.2'],
  needs: ['smtp'],
  examine(facts) {
    const unseen = overVisits(facts, (visit) => {
      const secured = securedOf(visit)
      return isSecured(secured) ? [] : secured
    })
    const visits = visitsOf(facts)
    const differing = facts.exchangers.map((exchanger) => {
      const own = visits.filter((visit) => visit.exchanger === exchanger)
      return ofExchanger(own)
    })
    return [...differing.flat(), ...unseen]
  },
}

function ofExchanger(visits: readonly Visit[]): readonly Verdict[] {
  const [first] = visits
  const byLeaf = new Map<string, string[]>()
  for (const visit of visits)
    for (const { chain } of chainsOf(visit)) {
      const leaf = chain[0]
      if (!leaf) continue
      const fingerprint = createHash('sha256').update(leaf).digest('hex').slice(0, 16)
      const words = `${visit.at.address} (${keyText(leaf)})`
      byLeaf.set(fingerprint, [...(byLeaf.get(fingerprint) ?? []), words])
    }
  if (!first || byLeaf.size < 2) return []
  const told = [...byLeaf].slice(0, 8).map(([fingerprint, where]) => `${fingerprint}… at ${where.join(', ')}`)
  return [
    {
      kind: 'fault',
      severity: 'notice',
      subject: exchangerSubject(first.exchanger),
      seen: `${plainName(first.exchanger.name)} serves ${byLeaf.size} certificates: ${told.join('; ')}.`,
      why: 'That is allowed, but each of them must fit the TLSA records and the policy: a renewal that reaches one of them alone breaks mail by chance, and a test that looks once does not see it.',
      remedy: {
        text: 'See that all of them are renewed together, and that there is a TLSA record for the key of each where DANE is used.',
      },
      data: { fingerprints: [...byLeaf.keys()] },
    },
  ]
}

function keyText(der: Buffer): string {
  const { key } = readCertificate(der) ?? {}
  return key
    ? `${key.kind === 'ec' ? 'ECDSA' : key.kind === 'rsa' ? 'RSA' : 'other key'} ${key.bits || ''}`.trim()
    : 'unreadable'
}
