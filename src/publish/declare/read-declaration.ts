/**
 * The keys of a domain that speak of publishing → a `Declaration`, or what is wrong with them. Called by `config` for each domain. Pure but for
 * the catalogue of providers.
 */
import { whyNotPublic } from '../../base/ip.ts'
import { didYouMean } from '../../base/nearest.ts'
import { printable } from '../../base/printable.ts'
import { type HostName, isWithin, parseName } from '../../dns/name.ts'
import { parseRdata } from '../../dns/rdata-text.ts'
import { metaTypeCodes, typeCodeFromName, typeCodes, typeName } from '../../dns/types.ts'
import { foldName, isAtOrBelow, nameFromHost, nameFromText, type WireName } from '../../dns/wire-name.ts'
import { recordsFor } from '../../records/catalogue/records-for.ts'
import type { ExchangersOption, PublishDomainOptions } from '../options.ts'
import { type TextKind, textKinds } from '../sets/text-kind.ts'
import type { Declaration, DeclaredAbsence, DeclaredExchanger, DeclaredText } from './declaration.ts'

export interface DeclarationSite {
  readonly domain: HostName
  /** What the main file says for all domains. */
  readonly defaults: { readonly ttl?: number | undefined; readonly publish?: string | undefined }
  /** The names that `publish:` may say, with what kind each says that it is. */
  readonly publishers: ReadonlyMap<string, string | undefined>
  /** Of a file that may speak of its own domains alone. */
  readonly isTrusted: boolean
  wrong(path: readonly PropertyKey[], message: string): void
}

const defaultTtlMs = 3_600_000

/** Whether the domain says anything that is published. */
export const declaresRecords = (said: PublishDomainOptions): boolean =>
  said.exchangers !== undefined || said.records !== undefined || said.absent.length > 0

/** @returns undefined where nothing is declared, or what is wrong was told */
export function readDeclaration(said: PublishDomainOptions, site: DeclarationSite): Declaration | undefined {
  let isWrong = false
  const wrong = (path: readonly PropertyKey[], message: string) => {
    isWrong = true
    site.wrong(path, message)
  }
  const publisher = said.publish ?? site.defaults.publish
  // What stands in defaults is judged there.
  if (said.publish !== undefined && !site.publishers.has(said.publish)) {
    const names = [...site.publishers.keys()]
    const near = didYouMean(said.publish, names)
    wrong(
      ['publish'],
      `"${printable(said.publish, 100)}" is no name under publishers:${near || ';'} Known: ${names.join(', ')}`,
    )
  }
  if (!declaresRecords(said)) return undefined
  const own = { ...site, wrong }
  const exchangers = readExchangers(said.exchangers, own)
  const texts = readTexts(said.records ?? {}, wrong)
  const absent = said.absent.flatMap((line, index) =>
    readAbsence(line, site.domain, (why) => wrong(['absent', index], why)),
  )
  if (said.healthy) for (const why of whyNotHealthy(exchangers, publisher, site)) wrong(['healthy'], why)
  if (isWrong) return undefined
  const ttlSeconds = Math.floor((said.ttl ?? site.defaults.ttl ?? defaultTtlMs) / 1000)
  const shared = { domain: site.domain, exchangers, ttlSeconds, publisher, texts, absent }
  return said.healthy ? { ...shared, isHealthy: true } : shared
}

/** What would make `healthy: true` a promise that nobody keeps. */
function whyNotHealthy(
  exchangers: Declaration['exchangers'],
  publisher: string | undefined,
  { publishers, isTrusted }: DeclarationSite,
): string[] {
  if (publisher === undefined || publishers.get(publisher) !== 'builtin')
    return ['only the built-in server leaves out what is down: healthy: true wants publish: builtin']
  const addresses = Array.isArray(exchangers)
    ? (exchangers as DeclaredExchanger[]).flatMap((one) => one.addresses ?? [])
    : []
  if (addresses.length === 0) return ['no exchanger here has "addresses:", so that there is nothing to leave out']
  const inside = isTrusted ? undefined : addresses.find((address) => whyNotPublic(address) !== undefined)
  if (inside === undefined) return []
  // They are connected to, and whoever writes an included file need not be who runs this machine.
  return [`${inside} is not public: an included file may have it asked only where the include says trusted: true`]
}

function readExchangers(
  said: ExchangersOption,
  { domain, isTrusted, wrong }: DeclarationSite,
): Declaration['exchangers'] {
  if (said === undefined || said === 'none') return said
  if (typeof said === 'string') return fromProvider(said, {}, wrong)
  if (!Array.isArray(said)) {
    const { provider, ...given } = said
    if (provider !== undefined) return fromProvider(provider, given, wrong)
    wrong(
      ['exchangers'],
      'keys here speak of a provider, and none is named: write { provider: name, … }, or a list of exchangers',
    )
    return undefined
  }
  const seen = new Set<HostName>()
  return said.map(({ preference, host, addresses }, index): DeclaredExchanger => {
    // It would be published as a name below the root, which is a host of nobody.
    if (!host.includes('.'))
      wrong(
        ['exchangers', index, 'host'],
        `"${host}" has no dot, and MX records take full names; did you mean "${host}.${domain}"?`,
      )
    if (seen.has(host)) wrong(['exchangers', index, 'host'], `${host} stands in this list already`)
    seen.add(host)
    if (addresses && !isTrusted && !isWithin(host, domain))
      wrong(
        ['exchangers', index, 'addresses'],
        `an included file may give addresses to hosts of its own domains alone, unless the include says trusted: true`,
      )
    return { preference, host, addresses: addresses && [...new Set(addresses)] }
  })
}

function fromProvider(
  id: string,
  given: Readonly<Record<string, string>>,
  wrong: DeclarationSite['wrong'],
): readonly DeclaredExchanger[] | undefined {
  const found = recordsFor(id, given)
  const meant = (near: string | undefined) => (near === undefined ? '' : ` Did you mean "${near}"?`)
  switch (found.kind) {
    case 'records':
      return found.records.map((record) => ({ ...record, addresses: undefined }))
    case 'parameter-needed': {
      const choices = found.choices.map((choice) => choice.value).join(', ')
      const example = found.example ?? found.choices[0]?.value ?? '…'
      wrong(
        ['exchangers'],
        `${found.provider.name} wants "${found.parameter}": ${found.question}${choices === '' ? '' : ` (${choices})`}. Write { provider: ${id}, ${found.parameter}: ${example} }`,
      )
      return undefined
    }
    case 'parameter-wrong':
      wrong(['exchangers', found.parameter], `${found.why}.${meant(found.nearest)}`)
      return undefined
    case 'not-publishable':
      wrong(['exchangers'], found.why)
      return undefined
    case 'unknown':
      wrong(
        ['exchangers'],
        `"${printable(id, 100)}" is no provider that is known here.${meant(found.nearest)} docs/providers.md lists them`,
      )
      return undefined
  }
}

function readTexts(
  records: Readonly<Partial<Record<TextKind, string | undefined>>>,
  wrong: DeclarationSite['wrong'],
): DeclaredText[] {
  return (Object.keys(textKinds) as TextKind[]).flatMap((kind): DeclaredText[] => {
    const text = records[kind]
    if (text === undefined) return []
    if (!/^[\x20-\x7e]{1,4000}$/.test(text)) {
      wrong(['records', kind], 'it must be printable ASCII, 4000 characters at most')
      return []
    }
    const why = textKinds[kind].whyInvalid(text)
    if (why !== undefined) wrong(['records', kind], `no ${textKinds[kind].title} record: ${why}`)
    return [{ kind, text }]
  })
}

function readAbsence(line: string, domain: HostName, wrong: (why: string) => void): DeclaredAbsence[] {
  const refuse = (why: string) => {
    wrong(`"${printable(line, 200)}" ${why}`)
    return []
  }
  const [, nameWord = '', typeWord = '', dataText = ''] = /^\s*(\S+)\s+(\S+)\s*(.*)$/.exec(line) ?? []
  if (typeWord === '') return refuse('wants a name and a type, such as "old.example.com A"')
  const name = readOwner(nameWord)
  if (name === undefined) return refuse('begins with no domain name')
  if (!isAtOrBelow(name, nameFromHost(domain))) return refuse(`speaks of a name that is not ${domain} and not below it`)
  const code = typeCodeFromName(typeWord)
  if (code === undefined || isMeta(code)) return refuse(`has "${printable(typeWord, 30)}", which is no type of records`)
  if (code === typeCodes.SOA || code === typeCodes.NS)
    return refuse(`would remove ${typeName(code)} records, without which there is no zone`)
  if (dataText === '') return [{ name, code, data: undefined }]
  const data = parseRdata(code, dataText)
  if (data.kind === 'invalid') return refuse(`has data that is none of ${typeName(code)}: ${data.why}`)
  return [{ name, code, data: data.data }]
}

const isMeta = (code: number) => code === 0 || code === metaTypeCodes.OPT || (code >= 128 && code <= 255)

/** A name as people write it, or as zone text has it. */
function readOwner(text: string): WireName | undefined {
  const host = parseName(text)
  if (host.kind === 'name') return nameFromHost(host.name)
  const wire = nameFromText(text)
  return wire.kind === 'name' ? foldName(wire.name) : undefined
}
