/** A zone of the small internet, with the records that its place in the tree gives it: its name servers, delegations with glue, DS. */
import { isIpv6 } from '../../../src/base/ip.ts'
import type { DnsRecord } from '../../../src/dns/message.ts'
import type { Rdata, RdataOf } from '../../../src/dns/rdata.ts'
import { isAtOrBelow, sameName, type WireName } from '../../../src/dns/wire-name.ts'
import { labAddress, labName } from '../names.ts'
import { type LabRecords, labRecord, recordsOf } from '../records.ts'
import type { InternetWords, LabZoneWords } from './words.ts'

export interface Zone {
  readonly apex: WireName
  readonly words: LabZoneWords
  readonly records: readonly DnsRecord[]
}

export function readZone(
  apexText: string,
  words: LabZoneWords,
  records: Readonly<Record<string, LabRecords>>,
  serial: number | undefined,
  internet: InternetWords,
  addressOf: (name: string) => string,
): Zone {
  const apex = labName(apexText)
  const made: DnsRecord[] = [
    labRecord(apex, soa(apex, serial ?? 1)),
    ...words.servers.map(({ name }) => labRecord(apex, { type: 'NS', target: labName(name) })),
    ...Object.entries(records).flatMap(([name, node]) => recordsOf(labName(name), node)),
  ]
  // Each zone below is delegated with glue, and with DS where both are signed.
  for (const [childText, child] of Object.entries(internet.zones)) {
    const childApex = labName(childText)
    if (sameName(childApex, apex) || !isParent(apexText, childText, internet)) continue
    for (const { name } of child.servers) made.push(labRecord(childApex, { type: 'NS', target: labName(name) }))
    if (child.isSigned ?? true)
      made.push(
        labRecord(childApex, { type: 'DS', keyTag: 1, algorithm: 13, digestType: 2, digest: Buffer.alloc(32, 1) }),
      )
  }
  // A server's address is known where its name is, and as glue above.
  for (const { name } of Object.values(internet.zones).flatMap(({ servers }) => servers)) {
    const owner = labName(name)
    const data: Rdata = {
      type: isIpv6(labAddress(addressOf(name))) ? 'AAAA' : 'A',
      address: labAddress(addressOf(name)),
    }
    if (isAtOrBelow(owner, apex) && !made.some((one) => sameName(one.name, owner) && one.data.type === data.type))
      made.push(labRecord(owner, data))
  }
  return { apex, words, records: made }
}

/** Whether `parent` is the nearest zone above `child`. */
function isParent(parent: string, child: string, { zones }: InternetWords): boolean {
  const above = Object.keys(zones).filter(
    (zone) => !sameName(labName(zone), labName(child)) && isAtOrBelow(labName(child), labName(zone)),
  )
  const nearest = above.sort((one, other) => labName(other).length - labName(one).length)[0]
  return nearest !== undefined && sameName(labName(nearest), labName(parent))
}

export const soa = (apex: WireName, serial: number): RdataOf<'SOA'> => ({
  type: 'SOA',
  primary: apex,
  mailbox: apex,
  serial,
  refreshSeconds: 3600,
  retrySeconds: 600,
  expireSeconds: 86_400,
  minimumSeconds: 300,
})
