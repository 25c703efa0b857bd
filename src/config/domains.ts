/**
 * Entries under `domains:` → `PlannedDomain`, one by one, so that a wrong one hides no other. Called by `read.ts` for the main file and
 * for each included one.
 */
import { getPublicSuffix } from 'tldts'
import { parseIp } from '../base/ip.ts'
import { type HostName, isHostName, isWithin, parseName, rootName } from '../dns/name.ts'
import { parseMailbox } from '../mail/address.ts'
import type { Declaration } from '../publish/declare/declaration.ts'
import { declaresRecords, readDeclaration } from '../publish/declare/read-declaration.ts'
import type { Backend } from '../routing/backend.ts'
import { addressKey, splitAddressKey } from '../routing/find-destination.ts'
import { type HoldPolicy, holdPolicy } from '../routing/hold-policy.ts'
import { noDelivery, type RecipientsOption } from '../routing/options.ts'
import { type DefaultOptions, type DomainOptions, domainOptions } from './domain-options.ts'
import { valueAt } from './explain.ts'
import { holdAgainst } from './hold-against.ts'
import type { PlannedDomain, PlannedMail } from './plan.ts'
import { type RecipientFiles, readRecipient } from './recipients.ts'
import { type RemarkDeps, remarkOnAddress, remarkOnName, remarksOn } from './remarks.ts'
import type { RouteBook, RouteManner, Site } from './routes.ts'
import { rightBackends, withoutWrong } from './salvage.ts'
import type { JsonSchema } from './schema.ts'
import type { Problem, Source } from './source.ts'
import { keyPlaceOf, nodeAt, placeOf, type YamlEntry, type YamlNode } from './yaml.ts'

/** A file with domains. */
export interface DomainFile {
  readonly source: Source
  readonly root: YamlNode
  readonly folder: string
  readonly trusted: boolean
  /** What the file says for all of its domains: that of the main file. */
  readonly defaults: DefaultOptions
  /** Of the domains that say nothing of it: one object for all of them. */
  readonly hold: HoldPolicy
}

export interface DomainReader {
  readonly domains: readonly PlannedDomain[]
  read(file: DomainFile): Promise<void>
}

export interface DomainReaderDeps extends RemarkDeps {
  readonly book: RouteBook
  readonly recipientFiles: RecipientFiles
  readonly problems: Problem[]
  readonly schema: () => JsonSchema
  /** The keys that the main file has under `defaults:`, rightly or wrongly. */
  readonly inDefaults: ReadonlySet<string>
  /** What is in order and probably not meant, once of each place. */
  readonly remarks: Problem[]
}

export function createDomainReader(deps: DomainReaderDeps): DomainReader {
  const domains: PlannedDomain[] = []
  const declared = new Map<string, { source: Source; entry: YamlEntry }>()
  return {
    domains,
    async read(file) {
      const table = file.root.kind === 'map' ? file.root.entries.get('domains')?.node : undefined
      if (table?.kind !== 'map') return
      for (const [key, entry] of table.entries) {
        const wrongKey = (message: string) =>
          void deps.problems.push(file.source.problem(entry.keyStart, entry.keyEnd, message))
        const name = readDomainName(key, wrongKey)
        if (!name) continue
        const canonical = name.subdomains ? `*.${name.name}` : name.name
        const earlier = declared.get(canonical)
        if (earlier) wrongKey(`${canonical} is declared already, ${placeText(earlier)}`)
        else declared.set(canonical, { source: file.source, entry })
        const domain = await readDomain(key, name, entry, file, deps)
        if (domain && !earlier) domains.push(domain)
        if (!domain) continue
        const doubt = remarkOnName(name.name)
        if (doubt !== undefined) deps.remarks.push(file.source.problem(entry.keyStart, entry.keyEnd, doubt))
        remark(key, domain, file, deps)
      }
    },
  }
}

const placeText = ({ source, entry }: { source: Source; entry: YamlEntry }) => {
  const { file, line } = source.problem(entry.keyStart, entry.keyEnd, '')
  return `in ${file} on line ${line}`
}

function remark(key: string, { declaration, mail }: PlannedDomain, file: DomainFile, deps: DomainReaderDeps): void {
  const addresses = nodeAt(file.root, ['domains', key, 'addresses'])
  for (const [written, { keyStart, keyEnd }] of addresses?.kind === 'map' ? addresses.entries : []) {
    const why = remarkOnAddress(written)
    if (why !== undefined) deps.remarks.push(file.source.problem(keyStart, keyEnd, why))
  }
  if (!declaration) return
  for (const { at, why } of remarksOn(declaration, mail !== undefined, deps)) {
    // What is so of one domain for want of a server is so of all: the first is shown.
    if (at === 'publish' && deps.remarks.some(({ message }) => message === why)) continue
    const { start, end } = placeOf(file.root, ['domains', key, at])
    deps.remarks.push(file.source.problem(start, end, why))
  }
}

interface DomainName {
  readonly name: HostName
  readonly subdomains: boolean
}

function readDomainName(key: string, wrong: (message: string) => void): DomainName | undefined {
  const refuse = (message: string) => {
    wrong(message)
    return undefined
  }
  if (key === '*') return refuse('"*" would take mail for every domain there is: name the domains')
  const subdomains = key.startsWith('*.')
  const written = subdomains ? key.slice(2) : key
  if (written.includes('*')) return refuse(`"${key}": "*" stands only at the beginning, as in "*.example.com"`)
  if (written.includes('@'))
    return refuse(`"${key}" is an address: write the domain, and the address under its "addresses:"`)
  if (/^\[.*\]$/.test(written) || parseIp(written) !== undefined)
    return refuse(`"${key}" is an address of a host: mail to address literals is not taken`)
  const parsed = parseName(written)
  if (parsed.kind === 'invalid') return refuse(`"${key}" is no domain: ${parsed.why}`)
  if (parsed.name === rootName || !isHostName(parsed.name) || /(?:^|\.)\d+$/.test(parsed.name))
    return refuse(`"${key}" is no domain that mail could be sent to${whyNoHost(written)}`)
  if (subdomains && getPublicSuffix(parsed.name) === parsed.name)
    return refuse(
      `"${key}" would take mail for everybody's domains below ${parsed.name}, a public suffix: name the domains`,
    )
  return { name: parsed.name, subdomains }
}

/** RFC 5321 §4.1.2: letters, digits and hyphens; DNS itself takes others, so this is often meant for the name of a record. */
const whyNoHost = (name: string): string =>
  name.includes('_') ? ': no mail domain has "_" in it, but letters, digits and "-" alone' : ''

async function readDomain(
  key: string,
  name: DomainName,
  entry: YamlEntry,
  file: DomainFile,
  deps: DomainReaderDeps,
): Promise<PlannedDomain | undefined> {
  const { source, root, defaults } = file
  // "example.org:" with nothing behind it is a domain that has the defaults.
  const read = entry.node.kind === 'scalar' && entry.node.isTold ? undefined : readOptions(key, entry, file, deps)
  if (!read) return undefined
  const { said, wrongKeys } = read
  const at = (...path: PropertyKey[]) => placeOf(root, ['domains', key, ...path])
  const wrong = (path: readonly PropertyKey[], message: string) => {
    const { start, end } = at(...path)
    deps.problems.push(source.problem(start, end, message))
  }
  const declaration = readPublished(said, name, file, deps, wrong)
  const siteAt = (...path: PropertyKey[]) => siteOf(file, (below, message) => wrong([...path, ...below], message))
  lookAtWrong(said, name, entry, deps.book, siteAt)
  const deliver = said.deliver ?? defaults.deliver
  if (deliver === undefined || deliver === noDelivery) {
    const isKept = declaresRecords(said)
    // Where a key is wrong, here or in `defaults`, it was complained about there.
    const isWrongElsewhere = deliver === undefined && (deps.inDefaults.has('deliver') || wrongKeys.size > 0)
    const why = deliver === undefined ? '"deliver" is missing, and defaults: has none' : '"deliver: none"'
    const nothing =
      deliver === undefined ? '' : ', and no records of it are declared: nothing is to be done for it here'
    if (isKept && said.addresses !== undefined && !isWrongElsewhere)
      wrong(['addresses'], `no mail is taken for these: ${why}`)
    const example =
      deliver === undefined ? `: write where its mail goes, such as "deliver: smtp://mail.example.com"` : ''
    if (!isKept && !isWrongElsewhere)
      deps.problems.push(source.problem(entry.keyStart, entry.keyEnd, `${key}: ${why}${nothing}${example}`))
    // Its records are kept by us, and its mail goes elsewhere.
    return isKept ? { ...name, declaration, mail: undefined } : undefined
  }
  const manner: RouteManner = {
    balance: said.balance ?? defaults.balance ?? 'round-robin',
    onDefer: said.onDefer ?? defaults.onDefer ?? 'pass',
  }
  // What stands in `defaults` was judged there, in the main file, which is trusted.
  const site =
    said.deliver === undefined
      ? { ...siteAt('deliver'), trusted: true, key: 'defaults', wrong: () => {} }
      : siteAt('deliver')
  const route = deps.book.route(key, deliver, manner, site)
  const recipients = await readRecipients(said, name, file, deps, wrong)
  const wrongAddress = (written: string, why: string) => {
    const { start, end } = keyPlaceOf(root, ['domains', key, 'addresses', written])
    deps.problems.push(source.problem(start, end, `"${written}" ${why}`))
  }
  // What zod leaves out of any record, without a word.
  const written = entry.node.kind === 'map' ? entry.node.entries.get('addresses')?.node : undefined
  if (written?.kind === 'map' && written.entries.has('__proto__')) wrongAddress('__proto__', noAddressKey)
  const addresses = readAddresses(said, name, manner, deps.book, siteAt, wrongAddress)
  if (route === undefined || recipients === undefined) return undefined
  const areRecipientsWrong =
    wrongKeys.has('recipients') ||
    (said.recipients === undefined && file.defaults.recipients === undefined && deps.inDefaults.has('recipients'))
  if (!areRecipientsWrong)
    refuseSilentMaildir(deps.book.routes[route]?.entries[0]?.backend, recipients, (message) =>
      wrong(['deliver'], message),
    )
  const hold = saysHold(said) ? holdPolicy(said, defaults) : file.hold
  return { ...name, declaration, mail: { route, recipients, addresses, hold } }
}

/** @returns what is right of it, where something is wrong: that says so, and hides no other mistake */
function readOptions(
  key: string,
  entry: YamlEntry,
  { source, root }: DomainFile,
  { problems, schema }: DomainReaderDeps,
): { readonly said: DomainOptions; readonly wrongKeys: ReadonlySet<PropertyKey> } | undefined {
  const readValue = () => entry.node.value ?? {}
  const held = holdAgainst(domainOptions, readValue, { source, root, path: ['domains', key], schema }, problems)
  if (held.kind === 'read') return { said: held.value, wrongKeys: noKeys }
  const { issues } = held
  const value = readValue()
  if (typeof value !== 'object' || Array.isArray(value)) return undefined
  const wrongKeys = new Set(
    issues.flatMap((issue) =>
      issue.code === 'unrecognized_keys' && issue.path.length === 0 ? issue.keys : issue.path.slice(0, 1),
    ),
  )
  const right = withoutWrong(value as Record<string, unknown>, issues, ['addresses'])
  // It promises something of exchangers, and these are not known now.
  if (wrongKeys.has('exchangers') || wrongKeys.has('publish')) delete right.healthy
  return { said: domainOptions.parse(right), wrongKeys }
}

/** Lists in which the schema found something wrong: what is right of them is judged, too. */
function lookAtWrong(
  said: DomainOptions,
  { name }: DomainName,
  { node }: YamlEntry,
  book: RouteBook,
  siteAt: (...path: PropertyKey[]) => Site,
): void {
  const recipients = said.recipients === undefined ? valueAt(node, ['recipients']) : undefined
  for (const [index, text] of (Array.isArray(recipients) ? recipients : []).entries()) {
    // One that is empty is the schema's to refuse.
    const read = typeof text === 'string' && text !== '' ? readRecipient(text, name) : undefined
    if (read?.kind === 'no') siteAt('recipients', index).wrong([], `"${text}" ${read.why}`)
  }
  if (said.deliver === undefined) book.look(rightBackends(valueAt(node, ['deliver'])), siteAt('deliver'))
  const addresses = nodeAt(node, ['addresses'])
  for (const [written, { node }] of addresses?.kind === 'map' ? addresses.entries : [])
    if (said.addresses?.[written] === undefined) book.look(rightBackends(node.value), siteAt('addresses', written))
}

const noKeys: ReadonlySet<PropertyKey> = new Set()

function readPublished(
  said: DomainOptions,
  name: DomainName,
  file: DomainFile,
  deps: DomainReaderDeps,
  wrong: (path: readonly PropertyKey[], message: string) => void,
): Declaration | undefined {
  if (name.subdomains && declaresRecords(said)) {
    wrong([], `"*.${name.name}" stands for many names, whose records cannot be published together: name each domain`)
    return undefined
  }
  return readDeclaration(said, {
    domain: name.name,
    defaults: file.defaults,
    publishers: deps.publishers,
    isTrusted: file.trusted,
    wrong,
  })
}

const saysHold = (said: DomainOptions) =>
  said.hold !== undefined ||
  said.unknownRecipients !== undefined ||
  said.refusedAfterHold !== undefined ||
  said.fanOut !== undefined ||
  said.unknownWait !== undefined ||
  said.delayNotice !== undefined

export function siteOf(
  file: { readonly folder: string; readonly trusted: boolean },
  wrong: (below: readonly PropertyKey[], message: string) => void,
): Site {
  return { folder: file.folder, trusted: file.trusted, key: `${file.trusted} ${file.folder}`, wrong }
}

/** One box for everybody must be meant, because a Maildir knows nobody and would take every address. */
function refuseSilentMaildir(
  backend: Backend | undefined,
  recipients: PlannedMail['recipients'],
  wrong: (message: string) => void,
): void {
  if (backend?.address.protocol !== 'maildir' || recipients !== 'ask' || backend.address.path.includes('{local}'))
    return
  wrong(
    'a Maildir cannot say who exists: write "recipients: any" to take every address, list the recipients, or give each a folder with maildir:/path/{local}',
  )
}

async function readRecipients(
  said: DomainOptions,
  name: DomainName,
  file: DomainFile,
  deps: DomainReaderDeps,
  wrong: (path: readonly PropertyKey[], message: string) => void,
): Promise<PlannedMail['recipients'] | undefined> {
  const option: RecipientsOption = said.recipients ?? file.defaults.recipients
  if (option === undefined || typeof option === 'string') return option ?? 'ask'
  if (Array.isArray(option)) {
    const locals = option.map((text, index) => {
      const read = readRecipient(text, name.name)
      if (read.kind === 'no' && said.recipients !== undefined) wrong(['recipients', index], `"${text}" ${read.why}`)
      return read.kind === 'value' ? read.value : ''
    })
    return [...new Set(locals)]
  }
  if (said.recipients !== undefined && !file.trusted) {
    wrong(['recipients'], 'an included file may name a file only where the include says trusted: true')
    return undefined
  }
  const result = await deps.recipientFiles.read(
    option.file,
    said.recipients === undefined ? undefined : file.folder,
    name.name,
  )
  if (result.kind === 'read') return result.locals
  if (result.kind === 'unreadable') wrong(['recipients', 'file'], `${result.path} ${result.why}`)
  return undefined
}

function readAddresses(
  said: DomainOptions,
  name: DomainName,
  manner: RouteManner,
  book: RouteBook,
  siteAt: (...path: PropertyKey[]) => Site,
  wrongKey: (written: string, why: string) => void,
): (readonly [string, number])[] {
  const addresses = new Map<string, number>()
  for (const [written, deliver] of Object.entries(said.addresses ?? {})) {
    const key = readAddressKey(written, name)
    if (key.kind === 'invalid') wrongKey(written, key.why)
    else if (addresses.has(key.key)) wrongKey(written, 'is the same address as another one here')
    const route = book.route(
      `${written}${written.endsWith('@') ? name.name : ''}`,
      deliver,
      manner,
      siteAt('addresses', written),
    )
    if (key.kind === 'key' && route !== undefined) addresses.set(key.key, route)
  }
  return [...addresses]
}

const noAddressKey = 'is no address here: write "local@", "local@domain" or "prefix*@"'

type ReadKey = { readonly kind: 'key'; readonly key: string } | { readonly kind: 'invalid'; readonly why: string }

/** The key of `MailDomain.addresses` for `local@`, `prefix*@` and `local@domain`. */
function readAddressKey(written: string, name: DomainName): ReadKey {
  const parts = splitAddressKey(written)
  if (!parts) return { kind: 'invalid', why: noAddressKey }
  const { local, isPrefix, domain } = parts
  if (isPrefix) {
    if (domain !== '' || !/^[A-Za-z0-9!#$%&'+/=?^_`{|}~.-]{1,63}$/.test(local))
      return { kind: 'invalid', why: 'is no pattern: write "prefix*@", with nothing behind the "@"' }
    return { kind: 'key', key: `${local.toLowerCase()}*@` }
  }
  const parsed = parseMailbox(`${local}@${domain === '' ? name.name : domain}`)
  if (parsed.kind === 'invalid') return { kind: 'invalid', why: `is no address: it ${parsed.why}` }
  const { localPart, domain: host } = parsed.mailbox
  const key = addressKey(localPart.toLowerCase())
  if (domain === '') return { kind: 'key', key }
  const isCovered =
    host !== undefined && (name.subdomains ? host !== name.name && isWithin(host, name.name) : host === name.name)
  if (!isCovered) return { kind: 'invalid', why: `is not in the domain that it stands under` }
  return { kind: 'key', key: `${key}${host}` }
}
