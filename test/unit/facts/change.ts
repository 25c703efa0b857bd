/** Ways to change one thing in facts: a session, an address, an answer. */
import type {
  Direct,
  DirectOutcome,
  ExchangerAddress,
  ExchangerFacts,
  Facts,
  ServerFacts,
  ZoneFacts,
} from '../../../src/checks/facts.ts'
import type { RecordType } from '../../../src/dns/types.ts'
import type { ProbedSession } from '../../../src/smtp/probe-facts.ts'
import { wire } from './names.ts'

/** @param index  of the exchanger, best first */
export function changeExchanger(
  facts: Facts,
  index: number,
  change: Partial<ExchangerFacts> | ((exchanger: ExchangerFacts) => ExchangerFacts),
): Facts {
  return {
    ...facts,
    exchangers: facts.exchangers.map((exchanger, at) => (at === index ? applied(exchanger, change) : exchanger)),
  }
}

/** @param index  of the address, over all exchangers: 0 and 1 are IPv4 and IPv6 of the first, 2 and 3 of the second */
export function changeAddress(
  facts: Facts,
  index: number,
  change: Partial<ExchangerAddress> | ((at: ExchangerAddress) => ExchangerAddress),
): Facts {
  let at = 0
  const exchangers = facts.exchangers.map((exchanger) => ({
    ...exchanger,
    addresses: exchanger.addresses.map((address) => (at++ === index ? applied(address, change) : address)),
  }))
  return { ...facts, exchangers }
}

/** Changes the first session at one address (see `changeAddress`), or with 'all' at every one. */
export function changeSession(
  facts: Facts,
  index: number | 'all',
  change: Partial<ProbedSession> | ((session: ProbedSession) => ProbedSession),
): Facts {
  const count = facts.exchangers.reduce((sum, { addresses }) => sum + addresses.length, 0)
  const all = index === 'all' ? Array.from({ length: count }, (_, at) => at) : [index]
  return all.reduce(
    (changed, at) =>
      changeAddress(changed, at, (address) => {
        if (address.smtp.kind !== 'probed') throw new Error('there is no session to change')
        const [first, ...later] = address.smtp.sessions
        return { ...address, smtp: { ...address.smtp, sessions: [applied(first, change), ...later] } }
      }),
    facts,
  )
}

/** @param index  of the zone in `facts.zones` */
export function changeZone(
  facts: Facts,
  index: number,
  change: Partial<ZoneFacts> | ((zone: ZoneFacts) => ZoneFacts),
): Facts {
  return { ...facts, zones: facts.zones.map((zone, at) => (at === index ? applied(zone, change) : zone)) }
}

/** @param index  of the server's address in the first zone: 0 and 1 are ns1 by IPv4 and IPv6, and so on */
export function changeServer(
  facts: Facts,
  index: number,
  change: Partial<ServerFacts> | ((server: ServerFacts) => ServerFacts),
): Facts {
  return changeZone(facts, 0, (zone) => ({
    ...zone,
    servers: zone.servers.map((server, at) => (at === index ? applied(server, change) : server)),
  }))
}

/** Makes a server say something else to what it was asked. @param over  default: over both */
export function changeAnswer(
  facts: Facts,
  index: number,
  name: string,
  type: RecordType,
  outcome: DirectOutcome,
  over?: 'udp' | 'tcp',
): Facts {
  return changeServer(facts, index, (server) => {
    const isMeant = (one: Direct) => one.name === wire(name) && one.type === type && (over ?? one.over) === one.over
    if (!server.asked.some(isMeant)) throw new Error(`the server was not asked ${type} ${name}`)
    return { ...server, asked: server.asked.map((one) => (isMeant(one) ? { ...one, outcome } : one)) }
  })
}

const applied = <T extends object>(before: T, change: Partial<T> | ((before: T) => T)): T =>
  typeof change === 'function' ? change(before) : { ...before, ...change }
