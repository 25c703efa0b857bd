/**
 * The TLSA records by themselves: ones that no sender can use (dane-unusable), a lone key right before it changes (dane-no-spare), and whole
 * certificates (dane-whole-certificate). Pages: docs/checks/dane-….md
 */
import { printable } from '../../../base/printable.ts'
import { readCertificate } from '../../certificate.ts'
import type { ExchangerFacts, Facts } from '../../facts.ts'
import type { Verdict } from '../../finding.ts'
import { exchangerSubject, plainName } from '../../read-facts.ts'
import { chainsOf, visitsOf } from '../../read-sessions.ts'
import type { Rule } from '../../rule.ts'
import { type Dane, daneOf, mostRecordsTold, parametersOf, tlsaText, whyUnusable } from '../../tlsa.ts'
import { endsSoon } from '../tls/certificate.ts'
import { recordsFor } from './presence.ts'
import { undecidedDane } from './undecided.ts'

type Records = Extract<Dane, { kind: 'records' }>

function overRecords(
  facts: Facts,
  examine: (exchanger: ExchangerFacts, dane: Records) => readonly Verdict[],
): readonly Verdict[] {
  const found = facts.exchangers.map((exchanger) => ({ exchanger, dane: daneOf(facts, exchanger) }))
  return [
    ...found.flatMap(({ exchanger, dane }) => (dane.kind === 'records' ? examine(exchanger, dane) : [])),
    ...undecidedDane(facts, found),
  ]
}

export const daneUnusable: Rule = {
  id: 'dane-unusable',
  title: 'TLSA records that senders cannot use',
  rfc: ['RFC 7672 §2.2', 'RFC 7672 §3.1.3', 'RFC 6698 §4.1', 'RFC 7671 §9'],
  needs: ['tlsa', 'smtp'],
  examine: (facts) => overRecords(facts, (exchanger, dane) => unusable(facts, exchanger, dane)),
}

function unusable(facts: Facts, exchanger: ExchangerFacts, { base, records, usable }: Records): readonly Verdict[] {
  const faults = records.flatMap((record) => {
    const why = whyUnusable(record)
    return why === undefined ? [] : [`${parametersOf(record)} ${printable(record.data.toString('hex'), 16)}: ${why}`]
  })
  if (faults.length === 0) return []
  const isAll = usable.length === 0
  return [
    {
      kind: 'fault',
      severity: isAll ? 'warning' : 'notice',
      subject: exchangerSubject(exchanger),
      seen: `Of the ${records.length} TLSA records at _25._tcp.${plainName(base)}, ${isAll ? 'none is usable' : `${faults.length} ${faults.length > 1 ? 'are' : 'is'} not usable`}: ${faults.slice(0, mostRecordsTold).join('; ')}.`,
      why: isAll
        ? 'Senders that do DANE then insist on TLS and look at no certificate: anybody on the way can pretend to be this server.'
        : 'Senders leave them aside. Mail flows by the others.',
      remedy: {
        text: 'Publish a record for the key of the server in their place.',
        records: recordsFor(facts, exchanger, base),
      },
      data: { unusable: faults.slice(0, 50), usable: usable.length },
    },
  ]
}

export const daneNoSpare: Rule = {
  id: 'dane-no-spare',
  title: 'one TLSA record, right before the certificate changes',
  rfc: ['RFC 7671 §8.1', 'RFC 7672 §4'],
  needs: ['tlsa', 'smtp'],
  examine: (facts) => overRecords(facts, (exchanger, dane) => noSpare(facts, exchanger, dane)),
}

/** A spare is needed around a change of the key alone, and before the certificate ends is when it comes. */
function noSpare(facts: Facts, exchanger: ExchangerFacts, { base, usable }: Records): readonly Verdict[] {
  const [only, second] = usable
  if (!only || second || only.usage !== 3) return []
  const own = visitsOf(facts).filter((visit) => visit.exchanger === exchanger)
  const ending = own.some((visit) =>
    chainsOf(visit).some(({ chain }) => {
      const leaf = chain[0] && readCertificate(chain[0])
      return leaf !== undefined && endsSoon(leaf, visit.session.startedAtMs)
    }),
  )
  if (!ending) return []
  const isKept = only.selector === 1
  return [
    {
      kind: 'fault',
      severity: 'notice',
      subject: exchangerSubject(exchanger),
      seen: `${tlsaText(base, [only])} is the only one, and the certificate of ${plainName(exchanger.name)} ends soon.`,
      why: `A renewal ${isKept ? 'with another key' : ''} makes this record wrong, and until the new one has spread, senders that do DANE deliver nothing.`.replaceAll(
        '  ',
        ' ',
      ),
      remedy: {
        text: isKept
          ? 'Keep the key when the certificate is renewed, or make the next key now, publish its record beside this one, and serve it when twice the time to live has passed.'
          : 'Make the next certificate now, publish its record beside this one, and serve it when twice the time to live has passed. A record of the key (3 1 1) survives renewals that keep it.',
        settings: ['certbot renew --reuse-key'],
      },
    },
  ]
}

export const daneWholeCertificate: Rule = {
  id: 'dane-whole-certificate',
  title: 'TLSA of whole certificates only',
  rfc: ['RFC 7672 §3.1.1', 'RFC 7671 §5.1'],
  needs: ['tlsa', 'smtp'],
  examine: (facts) =>
    overRecords(facts, (exchanger, { base, usable }) => {
      if (usable.length === 0 || !usable.every(({ usage, selector }) => usage === 3 && selector === 0)) return []
      return [
        {
          kind: 'fault',
          severity: 'notice',
          subject: exchangerSubject(exchanger),
          seen: `${tlsaText(base, usable)} stands for the whole certificate of ${plainName(exchanger.name)}.`,
          why: 'It is wrong after every renewal, even of the same key; who forgets it once gets no mail from senders that do DANE.',
          remedy: {
            text: 'Publish the record of the key, keep the key when the certificate is renewed, and then take these records out.',
            records: recordsFor(facts, exchanger, base),
            settings: ['certbot renew --reuse-key'],
          },
        },
      ]
    }),
}
