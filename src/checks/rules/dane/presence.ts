/**
 * Whether DANE is there, for which exchangers, and whether senders may use it: dane-missing, dane-some-exchangers, dane-mx-insecure, dane-insecure,
 * dane-lookup-fails and dane-base-alias. Pages: docs/checks/dane-….md
 */
import { printable } from '../../../base/printable.ts'
import { nameText } from '../../../dns/wire-name.ts'
import { readCertificate } from '../../certificate.ts'
import type { ExchangerFacts, Facts, TlsaLookup } from '../../facts.ts'
import type { Fault, Verdict } from '../../finding.ts'
import { domainSubject, exchangerSubject, isAbsent, plainName } from '../../read-facts.ts'
import { chainsOf, visitsOf } from '../../read-sessions.ts'
import type { Rule } from '../../rule.ts'
import {
  type Dane,
  daneOf,
  isAlias,
  isCandidate,
  parametersOf,
  secureRecordsOf,
  type Tlsa,
  tlsaLine,
  tlsaOfKey,
  tlsaText,
} from '../../tlsa.ts'
import { undecidedDane } from './undecided.ts'

/** The exchangers, each with what senders find for it. */
const withDane = (facts: Facts): readonly { readonly exchanger: ExchangerFacts; readonly dane: Dane }[] =>
  facts.exchangers.map((exchanger) => ({ exchanger, dane: daneOf(facts, exchanger) }))

/** Without a secure MX set, or with none at all, senders do not look for TLSA (RFC 7672 §2.2.1). */
const isMxSecure = ({ mx }: Facts) => 'trust' in mx && mx.trust === 'secure'

/** `3 1 1` of each key that the exchanger served to us, as lines of a zone file. */
export function recordsFor(facts: Facts, exchanger: ExchangerFacts, base = exchanger.name): readonly string[] {
  const own = visitsOf(facts).filter((visit) => visit.exchanger === exchanger)
  const lines = own.flatMap((visit) =>
    chainsOf(visit).flatMap(({ chain }) => {
      const leaf = chain[0] && readCertificate(chain[0])
      return leaf ? [tlsaLine(base, tlsaOfKey(leaf))] : []
    }),
  )
  return [...new Set(lines)].slice(0, 8)
}

export const daneMissing: Rule = {
  id: 'dane-missing',
  title: 'no DANE, though DNSSEC is there',
  rfc: ['RFC 7672 §2.2'],
  needs: ['tlsa', 'smtp'],
  examine(facts) {
    if (facts.exchangers.length === 0) return []
    const found = withDane(facts)
    const unknown = undecidedDane(facts, found)
    if (unknown.length > 0) return unknown
    const open = found.filter(({ dane }) => isOpen(dane))
    // Where some have it, that is another finding.
    if (!isMxSecure(facts) || open.length === 0 || found.some(({ dane }) => dane.kind === 'records')) return []
    return [
      missing(
        facts,
        open.map(({ exchanger }) => exchanger),
      ),
    ]
  },
}

/** A secure exchanger without any TLSA. */
const isOpen = (dane: Dane) => dane.kind === 'none' && dane.isSecure && dane.ignored.length === 0

function missing(facts: Facts, exchangers: readonly ExchangerFacts[]): Fault {
  const records = exchangers.flatMap((exchanger) => recordsFor(facts, exchanger)).slice(0, 20)
  return {
    kind: 'fault',
    severity: 'notice',
    subject: domainSubject(facts),
    seen: `DNSSEC is in order, and there is no TLSA record for ${exchangers
      .map(({ name }) => plainName(name))
      .slice(0, 10)
      .join(', ')}.`,
    why: 'With TLSA, senders that do DANE insist on encryption and on this very key; without it somebody on the way can take TLS out of the session.',
    remedy: {
      text: 'Publish a TLSA record for the key of each exchanger, keep that key when certificates are renewed, and publish the next key before it is used.',
      records,
    },
    data: { exchangers: exchangers.map(({ name }) => nameText(name)) },
  }
}

export const daneSomeExchangers: Rule = {
  id: 'dane-some-exchangers',
  title: 'DANE for some exchangers only',
  rfc: ['RFC 7672 §2.2.1'],
  needs: ['tlsa', 'smtp'],
  examine(facts) {
    if (!isMxSecure(facts)) return []
    const found = withDane(facts)
    const covered = found.filter(({ dane }) => dane.kind === 'records')
    if (covered.length === 0) return []
    return found
      .filter(({ dane }) => isOpen(dane))
      .map(
        ({ exchanger }): Fault => ({
          kind: 'fault',
          severity: 'warning',
          subject: exchangerSubject(exchanger),
          seen: `${plainName(exchanger.name)} has no TLSA record, and ${covered
            .map((one) => plainName(one.exchanger.name))
            .slice(0, 10)
            .join(', ')} ${covered.length > 1 ? 'have' : 'has'} one.`,
          why: 'Mail flows, but an attacker steers it to the exchanger without: what the others protect is worth nothing.',
          remedy: { text: 'Publish TLSA for this exchanger too.', records: recordsFor(facts, exchanger) },
        }),
      )
  },
}

export const daneMxInsecure: Rule = {
  id: 'dane-mx-insecure',
  title: 'exchangers with DANE, domain without DNSSEC',
  rfc: ['RFC 7672 §2.2.1'],
  needs: ['tlsa'],
  examine(facts) {
    const { mx } = facts
    const found = withDane(facts)
    const isWhole = found.length > 0 && found.every(({ dane }) => dane.kind === 'records')
    if (mx.kind !== 'answer' || mx.trust !== 'insecure' || !isWhole) return []
    return [
      {
        kind: 'fault',
        severity: 'notice',
        subject: domainSubject(facts),
        seen: `All exchangers have secure TLSA records, and the MX set of ${facts.domain} is not signed.`,
        why: 'An attacker can change the MX set, so DANE protects little. Some senders hold the exchangers to their TLSA all the same: a wrong record stops mail for this domain too.',
        remedy: { text: `Sign ${facts.domain} with DNSSEC, and give its DS record to the registrar.` },
      },
    ]
  },
}

export const daneInsecure: Rule = {
  id: 'dane-insecure',
  title: 'TLSA records that no sender may use',
  rfc: ['RFC 7672 §2.2'],
  needs: ['tlsa'],
  examine: (facts) =>
    withDane(facts).flatMap(({ exchanger, dane }): Verdict[] => {
      if (dane.kind === 'unknown') return undecidedDane(facts, [{ exchanger, dane }])
      const [ignored] = dane.kind === 'none' ? dane.ignored : []
      return ignored ? [unusedRecords(exchanger, ignored)] : []
    }),
}

function unusedRecords(exchanger: ExchangerFacts, { base, view }: TlsaLookup): Fault {
  const isSigned = view.kind === 'answer' && view.trust === 'secure'
  return {
    kind: 'fault',
    severity: 'warning',
    subject: exchangerSubject(exchanger),
    seen: `There are TLSA records at _25._tcp.${plainName(base)}, and ${isSigned ? `the address of ${plainName(exchanger.name)} is` : 'they are'} not protected by DNSSEC.`,
    why: 'Senders leave such records aside, so the exchanger has no DANE, whatever it looks like.',
    remedy: {
      text: isSigned
        ? 'Sign the zone in which the address is, or name in MX the host at which the signed address is.'
        : `Sign the zone of ${plainName(base)} with DNSSEC and give its DS record to the registrar, or take the records out.`,
    },
  }
}

export const daneLookupFails: Rule = {
  id: 'dane-lookup-fails',
  title: 'TLSA look-up that fails',
  rfc: ['RFC 7672 §2.1.2', 'RFC 7672 §2.2.2'],
  needs: ['tlsa'],
  examine: (facts) =>
    withDane(facts).flatMap(({ exchanger, dane }): Verdict[] => {
      if (dane.kind === 'unknown') return undecidedDane(facts, [{ exchanger, dane }])
      if (dane.kind !== 'failed') return []
      const isBogus = dane.view.unchecked !== 'failed' && dane.view.unchecked !== 'not-asked'
      return [
        {
          kind: 'fault',
          severity: 'error',
          subject: exchangerSubject(exchanger),
          seen: `The look-up of TLSA _25._tcp.${plainName(dane.base)} fails (${printable(dane.view.why, 300)})${isBogus ? '; without validation it is answered, so its signatures or its proof of absence are wrong' : ''}.`,
          why: 'Senders that do DANE cannot know whether TLS is wanted here, so they leave this exchanger alone until the look-up works.',
          remedy: {
            text: isBogus
              ? 'Sign the zone anew, and see that its name servers prove the absence of names (NSEC, NSEC3) rightly.'
              : 'See that every name server of the zone answers questions for the type TLSA (52): firewalls and old servers drop types that they do not know.',
          },
          data: { bogus: isBogus },
        },
      ]
    }),
}

export const daneBaseAlias: Rule = {
  id: 'dane-base-alias',
  title: 'TLSA differs along an alias',
  rfc: ['RFC 7672 §2.2.2', 'RFC 7672 §2.2.3'],
  needs: ['tlsa'],
  examine: (facts) => facts.exchangers.filter(isAlias).flatMap((exchanger) => alongAlias(facts, exchanger)),
}

function alongAlias(facts: Facts, exchanger: ExchangerFacts): readonly Verdict[] {
  const { tlsa } = exchanger
  const dane = daneOf(facts, exchanger)
  if (dane.kind === 'unknown') return undecidedDane(facts, [{ exchanger, dane }])
  if ('kind' in tlsa || dane.kind !== 'records') return []
  const places = tlsa.filter((lookup) => isCandidate(exchanger, lookup))
  const [target, original] = [
    places.find(({ place }) => place === 'target'),
    places.find(({ place }) => place === 'original'),
  ]
  // With an insecure end of the chain, the original is the only place there is.
  if (!target || !original) return []
  const [atTarget, atOriginal] = [secureRecordsOf(target), secureRecordsOf(original)]
  if (sameSet(atTarget, atOriginal)) return []
  const seen = [target, original].map((lookup) =>
    isAbsent(lookup.view)
      ? `none at _25._tcp.${plainName(lookup.base)}`
      : tlsaText(lookup.base, secureRecordsOf(lookup)),
  )
  return [
    {
      kind: 'fault',
      severity: 'warning',
      subject: exchangerSubject(exchanger),
      seen: `${plainName(exchanger.name)} is an alias of ${plainName(target.base)}: ${seen.join(', ')}.`,
      why: 'Senders look at the end of the alias first and then at its beginning, and some at one of them alone: they hold the exchanger to different records, or to none.',
      remedy: {
        text: 'Name the real host in the MX record. Else let both names lead to the same records.',
        records: [`_25._tcp.${nameText(exchanger.name)} IN CNAME _25._tcp.${nameText(target.base)}`],
      },
    },
  ]
}

function sameSet(one: readonly Tlsa[], other: readonly Tlsa[]): boolean {
  const keys = (records: readonly Tlsa[]) =>
    [...new Set(records.map((record) => `${parametersOf(record)} ${record.data.toString('hex')}`))].sort()
  return keys(one).join() === keys(other).join()
}
