/** Reading facts: the few questions that many rules put to them. Pure. */
import type { IpAddress } from '../base/ip.ts'
import type { DnsRecord } from '../dns/message.ts'
import type { RdataOf } from '../dns/rdata.ts'
import { type Reading, readAnswer } from '../dns/read-answer.ts'
import type { RecordType } from '../dns/types.ts'
import { foldName, nameText, rootWireName, sameName, type WireName } from '../dns/wire-name.ts'
import type {
  Direct,
  ExchangerAddress,
  ExchangerFacts,
  Facts,
  NotExamined,
  ServerFacts,
  View,
  ZoneFacts,
} from './facts.ts'
import type { Subject } from './finding.ts'

/** The records of an answer; none where there is no answer. */
export function recordsOf<T extends RecordType>(view: View<T>): readonly DnsRecord<RdataOf<T>>[] {
  return view.kind === 'answer' ? view.records : []
}

/** The strings of each TXT record, joined without a blank (RFC 7208 §3.3). */
export function textsOf(view: View<'TXT'>): readonly Buffer[] {
  return recordsOf(view).map(({ data }) => Buffer.concat(data.strings))
}

/** Whether the MX set says that the domain takes no mail: nothing but the root (RFC 7505 §3). */
export function isNullMx(facts: Facts): boolean {
  const records = recordsOf(facts.mx)
  return records.length > 0 && records.every(({ data }) => data.exchange === rootWireName)
}

/** What a server was asked, narrowed. `name` and `type` as they were asked; a repeated question gives several. */
export function directs(
  server: ServerFacts,
  wanted: { readonly name?: WireName; readonly type?: RecordType; readonly over?: 'udp' | 'tcp' } & {
    readonly edns?: boolean
    readonly recursion?: boolean
  },
): readonly Direct[] {
  return server.asked.filter(
    (direct) =>
      (wanted.name === undefined || sameName(direct.name, wanted.name)) &&
      (wanted.type === undefined || direct.type === wanted.type) &&
      (wanted.over === undefined || direct.over === wanted.over) &&
      (wanted.edns === undefined || direct.edns === wanted.edns) &&
      direct.recursion === (wanted.recursion ?? false),
  )
}

/** A response read as an answer to its question (RFC 2308 §2), or undefined where none came. */
export function readingOf(direct: Direct): Reading | undefined {
  return direct.outcome.kind === 'response' ? readAnswer(direct.outcome.message, direct.name, direct.type) : undefined
}

export function zoneNamed(facts: Facts, apex: WireName | undefined): ZoneFacts | undefined {
  return apex === undefined ? undefined : facts.zones.find((zone) => sameName(zone.apex, apex))
}

/** The addresses of all exchangers, each with its host. */
export function everyAddress(
  facts: Facts,
): readonly { readonly exchanger: ExchangerFacts; readonly at: ExchangerAddress }[] {
  return facts.exchangers.flatMap((exchanger) => exchanger.addresses.map((at) => ({ exchanger, at })))
}

/** Whether the view is sure that there is nothing: the name or the type does not exist. */
export const isAbsent = (view: View): boolean => view.kind === 'no-data' || view.kind === 'no-such-name'

export const domainSubject = (facts: Facts): Subject => ({ kind: 'domain', name: facts.domain })

export const exchangerSubject = (exchanger: ExchangerFacts): Subject => ({
  kind: 'exchanger',
  name: plainName(exchanger.name),
})

export const addressSubject = (exchanger: ExchangerFacts, address: IpAddress): Subject => ({
  kind: 'address',
  exchanger: plainName(exchanger.name),
  address,
})

export const serverSubject = (zone: ZoneFacts, server: ServerFacts): Subject => ({
  kind: 'name-server',
  zone: plainName(zone.apex),
  name: plainName(server.name),
  address: server.address,
})

/** For people: in lower case and without the final dot; safe to print, whatever the octets are. */
export function plainName(name: WireName): string {
  const text = nameText(foldName(name))
  return text === '.' ? text : text.slice(0, -1)
}

/** Why the name servers of an exchanger's zone were not asked. */
export const whyNoZone = ({ name, zoneUnknown }: ExchangerFacts): NotExamined =>
  zoneUnknown ?? {
    kind: 'not-examined',
    reason: 'depends-on-failed',
    why: `The zone of ${plainName(name)} was not found, so its name servers were not asked.`,
  }
