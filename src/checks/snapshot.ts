/**
 * What a check saw of a domain that is worth comparing with the next check: its records as text, the certificates of its exchangers, and whether
 * each exchanger answered. Pure; called by `watch`, which keeps it. All of it is printable.
 */
import { printable, printableBytes } from '../base/printable.ts'
import { rdataText } from '../dns/rdata-text.ts'
import type { RecordType } from '../dns/types.ts'
import { pathOf } from './certificate.ts'
import type { Facts, View } from './facts.ts'
import { everyAddress, plainName, textsOf } from './read-facts.ts'

export interface Snapshot {
  /** A set that could not be looked up is left out, so that a failing resolver is no change of records. */
  readonly records: readonly RecordLines[]
  readonly certificates: readonly SeenCertificate[]
  readonly exchangers: readonly SeenExchanger[]
}

export interface RecordLines {
  readonly name: string
  readonly type: string
  /** Data as in a zone file, in alphabetical order; empty: there is none. */
  readonly data: readonly string[]
}

export interface SeenCertificate {
  /** `mx1.example.com` */
  readonly exchanger: string
  readonly sha256: string
  readonly endsMs: number
}

export interface SeenExchanger {
  readonly name: string
  readonly address: string
  /** It greeted us; undefined where it was not tried. */
  readonly answered: boolean | undefined
}

/** Sets are longer than this in nobody's zone. */
const mostLines = 100
const mostLineLength = 2_000

export function snapshotOf(facts: Facts): Snapshot {
  const { domain, exchangers, dmarc, mtaSts, tlsRpt, spf } = facts
  const own = (name: string, type: RecordType, view: View) => lines(name, type, view)
  return {
    records: [
      ...own(domain, 'MX', facts.mx),
      ...texts(domain, 'v=spf1', spf.txt),
      ...texts(`_dmarc.${domain}`, 'v=DMARC1', dmarc.walk[0]?.view),
      ...texts(`_mta-sts.${domain}`, 'v=STSv1', mtaSts.txt),
      ...texts(`_smtp._tls.${domain}`, 'v=TLSRPTv1', tlsRpt.txt),
      ...exchangers.flatMap(({ name, a, aaaa }) => [
        ...own(plainName(name), 'A', a),
        ...own(plainName(name), 'AAAA', aaaa),
      ]),
      ...exchangers.flatMap(({ tlsa }) =>
        'kind' in tlsa ? [] : tlsa.flatMap(({ base, view }) => own(`_25._tcp.${plainName(base)}`, 'TLSA', view)),
      ),
    ],
    certificates: certificatesOf(facts),
    exchangers: exchangersOf(facts),
  }
}

function lines(name: string, type: RecordType, view: View): RecordLines[] {
  switch (view.kind) {
    case 'failed':
    case 'not-examined':
      return []
    case 'no-data':
    case 'no-such-name':
      return [{ name, type, data: [] }]
    case 'answer': {
      const data = view.records.map((record) => printable(rdataText(record.data), mostLineLength))
      return [{ name, type, data: data.sort().slice(0, mostLines) }]
    }
  }
}

/** Of the texts at a name the ones of one policy: proofs of ownership beside it come and go, and are nobody's alarm. */
function texts(name: string, begins: string, view: View<'TXT'> | undefined): RecordLines[] {
  if (!view || view.kind === 'failed' || view.kind === 'not-examined') return []
  const data = textsOf(view)
    .map((text) => printableBytes(text, mostLineLength))
    .filter((text) => text.toLowerCase().startsWith(begins.toLowerCase()))
  return [{ name, type: 'TXT', data: data.sort().slice(0, mostLines) }]
}

function certificatesOf(facts: Facts): readonly SeenCertificate[] {
  const found = new Map<string, SeenCertificate>()
  for (const { exchanger, at } of everyAddress(facts)) {
    if (at.smtp.kind !== 'probed') continue
    for (const { handshake } of at.smtp.sessions) {
      if (handshake.kind !== 'secured') continue
      const [leaf] = pathOf(handshake.chain)
      if (!leaf) continue
      const sha256 = leaf.x509.fingerprint256
      const name = plainName(exchanger.name)
      found.set(`${name} ${sha256}`, { exchanger: name, sha256, endsMs: leaf.notAfterMs })
    }
  }
  return [...found.values()]
}

function exchangersOf(facts: Facts): readonly SeenExchanger[] {
  return everyAddress(facts).map(({ exchanger, at: { address, smtp } }) => ({
    name: plainName(exchanger.name),
    address,
    answered:
      smtp.kind === 'probed'
        ? smtp.sessions.some(({ greeting }) => greeting.kind === 'reply' && greeting.reply.code === 220)
        : undefined,
  }))
}
