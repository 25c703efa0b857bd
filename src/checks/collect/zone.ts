/**
 * One zone: its name servers as the parent and as the zone itself name them, and what each address of each of them answers to the questions
 * that decide whether mail arrives. `questions.ts` says which.
 */
import { type IpAddress, isIpv6 } from '../../base/ip.ts'
import { foldName, sameName, type WireName } from '../../dns/wire-name.ts'
import type { Delegation, Direct, NameServerName, ServerFacts, ZoneFacts } from '../facts.ts'
import { type DirectQuestion, dislikesEdns, type Inquiry, notExamined } from './inquiry.ts'
import { questionsForAll, questionsForOne, type ZoneWork } from './questions.ts'
import { glueOf, type Located } from './tree.ts'

/** Real zones have 13 at most; a hostile one has hundreds. */
const mostNames = 13
const mostAddressesAName = 4

export async function collectZone(
  apex: WireName,
  delegation: Located['delegation'],
  work: ZoneWork,
  inquiry: Inquiry,
): Promise<ZoneFacts> {
  const notAsked = notExamined('not-wanted', 'DNSSEC was left out.')
  const wantsDnssec = work.parts.has('dnssec')
  const [nameServers, ds, dnskey, nsec3param] = await Promise.all([
    work.parts.has('name-servers') ? namesOf(apex, delegation, inquiry) : [],
    wantsDnssec ? inquiry.view(apex, 'DS') : notAsked,
    wantsDnssec ? inquiry.view(apex, 'DNSKEY') : notAsked,
    wantsDnssec ? inquiry.view(apex, 'NSEC3PARAM') : notAsked,
  ])
  const servers = await Promise.all(
    placesOf(nameServers, inquiry).map((place) => askServer(place, apex, work, inquiry)),
  )
  return {
    apex,
    serves: work.serves,
    delegation,
    nameServers: named(nameServers, servers, apex),
    servers,
    ds,
    dnskey,
    nsec3param,
  }
}

async function namesOf(apex: WireName, delegation: Delegation, inquiry: Inquiry): Promise<NameServerName[]> {
  const atParent =
    delegation.kind === 'delegated'
      ? delegation.referral.authorities.flatMap(({ name, data }) =>
          data.type === 'NS' && sameName(name, apex) ? [data.target] : [],
        )
      : []
  const view = await inquiry.view(apex, 'NS')
  const atApex = view.kind === 'answer' ? view.records.map(({ data }) => data.target) : []
  const names = new Map([...atParent, ...atApex].map((name) => [foldName(name), name]))
  const has = (set: readonly WireName[], name: WireName) => set.some((one) => sameName(one, name))
  return Promise.all(
    [...names.values()].slice(0, mostNames).map(async (name): Promise<NameServerName> => {
      const [a, aaaa] = await Promise.all([inquiry.view(name, 'A'), inquiry.view(name, 'AAAA')])
      const glue = delegation.kind === 'delegated' ? glueOf(delegation.referral, name) : []
      return { name, atParent: has(atParent, name), atApex: has(atApex, name), glue, a, aaaa }
    }),
  )
}

interface Place {
  readonly name: WireName
  readonly address: IpAddress
  /** Whether it is the one address of its server that is asked the long list. */
  readonly isFirst: boolean
}

/** Each address once. Glue stands in where the addresses of a name cannot be looked up, because its zone is this one and dead. */
function placesOf(names: readonly NameServerName[], { options }: Inquiry): readonly Place[] {
  const places: Place[] = []
  for (const { name, a, aaaa, glue } of names) {
    const looked = [a, aaaa].flatMap((view) =>
      view.kind === 'answer' ? view.records.map(({ data }) => data.address) : [],
    )
    const all = [...new Set(looked.length > 0 ? looked : glue)].slice(0, mostAddressesAName)
    const wanted = all.filter(
      (address) => options.families === 'both' || isIpv6(address) === (options.families === 'ipv6'),
    )
    for (const [index, address] of wanted.entries()) {
      if (!places.some((place) => place.address === address)) places.push({ name, address, isFirst: index === 0 })
    }
  }
  return places
}

async function askServer(
  { name, address, isFirst }: Place,
  apex: WireName,
  work: ZoneWork,
  inquiry: Inquiry,
): Promise<ServerFacts> {
  // The zone of exchangers in another hand: whole lists of domains depend on it.
  const isShared = work.domain === undefined
  const first = await ask(address, { name: apex, type: 'SOA', isShared }, inquiry)
  // Who gives no word over UDP is only asked whether TCP works; everything else would wait as long again.
  const isDumb = first.every(({ outcome }) => outcome.kind !== 'response')
  const questions = isDumb
    ? [{ name: apex, type: 'SOA', over: 'tcp' } as const]
    : [...questionsForAll(work), ...(isFirst ? questionsForOne(apex, work) : [])]
  const rest = await Promise.all(questions.map((question) => ask(address, { ...question, isShared }, inquiry)))
  return { name, address, asked: [...first, ...rest.flat()] }
}

/** The answer, and where EDNS seems to be what is wrong, the one without it. */
async function ask(address: IpAddress, question: DirectQuestion, inquiry: Inquiry): Promise<Direct[]> {
  const direct = await inquiry.direct(address, question)
  const { outcome } = direct
  if (outcome.kind === 'response' && outcome.message.truncated && direct.over === 'udp')
    return [direct, await inquiry.direct(address, { ...question, over: 'tcp' })]
  if (!dislikesEdns(direct)) return [direct]
  return [direct, await inquiry.direct(address, { ...question, edns: false })]
}

/** What the zone says of its own NS set counts where one of its servers said it; the resolver may have taken it from the parent. */
function named(names: readonly NameServerName[], servers: readonly ServerFacts[], apex: WireName): NameServerName[] {
  const sets = servers
    .flatMap(({ asked }) => asked)
    .flatMap(({ type, outcome }) => {
      if (type !== 'NS' || outcome.kind !== 'response' || !outcome.message.authoritative) return []
      const set = outcome.message.answers.flatMap(({ name, data }) =>
        data.type === 'NS' && sameName(name, apex) ? [data.target] : [],
      )
      return set.length > 0 ? [set] : []
    })
  if (sets.length === 0) return [...names]
  return names.map((one) => ({ ...one, atApex: sets.some((set) => set.some((name) => sameName(name, one.name))) }))
}
