/**
 * `deliver:` in all its forms → routes, each distinct list once. Called by `read.ts` and `domains.ts`.
 */
import { type IpAddress, parseIp, whyNotPublic } from '../base/ip.ts'
import { didYouMean, nearest } from '../base/nearest.ts'
import { readHostName } from '../gateway/options.ts'
import type { Backend, BackendAddress, BackendOptions, Route, RouteEntry } from '../routing/backend.ts'
import type { BackendEntry, DefaultOptions, Deliver } from '../routing/options.ts'
import { backendForms } from '../routing/options.ts'
import { createBackend, defaultBackendOptions, parseBackend } from '../routing/parse-backend.ts'
import { type OwnPlaces, whyOurselves } from './own-listener.ts'

/** Where a `deliver:` stands: what its paths are relative to, what it may say, and where to complain. */
export interface Site {
  /** Absolute. */
  readonly folder: string
  readonly trusted: boolean
  /** What one may compare for "the same text means the same here". */
  readonly key: string
  /** @param below  from the `deliver:` value: `[]`, `[2]` or `[2, 'tls']` */
  wrong(below: readonly PropertyKey[], message: string): void
}

/** How a route hands mail out, beside its list. */
export interface RouteManner {
  readonly balance: Route['balance']
  readonly onDefer: Route['onDefer']
}

export interface RouteBook {
  /** Every distinct route so far. */
  readonly routes: readonly Route[]
  /** Takes a list under `routes:`, which others name. */
  name(name: string, deliver: Deliver, site: Site): void
  /** Says that a name under `routes:` is taken, though its list is wrong: who names it makes no second mistake. */
  nameWrong(name: string): void
  /** The same of every name, where `routes:` as a whole is wrong. */
  nameAny(): void
  /** Says what is wrong in what the schema left of a list, each in its place. */
  look(list: readonly (BackendEntry | undefined)[], site: Site): void
  /** @returns the index of the route, or undefined where it was wrong and complained about */
  route(id: string, deliver: Deliver, manner: RouteManner, site: Site): number | undefined
}

/** @param own  where this gateway is itself: no backend of it */
export function createRouteBook(defaults: DefaultOptions, own: OwnPlaces): RouteBook {
  const routes: Route[] = []
  const indexByKey = new Map<string, number>()
  const entriesByText = new Map<string, readonly RouteEntry[]>()
  const named = new Map<string, readonly RouteEntry[] | undefined>()
  const shared: Shared = { defaults, own, backends: new Map(), named }
  let isAnyNamed = false

  /** A name that cannot be one is still what its route is called. */
  const isName = (text: string) => named.has(text) || isRouteName(text)

  /** The same text in ten thousand domains is read once. */
  function entriesOf(deliver: Deliver, site: Site): readonly RouteEntry[] | undefined {
    if (typeof deliver !== 'string') return readEntries(deliver, shared, site)
    if (isName(deliver)) return namedEntries(deliver, site)
    const key = `${site.key}\0${deliver}`
    const entries = entriesByText.get(key) ?? readEntries(deliver, shared, site)
    if (entries) entriesByText.set(key, entries)
    return entries
  }

  function namedEntries(name: string, site: Site): readonly RouteEntry[] | undefined {
    if (!named.has(name) && !isAnyNamed) {
      const near = didYouMean(name, ['mx', ...named.keys()])
      const what = near || ' such as smtp://mail.example.com or maildir:/var/mail/inbox.'
      site.wrong([], `"${name}" is no name under routes: and no backend${what} A backend is ${backendForms}`)
    }
    return named.get(name)
  }

  return {
    routes,
    nameWrong: (name) => void named.set(name, undefined),
    nameAny() {
      isAnyNamed = true
    },
    look: (list, site) => void readEntries(list, shared, site),
    name(name, deliver, site) {
      if (typeof deliver === 'string' && isName(deliver)) {
        named.set(name, undefined)
        site.wrong([], `"${deliver}" is no backend: a named route is a list of backends and names no other route`)
        return
      }
      named.set(name, entriesOf(deliver, site))
    },
    route(id, deliver, manner, site) {
      const entries = entriesOf(deliver, site)
      if (!entries) return undefined
      const key = `${manner.balance} ${manner.onDefer}\n${entries.map(entryKey).join('\n')}`
      const name = typeof deliver === 'string' && isRouteName(deliver) ? deliver : undefined
      const known = indexByKey.get(key)
      if (known !== undefined) {
        // Its name, where it has one, and not the domain that happened to write the same list first.
        const there = routes[known]
        if (name !== undefined && there && !named.has(there.id)) routes[known] = { ...there, id: name }
        return known
      }
      routes.push({ id: name ?? id, entries, ...manner })
      indexByKey.set(key, routes.length - 1)
      return routes.length - 1
    },
  }
}

/** Without a colon, and no host either, but `mx`: what a name under `routes:` may be, or a slip of the pen for one. */
const isRouteName = (text: string) => text !== 'mx' && !/[:./@]/.test(text)

const entryKey = (entry: RouteEntry) => `${entry.preference} ${entry.weight} ${entry.backend.key}`

interface Shared {
  readonly defaults: DefaultOptions
  readonly own: OwnPlaces
  /** By key: one that many routes name is one. */
  readonly backends: Map<string, Backend>
  /** What stands under `routes:`. */
  readonly named: ReadonlyMap<string, unknown>
}

/** @param deliver  undefined in it: what stands there is wrong, and was told */
function readEntries(
  deliver: string | readonly (string | BackendEntry | undefined)[],
  shared: Shared,
  site: Site,
): readonly RouteEntry[] | undefined {
  const elements = typeof deliver === 'string' ? [deliver] : deliver
  const entries: RouteEntry[] = []
  const seen = new Set<string>()
  let isWrong = false
  let isMaildirTold = false
  for (const [index, element] of elements.entries()) {
    if (element === undefined) continue
    const at = typeof deliver === 'string' ? [] : [index]
    const said: BackendEntry = typeof element === 'string' ? { to: element } : element
    const complain = (below: readonly PropertyKey[], message: string) => {
      isWrong = true
      site.wrong([...at, ...(typeof element === 'string' ? [] : below)], message)
    }
    const whyName = typeof deliver === 'string' ? undefined : whyNameInList(said.to, shared)
    if (whyName !== undefined) complain(['to'], whyName)
    const entry = whyName === undefined ? readEntry(said, shared, { ...site, wrong: complain }) : undefined
    if (!entry) continue
    if (seen.has(entry.backend.url))
      complain(['to'], `${entry.backend.url} stands in this list already; use weight for a larger share`)
    seen.add(entry.backend.url)
    entries.push(entry)
    if (entry.backend.address.protocol === 'maildir' && elements.length > 1 && !isMaildirTold) {
      isMaildirTold = true
      complain(['to'], 'a Maildir stands alone: it cannot share a route with another backend')
    }
  }
  return isWrong ? undefined : entries
}

/** Lists do not nest. */
function whyNameInList(to: string, { named }: Shared): string | undefined {
  if (!named.has(to) && !isRouteName(to)) return undefined
  const why = 'is no backend, and a name under routes: stands alone, as in "deliver: '
  return `"${to}" ${why}${nearest(to, named.keys()) ?? 'name'}". A backend is ${backendForms}`
}

function readEntry(said: BackendEntry, { defaults, own, backends }: Shared, site: Site): RouteEntry | undefined {
  const parsed = parseBackend(said.to, site.folder)
  if (parsed.kind === 'invalid') {
    const why = whyAddress(said.to) ?? parsed.why
    site.wrong(
      ['to'],
      `"${said.to}" is no backend here: ${why}${why.endsWith('?') ? '' : '.'} Backends: ${backendForms}`,
    )
    return undefined
  }
  const why = whyOurselves(parsed.address, own)
  if (why !== undefined) site.wrong(['to'], `"${said.to}" ${why}`)
  if (!site.trusted) refuseUntrusted(parsed.address, said, site)
  const options = readOptions(parsed.address, said, defaults, site)
  const made = createBackend(parsed.address, options)
  const backend = backends.get(made.key) ?? made
  backends.set(made.key, backend)
  return { backend, preference: said.preference ?? 10, weight: said.weight ?? 1 }
}

/** Who comes from aliases writes whom the mail is for. */
function whyAddress(text: string): string | undefined {
  const [, domain] = /^[^\s:/@]+@([^\s:/@]+)$/.exec(text) ?? []
  return domain && `it is an address, and here stands the server that takes its mail, such as smtp://mail.${domain}`
}

function readOptions(
  address: BackendAddress,
  said: BackendEntry,
  defaults: DefaultOptions,
  site: Site,
): BackendOptions {
  const isMaildir = address.protocol === 'maildir'
  const isLocal = 'path' in address
  if (isLocal && said.tls !== undefined) site.wrong(['tls'], 'TLS has no meaning for a backend on this machine')
  if (isMaildir && said.helo !== undefined) site.wrong(['helo'], 'a Maildir hears no EHLO')
  if (isMaildir && said.connections !== undefined) site.wrong(['connections'], 'a Maildir has no connections')
  if (address.protocol !== 'mx' && said.private !== undefined)
    site.wrong(['private'], 'this is for mx; a backend with a name or an address of its own may be anywhere')

  const tls = isLocal ? defaultBackendOptions.tls : (said.tls ?? defaults.tls)
  // A certificate that is not looked at must be said aloud: whoever writes smtps:// expects that it is.
  if (address.protocol === 'smtps' && tls !== 'require')
    site.wrong(
      said.tls === undefined ? ['to'] : ['tls'],
      'smtps:// is TLS from the first octet, and its certificate is not verified yet: write { to: smtps://…, tls: require } to have it so',
    )
  const options = {
    tls: tls ?? defaultBackendOptions.tls,
    helo: isMaildir ? undefined : readHelo(said, defaults, site),
    connections:
      (isMaildir ? undefined : (said.connections ?? defaults.connections)) ?? defaultBackendOptions.connections,
    private: said.private ?? false,
    ...(!site.trusted && isNamed(address) ? { isPublicOnly: true as const } : {}),
  }
  return options
}

function readHelo(said: BackendEntry, defaults: DefaultOptions, site: Site): BackendOptions['helo'] {
  const text = said.helo ?? defaults.helo
  if (text === undefined) return undefined
  const read = readHostName(text)
  if (read.kind === 'value') return read.value
  // One that stands in `defaults` is complained about there, once.
  if (said.helo !== undefined) site.wrong(['helo'], `helo wants a host name; this ${read.why}`)
  return undefined
}

/** Whoever owns the name says where it leads, and when: that is judged when it is connected to. */
const isNamed = (address: BackendAddress) => 'host' in address && parseIp(address.host) === undefined

/** What a file that is included and not trusted may not name: whoever writes it need not be who runs this machine. */
function refuseUntrusted(address: BackendAddress, said: BackendEntry, site: Site): void {
  const unlessTrusted = 'only where the include says trusted: true'
  if ('path' in address) {
    site.wrong(
      ['to'],
      `an included file may name ${address.protocol === 'lmtp' ? 'a socket' : 'a Maildir'} ${unlessTrusted}`,
    )
  } else if (address.protocol !== 'mx') {
    const ip = parseIp(address.host)
    const why = ip ? whyNotPublic(ip as IpAddress) : whyLocalName(address.host)
    if (why) site.wrong(['to'], `${address.host} is ${why}: an included file may name it ${unlessTrusted}`)
  }
  if (said.private === true) site.wrong(['private'], `an included file may say private: true ${unlessTrusted}`)
}

/** RFC 6761, 6762, 8375 and ICANN's `internal`: names that mean something on this machine or network alone. */
function whyLocalName(host: string): string | undefined {
  if (!host.includes('.')) return 'a name without a dot, which means something in this network alone'
  return /\.(?:localhost|localdomain|local|internal|home\.arpa)$/.test(host) ? 'a name of a private network' : undefined
}
