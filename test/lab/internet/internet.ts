/**
 * A small internet for the checks, on loopback: a root, zones below it with name servers of their own (all on one port, each at its own
 * address), and a recursive resolver that knows them all and says AD of signed zones. Signatures are for show; what validation would say is
 * one of a zone's words. Faults are functions of the question; everything ends with the test.
 */
import type { TestContext } from 'node:test'
import type { IpAddress } from '../../../src/base/ip.ts'
import { encodeMessage, type Message, type Question } from '../../../src/dns/message.ts'
import type { NameServer } from '../../../src/dns/servers.ts'
import { rcodes, typeName } from '../../../src/dns/types.ts'
import { foldName, nameText } from '../../../src/dns/wire-name.ts'
import { freeAddress } from '../loopback.ts'
import { labAddress, labName } from '../names.ts'
import { authoritative, blank, deepest, recursive } from './answer.ts'
import { commonPort, listen } from './listen.ts'
import type { InternetWords, LabFault } from './words.ts'
import { readZone } from './zone.ts'

export interface LabInternet {
  readonly port: number
  readonly resolver: NameServer
  readonly rootHints: readonly IpAddress[]
  addressOf(server: string): IpAddress
  /** Every question to an authoritative server: `127.1.2.3 udp MX example.lab.` */
  readonly asked: readonly string[]
  /** The same of the resolver. */
  readonly resolved: readonly string[]
}

export async function startInternet(t: TestContext, words: InternetWords): Promise<LabInternet> {
  const addresses = new Map<string, string>()
  for (const { servers } of Object.values(words.zones))
    for (const { name, address } of servers)
      addresses.set(key(name), address ?? addresses.get(key(name)) ?? freeAddress())
  const addressOf = (name: string) => addresses.get(key(name)) ?? fail(`${name} is no server of the lab`)

  const zones = Object.entries(words.zones).map(([apex, zone]) =>
    readZone(apex, zone, zone.records, undefined, words, addressOf),
  )
  const asked: string[] = []
  const resolved: string[] = []
  const hosts = [...new Set(addresses.values())]
  // It stands on this machine, so that its AD is believed (RFC 4035 §4.9.3).
  const resolverAddress = freeAddress('127')
  const port = await commonPort([...hosts, resolverAddress])

  for (const address of hosts) {
    const own = Object.entries(words.zones).flatMap(([apex, zone]) =>
      zone.servers
        .filter(({ name }) => addressOf(name) === address)
        .map((server) => ({
          server,
          zone: readZone(apex, zone, server.records ?? zone.records, server.serial, words, addressOf),
        })),
    )
    await listen(t, address, port, (query, question, over) => {
      asked.push(`${address} ${over} ${typeName(question.type)} ${nameText(question.name)}`)
      const best = deepest(
        own.map(({ zone }) => zone),
        question,
      )
      const right = best ? authoritative(query, question, best) : { ...blank(query), rcode: rcodes.refused }
      const fault = own.find(({ zone }) => zone === best)?.server.fault ?? own[0]?.server.fault
      return faulty(query, question, over, right, fault)
    })
  }
  await listen(t, resolverAddress, port, (query, question, over) => {
    resolved.push(`${over} ${typeName(question.type)} ${nameText(question.name)}${query.checkingDisabled ? ' CD' : ''}`)
    return faulty(
      query,
      question,
      over,
      recursive(query, question, zones, words.validates ?? true),
      words.resolverFault,
    )
  })
  const roots = words.zones['.']?.servers ?? fail('a lab has a root')
  return {
    port,
    resolver: { address: labAddress(resolverAddress), port },
    rootHints: roots.map(({ name }) => labAddress(addressOf(name))),
    addressOf: (name) => labAddress(addressOf(name)),
    asked,
    resolved,
  }
}

const key = (name: string) => foldName(labName(name))

function fail(why: string): never {
  throw new Error(why)
}

function faulty(
  query: Message,
  question: Question,
  over: 'udp' | 'tcp',
  right: Message,
  fault: LabFault | undefined,
): Buffer | undefined {
  const change = fault?.(
    { type: typeName(question.type), name: nameText(foldName(question.name)), over, edns: query.edns !== undefined },
    right,
  )
  if (change === 'silence') return undefined
  const maxBytes = over === 'tcp' ? 65_535 : Math.max(512, query.edns?.udpBytes ?? 512)
  return encodeMessage({ ...right, ...change }, maxBytes)
}
