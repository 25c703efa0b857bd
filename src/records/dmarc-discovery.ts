/** Which DMARC record holds for a domain: found on the way up the tree (RFC 9989 §4.10). Used by checks. The look-ups are handed in. */
import { type HostName, parseName } from '../dns/name.ts'
import { type DmarcPolicy, type DmarcRecord, parseDmarc, selectDmarc } from './dmarc.ts'

export type DmarcAnswer =
  | { readonly kind: 'found'; readonly texts: readonly string[] }
  | { readonly kind: 'none' }
  | { readonly kind: 'failed'; readonly why: string }

/** All TXT records at a name, as `txtText` gives them; it has its own deadline. */
export type DmarcLookup = (name: HostName) => Promise<DmarcAnswer>

/** What stands at one `_dmarc` name. */
export interface DmarcSighting {
  /** Without `_dmarc.` in front. */
  readonly domain: HostName
  readonly found: 'record' | 'none' | 'several' | 'invalid' | 'failed'
}

export type DmarcDiscovery = {
  /** In the order in which they were asked. */
  readonly asked: readonly DmarcSighting[]
} & (
  | {
      readonly kind: 'found'
      /** Where the record stands. */
      readonly at: HostName
      readonly record: DmarcRecord
    }
  | { readonly kind: 'none' }
  | { readonly kind: 'failed'; readonly why: string }
)

/**
 * By RFC 9989 §4.10: the domain itself, else the organisational domain, which is found on the way up to the top. At most eight look-ups.
 */
export async function discoverDmarcByTree(domain: HostName, lookup: DmarcLookup): Promise<DmarcDiscovery> {
  const asked: DmarcSighting[] = []
  const records: Found[] = []
  for (const name of treeWalk(domain)) {
    const seen = await look(name, lookup)
    asked.push({ domain: name, found: seen.kind })
    if (seen.kind === 'failed') return { asked, kind: 'failed', why: seen.why }
    // Several, or none that can be used: as if there were none, and the walk goes on.
    if (seen.kind !== 'record') continue
    if (name === domain) return { asked, kind: 'found', at: name, record: seen.record }
    records.push({ at: name, record: seen.record })
    if (seen.record.publicSuffix !== 'u') break
  }
  const found = organisational(domain, records)
  return found ? { asked, kind: 'found', ...found } : { asked, kind: 'none' }
}

interface Found {
  readonly at: HostName
  readonly record: DmarcRecord
}

/** RFC 9989 §4.10: of more than eight labels, the domain and then those from the seventh label up. */
function treeWalk(domain: HostName): HostName[] {
  const labels = domain.split('.')
  const names = [domain]
  for (let left = Math.min(labels.length - 1, 7); left >= 1; left--)
    names.push(labels.slice(-left).join('.') as HostName)
  return names
}

/**
 * RFC 9989 §4.10.2, and then the policy's order of §4.10.1: the record of the organisational domain, or, where that has none, of the public
 * suffix above it.
 * @param records  of the walk, from the lowest up, without the domain's own
 */
function organisational(domain: HostName, records: readonly Found[]): Found | undefined {
  const last = records.at(-1)
  if (last === undefined || last.record.publicSuffix !== 'y') return last
  // One label below the suffix; had it a record, that would stand before the last one.
  const labels = domain.split('.')
  const organisation = labels.slice(-(last.at.split('.').length + 1)).join('.')
  return records.find(({ at }) => at === organisation) ?? last
}

type Seen =
  | { readonly kind: 'record'; readonly record: DmarcRecord }
  | { readonly kind: 'none' | 'several' | 'invalid' }
  | { readonly kind: 'failed'; readonly why: string }

async function look(domain: HostName, lookup: DmarcLookup): Promise<Seen> {
  const name = parseName(`_dmarc.${domain}`)
  // A name too long to have a policy has none.
  if (name.kind === 'invalid') return { kind: 'none' }
  const answer = await lookup(name.name)
  if (answer.kind !== 'found') return answer
  const selected = selectDmarc(answer.texts)
  if (selected.kind !== 'one') return { kind: selected.kind }
  const parsed = parseDmarc(selected.text)
  return parsed.kind === 'dmarc' ? { kind: 'record', record: parsed.record } : { kind: 'invalid' }
}

/**
 * What a record says of mail from this domain: its own policy, or, inherited, that for subdomains or for names that do not exist
 * (RFC 9989 §4.7, §4.10.1). A policy that cannot be read is `none` (RFC 7489 §6.6.3).
 * @param at  where the record stands @param doesExist  whether the domain has any records
 */
export function effectivePolicy(domain: HostName, at: HostName, record: DmarcRecord, doesExist: boolean): DmarcPolicy {
  if (record.policy === undefined) return 'none'
  if (domain === at) return record.policy
  const subdomain = record.subdomainPolicy ?? record.policy
  return doesExist ? subdomain : (record.nonexistentPolicy ?? subdomain)
}
