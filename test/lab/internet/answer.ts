/** What the servers of the small internet answer where nothing is wrong: an authoritative one of its zone, the recursive one of all. */
import type { DnsRecord, Message, Question } from '../../../src/dns/message.ts'
import type { RdataOf } from '../../../src/dns/rdata.ts'
import { type RecordType, rcodes, typeCodes, typeName } from '../../../src/dns/types.ts'
import { isAtOrBelow, parentOf, rootWireName, sameName, type WireName } from '../../../src/dns/wire-name.ts'
import { labRecord } from '../records.ts'
import { soa, type Zone } from './zone.ts'

export const blank = (query: Message): Message => ({
  ...query,
  isResponse: true,
  authenticData: false,
  recursionAvailable: false,
  answers: [],
  authorities: [],
  additionals: [],
  edns: query.edns && { udpBytes: 1232, version: 0, dnssecOk: query.edns.dnssecOk, options: [] },
})

/** The zone of a server that a question is for; DS belongs to the parent, where that is here too. */
export function deepest(zones: readonly Zone[], { name, type }: Question): Zone | undefined {
  const isOwn = ({ apex }: Zone) => isAtOrBelow(name, apex) && !(type === typeCodes.DS && sameName(apex, name))
  const fitting = zones.filter(isOwn).sort((one, other) => other.apex.length - one.apex.length)
  return fitting[0]
}

export function authoritative(query: Message, question: Question, zone: Zone): Message {
  const cut = cutFor(question, zone)
  const right = blank(query)
  if (!cut) return { ...right, authoritative: true, ...lookUp(question, zone, query.edns?.dnssecOk === true) }
  const set = zone.records.filter((one) => one.data.type === 'NS' && sameName(one.name, cut))
  const glue = set.flatMap(({ data }) =>
    data.type === 'NS'
      ? zone.records.filter(
          (one) => (one.data.type === 'A' || one.data.type === 'AAAA') && sameName(one.name, data.target),
        )
      : [],
  )
  return { ...right, authoritative: false, authorities: set, additionals: glue }
}

function cutFor({ name, type }: Question, zone: Zone): WireName | undefined {
  for (let at = name; isAtOrBelow(at, zone.apex) && !sameName(at, zone.apex); at = parentOf(at)) {
    if (type === typeCodes.DS && sameName(at, name)) continue
    if (zone.records.some((one) => one.data.type === 'NS' && sameName(one.name, at))) return at
  }
  return undefined
}

type Part = Pick<Message, 'rcode' | 'answers' | 'authorities'>

function lookUp({ name, type }: Question, zone: Zone, withSignatures: boolean): Part {
  const own = zone.records.filter((one) => sameName(one.name, name))
  const exists = own.length > 0 || zone.records.some((one) => isAtOrBelow(one.name, name))
  const here = exists ? own : wildcardOf(name, zone)
  const isSigned = withSignatures && (zone.words.isSigned ?? true)
  const wanted = here.filter(({ data }) => typeName(type) === data.type || data.type === 'CNAME')
  const found = wanted.some(({ data }) => data.type === typeName(type))
    ? wanted.filter(({ data }) => data.type === typeName(type))
    : wanted
  const [first] = found
  if (first) {
    const signature = isSigned ? [labRecord(first.name, rrsig(first.data.type as RecordType, zone.apex))] : []
    return { rcode: rcodes.noError, answers: [...found, ...signature], authorities: [] }
  }
  const authorities: DnsRecord[] = [labRecord(zone.apex, soa(zone.apex, 1))]
  if (isSigned) {
    const types = [...new Set(here.map(({ data }) => (data.type === 'opaque' ? data.code : typeCodes[data.type])))]
    authorities.push(labRecord(zone.apex, rrsig('SOA', zone.apex)))
    authorities.push(
      labRecord(name, { type: 'NSEC', next: zone.apex, types }),
      labRecord(name, rrsig('NSEC', zone.apex)),
    )
  }
  return { rcode: exists || here.length > 0 ? rcodes.noError : rcodes.nxDomain, answers: [], authorities }
}

/** RFC 4592 §3.3.1: the wildcard at the closest name that exists. */
function wildcardOf(name: WireName, zone: Zone): readonly DnsRecord[] {
  for (let at = parentOf(name); isAtOrBelow(at, zone.apex); at = parentOf(at)) {
    const found = zone.records.filter((one) => one.name === `\x01*${at}`)
    if (found.length > 0) return found.map((one) => ({ ...one, name }))
    if (zone.records.some((one) => isAtOrBelow(one.name, at)) || at === rootWireName) return []
  }
  return []
}

const rrsig = (covered: RecordType, signer: WireName): RdataOf<'RRSIG'> => ({
  type: 'RRSIG',
  covered: typeCodes[covered],
  algorithm: 13,
  labels: 2,
  originalTtlSeconds: 300,
  inception: Math.floor(Date.now() / 1000) - 86_400,
  expiration: Math.floor(Date.now() / 1000) + 20 * 86_400,
  keyTag: 1,
  signer,
  signature: Buffer.alloc(64, 1),
})

export function recursive(query: Message, question: Question, zones: readonly Zone[], validates: boolean): Message {
  const right = { ...blank(query), recursionAvailable: true }
  const answers: DnsRecord[] = []
  let isSecure = validates
  let name = question.name
  for (let links = 0; links < 12; links++) {
    const zone = deepest(zones, { ...question, name })
    const isDead = zone?.words.state === 'dead'
    const isBogus = zone?.words.state === 'bogus' && validates && !query.checkingDisabled
    if (!zone || isDead || isBogus) {
      const options = isBogus ? [{ code: 15, data: Buffer.from([0, 6, ...Buffer.from('bogus')]) }] : []
      return { ...right, rcode: rcodes.servFail, edns: right.edns && { ...right.edns, options } }
    }
    isSecure &&= (zone.words.isSigned ?? true) && !query.checkingDisabled
    const part = lookUp({ ...question, name }, zone, false)
    answers.push(...part.answers)
    const alias = part.answers.find(({ data }) => data.type === 'CNAME')
    if (alias?.data.type !== 'CNAME' || question.type === typeCodes.CNAME)
      return { ...right, rcode: part.rcode, answers, authorities: part.authorities, authenticData: isSecure }
    name = alias.data.target
  }
  return { ...right, rcode: rcodes.servFail, answers }
}
