/**
 * The yardstick: the least that a UDP server in Node can do and still answer these questions. One socket, the question's octets as a string,
 * a `Map` from it to a finished message, the id put in, sent. No letter case, EDNS, limits, wildcards or TCP, and "no such name" without
 * an SOA. Started by `contenders.ts` as `node bare-map.ts ADDRESS PORT DOMAINS`.
 */
import { createSocket } from 'node:dgram'
import type { ZoneRecord } from '../../src/dns/authoritative/zone.ts'
import { encodeMessage, query } from '../../src/dns/message.ts'
import { rdataCode } from '../../src/dns/rdata.ts'
import { classCodes } from '../../src/dns/types.ts'
import { zoneOf } from '../../test/lab/zone-lines.ts'
import { zones } from './load.ts'

const [address = '', port, domains] = process.argv.slice(2)

const answers = new Map<string, Buffer>()
const addressesOf = new Map<string, ZoneRecord[]>()
for (const { origin, lines } of zones(Number(domains))) {
  const sets = new Map<string, ZoneRecord[]>()
  for (const record of zoneOf(origin, lines).records) {
    const key = `${record.name} ${rdataCode(record.data)}`
    sets.set(key, [...(sets.get(key) ?? []), record])
    if ('address' in record.data) addressesOf.set(record.name, [...(addressesOf.get(record.name) ?? []), record])
  }
  for (const records of sets.values()) add(records)
}

function add(records: readonly ZoneRecord[]): void {
  const [first] = records
  if (!first) return
  const withClass = (some: readonly ZoneRecord[]) => some.map((record) => ({ ...record, class: classCodes.IN }))
  const hosts = records.flatMap(({ data }) => (data.type === 'MX' ? (addressesOf.get(data.exchange) ?? []) : []))
  const question = query(first.name, rdataCode(first.data), 0, undefined)
  const message = encodeMessage({
    ...{ ...question, isResponse: true, authoritative: true, recursionDesired: false, authenticData: false },
    ...{ answers: withClass(records), additionals: withClass(hosts) },
  })
  // Name, type and class, as they stand in the question.
  answers.set(message.toString('latin1', 12, 12 + first.name.length + 4), message)
}

const socket = createSocket({
  type: 'udp4',
  lookup: (host, _options, found) => found(null, host, 4),
  recvBufferSize: 4 * 1024 * 1024,
})
socket.on('message', (message, from) => {
  const found = answers.get(message.toString('latin1', 12))
  if (found) {
    found[0] = message[0] ?? 0
    found[1] = message[1] ?? 0
    socket.send(found, from.port, from.address)
  } else {
    message[2] = 0x84
    message[3] = 3
    socket.send(message, from.port, from.address)
  }
})
socket.bind(Number(port), address)
