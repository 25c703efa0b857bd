/**
 * What an SPF record costs its receivers: the look-ups of RFC 7208 §4.6.4, counted over all that it includes, along the longest way: that of
 * a sender whom nothing matches. Used by checks and by plans that add an include. The look-ups themselves are handed in.
 */
import { type HostName, parseName } from '../dns/name.ts'
import { type DomainSpec, parseSpf, type SpfRecord, type SpfTerm, selectSpf } from './spf.ts'
import { expandForDomain } from './spf-macro.ts'

export type SpfAnswer<T> =
  | { readonly kind: 'found'; readonly value: T }
  /** The name does not exist, or has nothing of the type: a void look-up. */
  | { readonly kind: 'none' }
  | { readonly kind: 'failed'; readonly why: string }

/** Each has its own deadline, and follows aliases. */
export interface SpfLookup {
  /** All TXT records, as `txtText` gives them. */
  txt(name: HostName): Promise<SpfAnswer<readonly string[]>>
  mx(name: HostName): Promise<SpfAnswer<readonly HostName[]>>
  /** Whether there are any. */
  ipv4(name: HostName): Promise<SpfAnswer<unknown>>
  ipv6(name: HostName): Promise<SpfAnswer<unknown>>
}

export type SpfTrouble = {
  /** The record in which it is, and the term that led to it. */
  readonly domain: HostName
  readonly term: SpfTerm | undefined
} & (
  | {
      readonly kind: /** An include or redirect leads to no record: a permanent error (§5.2, §6.1). */
        | 'no-record'
        | 'several-records'
        | 'malformed'
        /** A record includes itself. */
        | 'loop'
        /** More than ten exchangers behind one `mx` (§4.6.4). */
        | 'too-many-mx'
        /** The name that comes out is none: the term never matches (§4.3). */
        | 'no-name'
        /** What the name is hangs on the message, so that nobody can say what it costs. */
        | 'depends-on-message'
        /** The tree is too large to be walked. */
        | 'unfinished'
    }
  | { readonly kind: 'lookup-failed'; readonly why: string }
)

/** One term that asks. */
export interface SpfStep {
  readonly term: SpfTerm
  /** Undefined where macros hide it. */
  readonly target: HostName | undefined
  /** With those of the record behind it. */
  readonly lookups: number
  readonly child: SpfNode | undefined
}

export interface SpfNode {
  readonly domain: HostName
  /** Undefined where there is none, or none that can be read. */
  readonly record: SpfRecord | undefined
  readonly steps: readonly SpfStep[]
  readonly lookups: number
}

export interface SpfCost {
  readonly root: SpfNode
  /** Terms that ask; over 10 are a permanent error. */
  readonly lookups: number
  /** Answers without anything; over 2 may be a permanent error. For an IPv4 or an IPv6 client, whichever has more. */
  readonly voidLookups: number
  /** How many records deep the deepest include is; 1 for a record without any. */
  readonly depth: number
  readonly troubles: readonly SpfTrouble[]
}

/** RFC 7208 §4.6.4 */
export const maxSpfLookups = 10
export const maxSpfVoidLookups = 2
const maxMxHosts = 10

/** Real trees have some dozens of terms; a hostile one grows as long as somebody asks. */
const mostTerms = 200
const mostDepth = 20

interface Walk {
  readonly lookup: SpfLookup
  readonly troubles: SpfTrouble[]
  readonly voids: { ipv4: number; ipv6: number }
  terms: number
  depth: number
}

/** @param record  of the domain, which was found already */
export async function countSpfLookups(domain: HostName, record: SpfRecord, lookup: SpfLookup): Promise<SpfCost> {
  const walk: Walk = { lookup, troubles: [], voids: { ipv4: 0, ipv6: 0 }, terms: 0, depth: 0 }
  const root = await walkRecord(walk, domain, record, [domain])
  const voidLookups = Math.max(walk.voids.ipv4, walk.voids.ipv6)
  return { root, lookups: root.lookups, voidLookups, depth: walk.depth, troubles: walk.troubles }
}

/** @param path  the domains from the first record to this one */
async function walkRecord(
  walk: Walk,
  domain: HostName,
  record: SpfRecord,
  path: readonly HostName[],
): Promise<SpfNode> {
  walk.depth = Math.max(walk.depth, path.length)
  const steps: SpfStep[] = []
  for (const term of termsThatAsk(record)) {
    if (++walk.terms > mostTerms || path.length > mostDepth) {
      walk.troubles.push({ kind: 'unfinished', domain, term })
      break
    }
    steps.push(await walkTerm(walk, domain, term, path))
  }
  return { domain, record, steps, lookups: steps.reduce((sum, step) => sum + step.lookups, 0) }
}

/** RFC 7208 §5.1: what stands behind `all` is ignored, and a redirect beside it. The redirect comes last, wherever it stands (§6.1). */
function termsThatAsk(record: SpfRecord): SpfTerm[] {
  const all = record.terms.findIndex((term) => term.kind === 'all')
  const asked = all < 0 ? record.terms : record.terms.slice(0, all)
  const mechanisms = asked.filter((term) => ['include', 'a', 'mx', 'ptr', 'exists'].includes(term.kind))
  const redirects = all < 0 ? record.terms.filter((term) => term.kind === 'redirect') : []
  return [...mechanisms, ...redirects]
}

async function walkTerm(walk: Walk, domain: HostName, term: SpfTerm, path: readonly HostName[]): Promise<SpfStep> {
  const target = targetOf(walk, domain, term)
  if (target === undefined) return { term, target, lookups: 1, child: undefined }
  const step = { term, target, lookups: 1, child: undefined }
  switch (term.kind) {
    case 'include':
    case 'redirect': {
      const child = await walkChild(walk, domain, term, target, path)
      return { ...step, lookups: 1 + (child?.lookups ?? 0), child }
    }
    case 'a':
      await askAddresses(walk, domain, term, target)
      return step
    case 'mx':
      await askExchangers(walk, domain, term, target)
      return step
    case 'exists':
      // §5.7: A, whatever the client's family.
      if (isVoid(walk, domain, term, await walk.lookup.ipv4(target))) countVoid(walk, 'both')
      return step
    default:
      // ptr asks for the client's address, which is nobody's here.
      return step
  }
}

function targetOf(walk: Walk, domain: HostName, term: SpfTerm): HostName | undefined {
  const spec: DomainSpec | undefined = 'domain' in term ? term.domain : undefined
  if (spec === undefined) return domain
  const text = expandForDomain(spec.parts, domain)
  if (text === undefined) {
    walk.troubles.push({ kind: 'depends-on-message', domain, term })
    return undefined
  }
  // The root and one label are no mail domains (§4.3).
  const parsed = parseName(text)
  if (parsed.kind === 'name' && parsed.name.includes('.') && parsed.name !== '.') return parsed.name
  walk.troubles.push({ kind: 'no-name', domain, term })
  return undefined
}

async function walkChild(
  walk: Walk,
  domain: HostName,
  term: SpfTerm,
  target: HostName,
  path: readonly HostName[],
): Promise<SpfNode | undefined> {
  const trouble = (kind: 'loop' | 'no-record' | 'several-records' | 'malformed') =>
    walk.troubles.push({ kind, domain, term })
  if (path.includes(target)) {
    trouble('loop')
    return undefined
  }
  const empty: SpfNode = { domain: target, record: undefined, steps: [], lookups: 0 }
  const answer = await walk.lookup.txt(target)
  if (isVoid(walk, domain, term, answer)) countVoid(walk, 'both')
  if (answer.kind === 'failed') return empty
  const selected = selectSpf(answer.kind === 'found' ? answer.value : [])
  if (selected.kind !== 'one') {
    trouble(selected.kind === 'none' ? 'no-record' : 'several-records')
    return empty
  }
  const parsed = parseSpf(selected.text)
  if (parsed.kind === 'spf') return walkRecord(walk, target, parsed.record, [...path, target])
  trouble('malformed')
  return empty
}

async function askAddresses(walk: Walk, domain: HostName, term: SpfTerm, host: HostName): Promise<void> {
  const [ipv4, ipv6] = await Promise.all([walk.lookup.ipv4(host), walk.lookup.ipv6(host)])
  if (isVoid(walk, domain, term, ipv4)) countVoid(walk, 'ipv4')
  if (isVoid(walk, domain, term, ipv6)) countVoid(walk, 'ipv6')
}

async function askExchangers(walk: Walk, domain: HostName, term: SpfTerm, target: HostName): Promise<void> {
  const answer = await walk.lookup.mx(target)
  // §5.4: no implicit MX here.
  if (isVoid(walk, domain, term, answer)) countVoid(walk, 'both')
  if (answer.kind !== 'found') return
  if (answer.value.length > maxMxHosts) walk.troubles.push({ kind: 'too-many-mx', domain, term })
  for (const host of answer.value.slice(0, maxMxHosts)) await askAddresses(walk, domain, term, host)
}

function isVoid(walk: Walk, domain: HostName, term: SpfTerm, answer: SpfAnswer<unknown>): boolean {
  if (answer.kind === 'failed') walk.troubles.push({ kind: 'lookup-failed', domain, term, why: answer.why })
  return answer.kind === 'none'
}

function countVoid({ voids }: Walk, client: 'ipv4' | 'ipv6' | 'both'): void {
  if (client !== 'ipv6') voids.ipv4++
  if (client !== 'ipv4') voids.ipv6++
}
