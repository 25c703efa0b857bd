/** Which questions the authoritative servers of a zone are asked: those of each address, and those of one address of each server. Pure. */

import type { HostName } from '../../dns/name.ts'
import { nameFromHost, nameFromLabels, type WireName } from '../../dns/wire-name.ts'
import type { Part } from '../rule.ts'
import type { DirectQuestion } from './inquiry.ts'

/** What mail wants of a zone. */
export interface ZoneWork {
  /** The mail domain, where it is in this zone. */
  readonly domain: WireName | undefined
  /** Exchangers with their addresses in it. */
  readonly hosts: readonly HostName[]
  readonly serves: readonly WireName[]
  readonly parts: ReadonlySet<Part>
  /** A name of nobody in a zone of somebody else, to see whether recursion is offered: it cannot be in a cache. */
  readonly foreign: WireName
}

/** Of each address, beside SOA over UDP. */
export function questionsForAll({ domain, hosts }: ZoneWork): readonly DirectQuestion[] {
  if (domain) {
    return [
      { name: domain, type: 'MX' },
      { name: domain, type: 'MX', over: 'tcp' },
    ]
  }
  const [host] = hosts
  return host ? [{ name: nameFromHost(host), type: 'A', over: 'tcp' }] : []
}

/** Of one address of each server. */
export function questionsForOne(
  apex: WireName,
  { domain, hosts, parts, foreign }: ZoneWork,
): readonly DirectQuestion[] {
  const questions: DirectQuestion[] = [
    { name: apex, type: 'NS' },
    { name: foreign, type: 'A', recursion: true },
  ]
  if (parts.has('dnssec')) questions.push({ name: apex, type: 'DNSKEY' })
  if (domain) {
    questions.push({ name: domain, type: 'TXT' }, { name: domain, type: 'CNAME' })
    // A type that nobody has: the NSEC record of the denial lists those that the name has (RFC 4035 §3.1.3.1).
    if (parts.has('dnssec')) questions.push({ name: domain, type: 'HINFO' })
  }
  for (const host of hosts.slice(0, mostHosts)) questions.push(...questionsForHost(nameFromHost(host), parts))
  return questions
}

/** The budget of queries is for all of them together. */
const mostHosts = 4

function questionsForHost(host: WireName, parts: ReadonlySet<Part>): readonly DirectQuestion[] {
  const questions: DirectQuestion[] = [
    { name: host, type: 'A' },
    { name: host, type: 'AAAA' },
  ]
  if (parts.has('caa')) questions.push({ name: host, type: 'CAA' })
  const [tlsa, parent] = [below(host, '_25', '_tcp'), below(host, '_tcp')]
  // An empty non-terminal: a server that denies it hides the TLSA records below (RFC 8020 §2).
  if (parts.has('tlsa') && tlsa && parent) questions.push({ name: tlsa, type: 'TLSA' }, { name: parent, type: 'TXT' })
  return questions
}

/** `below(mx1.example.com, '_25', '_tcp')` is `_25._tcp.mx1.example.com`; undefined where that would be too long a name. */
export function below(name: WireName, ...labels: readonly string[]): WireName | undefined {
  const front = nameFromLabels(labels)
  if (front.kind === 'invalid') return undefined
  const whole = front.name.slice(0, -1) + name
  return whole.length <= 255 ? (whole as WireName) : undefined
}
