/**
 * TLSA against what each address serves: no TLS at all (dane-no-starttls), no record that fits (dane-mismatch), an anchor that is not sent
 * (dane-ta-not-sent), one that fits a certificate that is not good (dane-ta-invalid), and combinations that hold nothing that fits
 * (dane-digest-order). Pages: docs/checks/dane-….md
 */
import { printable } from '../../../base/printable.ts'
import { type HostName, parseName } from '../../../dns/name.ts'
import { hostFromName } from '../../../dns/wire-name.ts'
import { type Certificate, isIssuedBy, matchesHost, pathOf } from '../../certificate.ts'
import type { Facts } from '../../facts.ts'
import type { Fault, Verdict } from '../../finding.ts'
import { plainName } from '../../read-facts.ts'
import {
  chainsOf,
  isRefused,
  isSecured,
  offersStartTls,
  overVisits,
  printableReply,
  securedOf,
  type Visit,
} from '../../read-sessions.ts'
import type { Context, Rule } from '../../rule.ts'
import {
  type Dane,
  daneOf,
  matchesOf,
  matchOf,
  mostRecordsTold,
  parametersOf,
  type Tlsa,
  tlsaLine,
  tlsaOfAnchor,
  tlsaOfKey,
  tlsaText,
} from '../../tlsa.ts'
import { undecidedDane } from './undecided.ts'

type Records = Extract<Dane, { kind: 'records' }>

/** One chain that an address has served, held against the records of its exchanger. */
interface Held {
  readonly facts: Facts
  readonly context: Context
  readonly visit: Visit
  readonly dane: Records
  readonly sent: readonly Buffer[]
  readonly path: readonly Certificate[]
  readonly leaf: Certificate
}

/** Asks `judge` of every chain of every address whose exchanger has usable records. */
function overHeld(facts: Facts, context: Context, judge: (held: Held) => Fault | undefined): readonly Verdict[] {
  const unknown = undecidedDane(
    facts,
    facts.exchangers.map((exchanger) => ({ exchanger, dane: daneOf(facts, exchanger) })),
  )
  const verdicts = overDaneVisits(facts, (visit, dane) => {
    const secured = securedOf(visit)
    if (!isSecured(secured)) return secured
    return chainsOf(visit).flatMap(({ chain }) => {
      const path = pathOf(chain)
      const [leaf] = path
      return (leaf && dane.usable.length > 0 && judge({ facts, context, visit, dane, sent: chain, path, leaf })) || []
    })
  })
  return [...verdicts, ...unknown]
}

/** The addresses of exchangers with a secure TLSA set; of the others there is nothing to say. */
function overDaneVisits(
  facts: Facts,
  examine: (visit: Visit, dane: Records) => readonly Verdict[],
): readonly Verdict[] {
  const exchangers = facts.exchangers.filter((exchanger) => daneOf(facts, exchanger).kind === 'records')
  return overVisits({ ...facts, exchangers }, (visit) => {
    const dane = daneOf(facts, visit.exchanger)
    return dane.kind === 'records' ? examine(visit, dane) : []
  })
}

export const daneNoStarttls: Rule = {
  id: 'dane-no-starttls',
  title: 'TLSA, but no STARTTLS',
  rfc: ['RFC 7672 §2.2', 'RFC 7672 §2.2.3', 'RFC 7672 §9.2'],
  needs: ['tlsa', 'smtp'],
  examine: (facts) =>
    overDaneVisits(facts, (visit, dane) => {
      const { subject, who, session } = visit
      const { startTls } = session
      const secured = securedOf(visit)
      if (isSecured(secured)) return []
      const refusal = startTls.kind === 'reply' && isRefused(startTls) ? startTls.reply : undefined
      if (!refusal && offersStartTls(session) !== false) return secured
      const how = refusal ? `refuses STARTTLS with "${printableReply(refusal)}"` : 'does not offer STARTTLS'
      return [
        {
          kind: 'fault',
          severity: 'error',
          subject,
          seen: `There is ${tlsaText(dane.base, dane.records)}, and ${who} ${how}.`,
          why: 'A secure TLSA set tells senders to deliver over TLS alone, even where no record of it is usable: those that do DANE deliver nothing here. STARTTLS that is kept from unknown clients is as bad.',
          remedy: {
            text: 'Offer STARTTLS to everybody on port 25, or take the TLSA records out until it works.',
            settings: ['smtpd_tls_security_level = may', 'smtpd_tls_chain_files = /etc/ssl/private/mail.pem'],
          },
        },
      ]
    }),
}

export const daneMismatch: Rule = {
  id: 'dane-mismatch',
  title: 'no TLSA record fits the certificate',
  rfc: ['RFC 7672 §3.2', 'RFC 7672 §8.1'],
  needs: ['tlsa', 'smtp'],
  examine: (facts, context) =>
    overHeld(facts, context, (held) => {
      if (matchesOf(held.dane.usable, held.sent).length > 0 || unsentAnchors(held).length > 0) return undefined
      const { visit, dane, leaf } = held
      const kind = leaf.key.kind === 'ec' ? 'ECDSA' : leaf.key.kind === 'rsa' ? 'RSA' : 'other'
      return {
        kind: 'fault',
        severity: 'error',
        subject: visit.subject,
        seen: `None of ${dane.usable.length} usable records (${tlsaText(dane.base, dane.usable)}) fits the certificate with an ${kind} key that ${visit.who} serves.`,
        why: 'Senders that do DANE take the server for a false one and deliver nothing to this address.',
        remedy: {
          text: 'Publish the record of the key that is served, beside what is there; take the old ones out when their time to live has passed twice. If the key is not meant to be served, put the right one back.',
          records: [tlsaLine(dane.base, tlsaOfKey(leaf))],
        },
        data: {
          published: dane.usable
            .slice(0, mostRecordsTold)
            .map((record) => `${parametersOf(record)} ${record.data.toString('hex').slice(0, 128)}`),
          served: tlsaLine(dane.base, tlsaOfKey(leaf)),
          key: kind,
        },
      }
    }),
}

/**
 * Records for an anchor that may well be the issuer of what was sent, and was left out. Where the issuer is a public root it is known, and so
 * it is where the record holds the certificate; of a private one with a digest alone nobody outside can know.
 */
function unsentAnchors({ dane, sent, path, context }: Held): readonly Tlsa[] {
  const last = path.at(-1)
  if (!last || last.isSelfIssued || matchesOf(dane.usable, sent).length > 0) return []
  const roots = context.roots.issuersOf(last).filter((root) => isIssuedBy(last, root))
  return dane.usable.filter((record) => {
    if (record.usage !== 2) return false
    if (roots.length > 0) return roots.some((root) => matchOf(record, [...sent, root.raw]) !== undefined)
    return dane.usable.every(({ usage }) => usage === 2)
  })
}

export const daneTaNotSent: Rule = {
  id: 'dane-ta-not-sent',
  title: 'trust anchor of TLSA that is not sent',
  rfc: ['RFC 7672 §3.1.2', 'RFC 7671 §5.2.1', 'RFC 7671 §5.2.2', 'RFC 7671 §5.2.3'],
  needs: ['tlsa', 'smtp'],
  examine: (facts, context) =>
    overHeld(facts, context, (held) => {
      const [record] = unsentAnchors(held)
      if (!record) return undefined
      const { visit, dane, path, leaf } = held
      const issuer = printable((path.at(-1)?.x509.issuer ?? '').replaceAll('\n', ', '), 200)
      return {
        kind: 'fault',
        severity: 'error',
        subject: visit.subject,
        seen: `${tlsaText(dane.base, [record])} names a trust anchor, and the chain that ${visit.who} sends ends before it: the certificate of "${issuer}" is not sent.`,
        why: 'The certificate of the anchor must be in the chain, even where it is a well-known root: senders that do DANE have no other place to take it from, and deliver nothing.',
        remedy: {
          text: `Put the certificate of "${issuer}" at the end of the file that the server sends, or publish the record of the server's own key.`,
          records: [tlsaLine(dane.base, tlsaOfKey(leaf))],
          settings: ['smtpd_tls_chain_files = key, certificate, intermediates, root'],
        },
        data: { record: parametersOf(record), issuer: path.at(-1)?.x509.issuer ?? '' },
      }
    }),
}

export const daneTaInvalid: Rule = {
  id: 'dane-ta-invalid',
  title: 'certificate under a trust anchor is not good',
  rfc: ['RFC 7672 §3.2.2', 'RFC 7672 §3.2.3', 'RFC 6698 §2.1.1'],
  needs: ['tlsa', 'smtp'],
  examine: (facts, context) =>
    overHeld(facts, context, (held) => {
      const matches = matchesOf(held.dane.usable, held.sent)
      // Names and dates never count for usage 3, and one match is enough.
      const anchored = matches.find(({ kind }) => kind === 'anchor')
      if (anchored?.kind !== 'anchor' || matches.some(({ kind }) => kind === 'end-entity')) return undefined
      const { visit, dane, leaf } = held
      const names = referenceNames(held)
      const wrong = [...dateFaults(anchored.path, visit.session.startedAtMs), ...nameFaults(leaf, names)]
      if (wrong.length === 0) return undefined
      return {
        kind: 'fault',
        severity: 'error',
        subject: visit.subject,
        seen: `The certificate that ${visit.who} serves fits ${tlsaText(dane.base, [anchored.record])}, and ${wrong.join(', and ')}.`,
        why: 'With a record for a trust anchor (usage 2) senders look at names and dates as well: those that do DANE deliver nothing to this address.',
        remedy: {
          text: `Renew the certificate with ${names[0] ?? 'the name of the exchanger'} among its DNS names, or publish the record of its key, for which neither names nor dates count.`,
          records: [tlsaLine(dane.base, tlsaOfKey(leaf))],
        },
        data: { wrong },
      }
    }),
}

/** RFC 7672 §3.2.2: the TLSA base domain; with a secure MX set the domain and the end of its aliases too; without MX the name itself. */
function referenceNames({ facts, visit, dane }: Held): readonly HostName[] {
  const { exchanger } = visit
  const base = hostFromName(dane.base)
  const names = [base]
  const isMxSecure = facts.mx.kind === 'answer' && facts.mx.trust === 'secure'
  if (isMxSecure)
    names.push(facts.domain, facts.mx.kind === 'answer' ? hostFromName(facts.mx.canonicalName) : undefined)
  else if (!exchanger.isImplicit || base === undefined) names.push(exchanger.host)
  return [...new Set(names.filter((name) => name !== undefined))]
}

function dateFaults(path: readonly Certificate[], nowMs: number): string[] {
  return path
    .filter(({ notAfterMs, notBeforeMs }) => notAfterMs < nowMs || notBeforeMs > nowMs)
    .map(({ x509 }) => `that of "${printable(x509.subject.replaceAll('\n', ', '), 200)}" is outside of its dates`)
}

/** RFC 7672 §3.2.3: the common name counts where there is no DNS name at all. */
function nameFaults({ dnsNames, commonName }: Certificate, references: readonly HostName[]): string[] {
  const common = dnsNames.length === 0 && commonName !== undefined ? parseName(commonName.toLowerCase()) : undefined
  const presented = common?.kind === 'name' ? [common.name] : dnsNames
  if (references.some((host) => presented.some((name) => matchesHost(name, host)))) return []
  const shown = printable(presented.slice(0, 5).join(', ') || 'no name', 300)
  return [`it is for ${shown} and not for ${references.join(' or ')}`]
}

export const daneDigestOrder: Rule = {
  id: 'dane-digest-order',
  title: 'TLSA records of one kind without one that fits',
  rfc: ['RFC 7671 §8', 'RFC 7671 §9'],
  needs: ['tlsa', 'smtp'],
  examine: (facts, context) =>
    overHeld(facts, context, (held) => {
      const { visit, dane, sent, path, leaf } = held
      const kinds = new Set(dane.usable.map(parametersOf))
      const fitting = new Set(matchesOf(dane.usable, sent).map(({ record }) => parametersOf(record)))
      const idle = [...kinds].filter((kind) => !fitting.has(kind))
      if (fitting.size === 0 || idle.length === 0) return undefined
      const shadowed = idle.filter((kind) => [...fitting].some((other) => isStronger(kind, other)))
      return {
        kind: 'fault',
        severity: 'warning',
        subject: visit.subject,
        seen: `Of the TLSA records at _25._tcp.${plainName(dane.base)}, those with ${[...fitting].join(', ')} fit what ${visit.who} serves, and none with ${idle.join(', ')} does.`,
        why:
          shadowed.length > 0
            ? `Senders look at the strongest digest alone, ${shadowed.join(', ')}, which does not fit: those that follow RFC 7671 §9 deliver nothing.`
            : 'Each combination must hold a record that fits (RFC 7671 §8): a sender that knows this one alone delivers nothing.',
        remedy: {
          text: `Take out the records with ${idle.join(', ')}, or publish the right ones beside them.`,
          records: idle
            .flatMap((kind) => rightRecord(kind, leaf, path.at(-1)))
            .map((record) => tlsaLine(dane.base, record)),
        },
        data: { fitting: [...fitting], idle },
      }
    }),
}

/** RFC 7671 §9: of one usage and selector, SHA-512 goes before SHA-256; full data is always looked at. */
function isStronger(kind: string, other: string): boolean {
  return kind.slice(0, 4) === other.slice(0, 4) && kind.endsWith('2') && other.endsWith('1')
}

/** Only what is short enough to be copied, and known from the handshake. */
function rightRecord(kind: string, leaf: Certificate, last: Certificate | undefined): Tlsa[] {
  if (kind === '3 1 1') return [tlsaOfKey(leaf)]
  return kind === '2 1 1' && last && last !== leaf ? [tlsaOfAnchor(last)] : []
}
