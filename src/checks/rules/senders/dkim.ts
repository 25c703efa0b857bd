/**
 * DKIM keys in DNS: nothing below `_domainkey` (dkim-name-missing, a hint), and selectors that the owner has named and that are no use
 * (dkim-selector-faulty). Selectors cannot be listed. Pages: docs/checks/dkim-….md
 */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { printable } from '../../../base/printable.ts'
import { parseSpf } from '../../../records/spf.ts'
import { splitTags } from '../../../records/tag-list.ts'
import type { Facts, View } from '../../facts.ts'
import type { Fault, Severity, Subject, Verdict } from '../../finding.ts'
import { isAbsent } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { spfOf } from './spf.ts'
import { latin1TextsOf, whyNoText } from './unknown-text.ts'

export const dkimNameMissing: Rule = {
  id: 'dkim-name-missing',
  title: 'no DKIM keys below the domain',
  rfc: ['RFC 8020 §2', 'RFC 6376 §3.6.2.1'],
  needs: ['senders'],
  examine(facts) {
    const { parent, selectors } = facts.dkim
    const subject: Subject = { kind: 'record', name: `_domainkey.${facts.domain}`, type: 'TXT' }
    const unknown = whyNoText(subject, parent) ?? whyNoText(subject, facts.spf.txt)
    if (unknown) return [unknown]
    if (parent.kind !== 'no-such-name' || !maySend(facts)) return []
    // A server that denies a name with children fools us (RFC 8020 §2); a key that is there shows it.
    if (!('kind' in selectors) && selectors.some(({ txt }) => txt.kind === 'answer')) return []
    return [
      {
        kind: 'fault',
        severity: 'notice',
        subject,
        seen: `_domainkey.${facts.domain} does not exist, so no key can be below it, and SPF lets ${facts.domain} send.`,
        why: 'Mail without a DKIM signature of its own domain passes DMARC by SPF alone, which forwarding breaks; large receivers ask for both.',
        remedy: {
          text: 'Let the sending server sign, and publish its key as it tells you.',
          records: [`selector1._domainkey.${facts.domain}. IN TXT "v=DKIM1; k=rsa; p=…"`],
        },
      },
    ]
  },
}

/** Whether SPF names anybody: "-all" alone says that nobody sends. */
function maySend(facts: Facts): boolean {
  const found = spfOf(facts)
  const parsed = found.kind === 'one' ? parseSpf(found.text) : undefined
  return parsed?.kind === 'spf' && parsed.record.terms.some((term) => 'qualifier' in term && term.qualifier !== 'fail')
    ? true
    : parsed?.kind === 'spf' && parsed.record.terms.some(({ kind }) => kind === 'redirect')
}

export const dkimSelectorFaulty: Rule = {
  id: 'dkim-selector-faulty',
  title: 'DKIM key that is no use',
  rfc: ['RFC 6376 §3.6.1', 'RFC 6376 §3.6.2.2', 'RFC 8301 §3.2'],
  needs: ['senders'],
  examine(facts) {
    const { selectors } = facts.dkim
    // Nobody has named any.
    if ('kind' in selectors) return []
    return selectors.flatMap(({ selector, txt }) => ofSelector(facts, selector, txt))
  },
}

function ofSelector(facts: Facts, selector: string, txt: View<'TXT'>): readonly Verdict[] {
  const name = `${printable(selector, 100)}._domainkey.${facts.domain}`
  const subject: Subject = { kind: 'record', name, type: 'TXT' }
  const unknown = whyNoText(subject, txt)
  if (unknown) return [unknown]
  const wrong = isAbsent(txt) ? ({ severity: 'warning', what: 'does not exist' } as const) : faultOf(latin1TextsOf(txt))
  if (!wrong) return []
  const fault: Fault = {
    kind: 'fault',
    severity: wrong.severity,
    subject,
    seen: `The DKIM key at ${name} ${wrong.what}.`,
    why:
      wrong.severity === 'warning'
        ? 'Receivers cannot verify what is signed with it, so such mail counts as unsigned.'
        : 'Receivers still take it; keys of this size are expected to be broken before long.',
    remedy: {
      text: 'Make a new key of 2048 bits under a new selector, publish it, sign with it, and take the old one out some days later.',
      records: [`selector2._domainkey.${facts.domain}. IN TXT "v=DKIM1; k=rsa; p=…"`],
    },
  }
  return [fault]
}

type Wrong = { readonly severity: Severity; readonly what: string }

function faultOf(texts: readonly string[]): Wrong | undefined {
  const [text, second] = texts
  if (text === undefined) return { severity: 'warning', what: 'has no text' }
  // RFC 6376 §3.6.2.2: then the result is undefined.
  if (second !== undefined) return { severity: 'warning', what: `is there ${texts.length} times` }
  const tags = new Map(splitTags(text).map(({ name, value }) => [name, value]))
  const version = tags.get('v')
  if (version !== undefined && version !== 'DKIM1')
    return { severity: 'warning', what: `has the version "${printable(version, 40)}"` }
  const key = tags.get('p')?.replace(/\s+/g, '')
  if (key === undefined) return { severity: 'warning', what: 'has no "p"' }
  if (key === '') return { severity: 'warning', what: 'is empty, which revokes it' }
  return keyFault(tags.get('k') ?? 'rsa', Buffer.from(key, 'base64'))
}

/** RFC 8301 §3.2: verifiers must not take RSA under 1024 bits; signers should use 2048. RFC 8463: Ed25519 is 32 octets. */
function keyFault(kind: string, octets: Buffer): Wrong | undefined {
  if (kind === 'ed25519')
    return octets.length === 32
      ? undefined
      : { severity: 'warning', what: `has ${octets.length} octets, and Ed25519 has 32` }
  if (kind !== 'rsa')
    return { severity: 'warning', what: `is of the kind "${printable(kind, 40)}", which receivers do not know` }
  const key = rsaKey(octets)
  const bits = key?.asymmetricKeyDetails?.modulusLength
  if (!key || bits === undefined) return { severity: 'warning', what: 'cannot be read as an RSA key' }
  if (bits < 1024) return { severity: 'warning', what: `has ${bits} bits, and receivers take 1024 or more` }
  return bits < 2048 ? { severity: 'notice', what: `has ${bits} bits` } : undefined
}

/** As SubjectPublicKeyInfo, which all publish, or as RSAPublicKey, which the text of RFC 6376 names. */
function rsaKey(octets: Buffer): KeyObject | undefined {
  for (const type of ['spki', 'pkcs1'] as const) {
    try {
      const key = createPublicKey({ key: octets, format: 'der', type })
      if (key.asymmetricKeyType === 'rsa') return key
    } catch {
      // The other form may fit.
    }
  }
  return undefined
}
