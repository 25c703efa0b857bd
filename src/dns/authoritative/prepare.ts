/**
 * Makes answers in advance: everything of a message that stands behind its question, as octets. `find-answer.ts` asks for one when a question
 * is asked for the first time and keeps it with the entry; from then on `write-answer.ts` only copies it.
 *
 * Owner names point into the question (RFC 1035 §4.1.4), so they come back in the letter case of the query. Names in data do not: they
 * keep the case of the zone. Pointers say where a name stands in the whole message, so an answer that serves questions of different
 * lengths (a wildcard, "no such name", a referral) is made for the longest question and its pointers are moved.
 * RFC 1034 §4.3.2, RFC 2308, RFC 4592, RFC 6604, RFC 8482, RFC 9471.
 */
import { type Rdata, writeRdata } from '../rdata.ts'
import { classCodes, metaTypeCodes, rcodes, typeCodes } from '../types.ts'
import { foldName, isAtOrBelow, maxNameOctets, parentOf, type WireName } from '../wire-name.ts'
import { Writer } from '../writer.ts'
import type { AnswerKind, Host, Prepared } from './prepared.ts'
import type { Shared } from './shared-answers.ts'
import type { Entry, RecordSet, Zone } from './zone.ts'

/** What an answer needs from outside of its zone. */
export interface World {
  /** Answers that others may have, too. */
  readonly shared: Shared
  host(name: WireName): Host
  /** The A and AAAA sets of a name in any zone that is served here, those that are down left out. @param name  folded */
  addresses(name: WireName): readonly Pick<RecordSet, 'type' | 'ttlSeconds' | 'data'>[]
  /** The set as it is given out: without addresses that are down. */
  shown(entry: Entry, set: RecordSet): Pick<RecordSet, 'type' | 'ttlSeconds' | 'data'>
}

const aaFlag = 0x400
/** RFC 1034 §3.6.2 sets no bound; longer chains are an error, and each link costs every resolver. */
const longestChain = 8
/** Behind this, additional data would only make the message fail. */
const mostBytes = 64_000

/**
 * The answer to a question that this entry answers: at its own name, or below it where it is a wildcard.
 * @param type  any, but ANY is `prepareAny` where the entry is no alias, and what lies behind a cut is `prepareReferral`
 */
export function prepareAnswer(entry: Entry, type: number, world: World): Prepared {
  const draft = new Draft(entry, world)
  // By name: one wildcard entry stands for many.
  const seen = new Set<WireName>(isWildcard(entry) ? [] : [entry.name])
  let at = entry
  let owner: Owner = question
  for (;;) {
    const set = at.sets.find((candidate) => candidate.type === type)
    if (set) {
      draft.answer(owner, at, set)
      draft.addressesOfTargets(set)
      return draft.done('positive', rcodes.noError)
    }
    // RFC 1034 §3.6.2: an alias is followed unless it was asked for itself, or everything was.
    if (!at.alias || type === metaTypeCodes.ANY) return draft.negative('no-data', rcodes.noError)
    draft.answer(owner, at, at.alias)
    const target = aliasTarget(at.alias)
    const found = findInZone(entry.zone, foldName(target))
    if (found.kind === 'elsewhere') return draft.done('positive', rcodes.noError)
    // RFC 6604 §3: the response code is that of the last name.
    if (found.kind === 'nothing') return draft.negative('no-such-name', rcodes.nxDomain)
    if (found.kind === 'cut') return draft.referral(found.entry, false)
    if (seen.has(foldName(target)) || seen.size === longestChain) return draft.done('positive', rcodes.noError)
    seen.add(foldName(target))
    at = found.entry
    owner = { kind: 'name', name: target }
  }
}

/** RFC 8482 §4.2: what is asked for ANY hears that it should ask for what it wants. */
export function prepareAny(entry: Entry, world: World): Prepared {
  const draft = new Draft(entry, world)
  const ttlSeconds = entry.zone.soa.data.minimumSeconds
  const data: Rdata = { type: 'HINFO', cpu: Buffer.from('RFC8482'), os: Buffer.alloc(0) }
  draft.record(question, typeCodes.HINFO, ttlSeconds, data)
  draft.endAnswers()
  return draft.done('positive', rcodes.noError)
}

/** What is at or below a cut: its name servers, without AA (RFC 1034 §4.3.2). */
export function prepareReferral(cut: Entry, world: World): Prepared {
  return new Draft(undefined, world, cut.zone).referral(cut, true)
}

/** "No such name" and "no such data", for every name of the zone. */
export function prepareNegative(zone: Zone, kind: 'no-data' | 'no-such-name', world: World): Prepared {
  return new Draft(undefined, world, zone).negative(kind, kind === 'no-data' ? rcodes.noError : rcodes.nxDomain)
}

/** The types for which something stands behind the alias; for all others the answer is one and the same. */
export function typesBehindAlias(entry: Entry): ReadonlySet<number> {
  const seen = new Set<Entry>()
  for (let at = entry; at.alias && !seen.has(at); ) {
    seen.add(at)
    const found = findInZone(entry.zone, foldName(aliasTarget(at.alias)))
    if (found.kind !== 'entry') return new Set()
    at = found.entry
    if (!at.alias) return new Set(at.sets.map((set) => set.type))
  }
  return new Set()
}

const isWildcard = (entry: Entry) => entry.name.startsWith('\x01*')

function aliasTarget(alias: RecordSet): WireName {
  const [data] = alias.data
  if (data?.type !== 'CNAME') throw new TypeError('an alias without a target')
  return data.target
}

type Found =
  | { readonly kind: 'entry'; readonly entry: Entry }
  | { readonly kind: 'cut'; readonly entry: Entry }
  | { readonly kind: 'nothing' }
  /** Another zone has it. */
  | { readonly kind: 'elsewhere' }

/** The look-up of RFC 1034 §4.3.2 within one zone, for the names behind aliases. @param name  folded */
function findInZone(zone: Zone, name: WireName): Found {
  if (!isAtOrBelow(name, zone.origin)) return { kind: 'elsewhere' }
  for (let at = name; ; at = parentOf(at)) {
    if (zone.parentSides.has(at)) return { kind: 'elsewhere' }
    const entry = zone.entries.get(at)
    if (!entry) continue
    if (entry.isCut) return { kind: 'cut', entry }
    if (at === name) return { kind: 'entry', entry }
    return entry.wildcard ? { kind: 'entry', entry: entry.wildcard } : { kind: 'nothing' }
  }
}

/** Whose a record is. `end-of-question`: the question's name is this name or lies below it. */
type Owner =
  | { readonly kind: 'question' }
  | { readonly kind: 'end-of-question'; readonly name: WireName }
  | { readonly kind: 'name'; readonly name: WireName }

const question: Owner = { kind: 'question' }

/** Shared, because there are as many answers as there are sets. */
const none: readonly never[] = []

/** The part of a message behind the question, while it is written. */
class Draft {
  readonly #writer = new Writer()
  readonly #world: World
  readonly #zone: Zone
  readonly #nameOctets: number
  readonly #start: number
  readonly #hosts: Host[] = []
  readonly #listed = new Set<WireName>()
  readonly #optional: { end: number; additionals: number }[] = []
  #records = 0
  #answers = 0
  #authorities = 0
  #requiredEnd = 0
  #requiredAdditionals = 0
  #flags = aaFlag

  /** @param entry  what the question names, or undefined where that can be any name of the zone */
  constructor(entry: Entry | undefined, world: World, zone?: Zone) {
    const ownZone = entry?.zone ?? zone
    if (!ownZone) throw new TypeError('an answer of no zone')
    this.#zone = ownZone
    this.#world = world
    const isOwnName = entry !== undefined && !isWildcard(entry)
    this.#nameOctets = isOwnName ? entry.name.length : maxNameOctets
    // Header, and the type and class of the question.
    this.#start = 12 + this.#nameOctets + 4
    this.#writer.at = this.#start
    this.#requiredEnd = this.#start
  }

  record(owner: Owner, type: number, ttlSeconds: number, data: Rdata): void {
    const writer = this.#writer
    if (owner.kind === 'question') writer.u16(0xc00c)
    else if (owner.kind === 'end-of-question') this.#pointToEnd(owner.name)
    else writer.name(owner.name, true)
    writer.u16(type)
    writer.u16(classCodes.IN)
    writer.u32(ttlSeconds)
    const start = writer.beginSized()
    writeRdata(writer, data)
    writer.endSized(start)
    this.#records++
  }

  answer(owner: Owner, entry: Entry, set: RecordSet): void {
    const { type, ttlSeconds, data } = this.#world.shown(entry, set)
    if (entry.isHealthy) this.#hosts.push(this.#world.host(entry.name))
    for (const one of data) this.record(owner, type, ttlSeconds, one)
    this.endAnswers()
  }

  endAnswers(): void {
    this.#answers = this.#records
    this.#requiredEnd = this.#writer.at
  }

  negative(kind: 'no-data' | 'no-such-name', rcode: number): Prepared {
    const { soa, origin } = this.#zone
    // RFC 2308 §3, §5: the SOA, for as long as the negative answer may be kept.
    const ttlSeconds = Math.min(soa.ttlSeconds, soa.data.minimumSeconds)
    this.record({ kind: 'end-of-question', name: origin }, typeCodes.SOA, ttlSeconds, soa.data)
    this.#endAuthorities()
    return this.done(this.#answers > 0 && kind === 'no-data' ? 'positive' : kind, rcode)
  }

  /** @param isFirst  whether the question itself leads below the cut, and not an alias */
  referral(cut: Entry, isFirst: boolean): Prepared {
    const servers = cut.sets.find((set) => set.type === typeCodes.NS)
    if (!servers) throw new TypeError('a cut without name servers')
    const owner: Owner = { kind: isFirst ? 'end-of-question' : 'name', name: cut.name }
    for (const one of servers.data) this.record(owner, typeCodes.NS, servers.ttlSeconds, one)
    this.#endAuthorities()
    // RFC 9471 §3: the addresses of servers below the cut are all there, or TC says that they are not.
    for (const target of targetsOf(servers)) if (isAtOrBelow(target, cut.name)) this.#glue(target)
    this.#requiredEnd = this.#writer.at
    this.#requiredAdditionals = this.#records - this.#answers - this.#authorities
    this.addressesOfTargets(servers)
    if (isFirst) this.#flags = 0
    return this.done(isFirst ? 'referral' : 'positive', rcodes.noError)
  }

  /** Addresses of the hosts that the data names, as far as they are served here (RFC 1035 §3.3.9). */
  addressesOfTargets(set: RecordSet): void {
    for (const target of targetsOf(set)) this.#additional(target)
  }

  done(kind: AnswerKind, rcode: number): Prepared {
    const { pointers, at } = this.#writer
    const start = this.#start
    return this.#world.shared.find({
      kind,
      flags: this.#flags,
      rcode,
      body: Buffer.from(this.#writer.done().subarray(start, at)),
      nameOctets: this.#nameOctets,
      // A question for one name has one length.
      pointers: this.#nameOctets < maxNameOctets ? none : pointers.map((place) => place - start),
      answers: this.#answers,
      authorities: this.#authorities,
      requiredEnd: this.#requiredEnd - start,
      requiredAdditionals: this.#requiredAdditionals,
      optional: this.#optional.length === 0 ? none : this.#optional,
      hosts: this.#hosts.length === 0 ? none : this.#hosts,
      stamp: stampOf(this.#hosts),
    })
  }

  #endAuthorities(): void {
    this.#authorities = this.#records - this.#answers
    this.#requiredEnd = this.#writer.at
  }

  #glue(target: WireName): void {
    const name = foldName(target)
    const sets = this.#zone.glue.get(name)
    if (!sets || this.#listed.has(name)) return
    this.#listed.add(name)
    for (const set of sets)
      for (const one of set.data) this.record({ kind: 'name', name: target }, set.type, set.ttlSeconds, one)
  }

  #additional(target: WireName): void {
    const name = foldName(target)
    if (this.#listed.has(name)) return
    this.#listed.add(name)
    this.#hosts.push(this.#world.host(name))
    for (const set of this.#zone.glue.get(name) ?? this.#world.addresses(name)) {
      if (this.#writer.at - this.#start > mostBytes - set.data.length * 300) return
      for (const one of set.data) this.record({ kind: 'name', name: target }, set.type, set.ttlSeconds, one)
      const additionals = this.#records - this.#answers - this.#authorities
      this.#optional.push({ end: this.#writer.at - this.#start, additionals })
    }
  }

  #pointToEnd(name: WireName): void {
    this.#writer.pointers.push(this.#writer.at)
    this.#writer.u16(0xc000 | (12 + this.#nameOctets - name.length))
  }
}

export function stampOf(hosts: readonly Host[]): number {
  let stamp = 0
  for (const host of hosts) stamp += host.version
  return stamp
}

function targetsOf(set: RecordSet): WireName[] {
  return set.data.flatMap((data) => {
    if (data.type === 'MX') return [data.exchange]
    return data.type === 'NS' || data.type === 'SRV' ? [data.target] : []
  })
}
