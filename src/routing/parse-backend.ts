/**
 * Backend URLs as people write them → `Backend` with its canonical key. Called by `config` for waypost.yaml and by commands that
 * take a backend. Nothing here is decoded or guessed: a user part, a path behind a host and the like are errors that say what to write.
 */
import { isAbsolute, normalize, resolve } from 'node:path'
import { type IpAddress, isIpv6, parseIp } from '../base/ip.ts'
import { nearest } from '../base/nearest.ts'
import { type HostName, parseName, rootName } from '../dns/name.ts'
import type { Backend, BackendAddress, BackendOptions } from './backend.ts'
import { meantByPostfix } from './postfix-spelling.ts'

export type ParsedBackend =
  | { readonly kind: 'backend'; readonly address: BackendAddress }
  | { readonly kind: 'invalid'; readonly why: string }

/** What a backend has where nothing was said. */
export const defaultBackendOptions: BackendOptions = { tls: 'may', helo: undefined, connections: 20, private: false }

/** The longest path that a Unix socket's address holds on Linux. */
const maxSocketPath = 107

/**
 * @param text  `smtp://host[:port]`, `smtps://…`, `lmtp://host:port`, `lmtp:/path`, `maildir:/path`, `mx` or `mx:domain`
 * @param folder  absolute; what relative paths are relative to
 */
export function parseBackend(text: string, folder: string): ParsedBackend {
  if (text === 'mx') return { kind: 'backend', address: { protocol: 'mx', domain: undefined } }
  const meant = meantByPostfix(text)
  if (meant !== undefined) return invalid(`this is how Postfix writes it; write ${meant}`)
  const [, scheme = '', rest = ''] = /^([A-Za-z][A-Za-z0-9+-]*):(.*)$/s.exec(text) ?? []
  switch (scheme.toLowerCase()) {
    case 'smtp':
      return parseAuthority('smtp', rest, 25)
    case 'smtps':
      return parseAuthority('smtps', rest, 465) // RFC 8314 §3.3
    case 'lmtp':
      return rest.startsWith('//') ? parseAuthority('lmtp', rest, undefined) : parseSocket(rest, folder)
    case 'maildir':
      return parseMaildir(rest, folder)
    case 'mx':
      return parseMx(rest)
    case '':
      // A host with a port, or one that nothing else could be meant by.
      return invalid(
        /^[^\s/@]+(?::\d+|\.[^\s/@:]+)$/.test(text) ? `it has no scheme; write smtp://${text}` : 'it has no scheme',
      )
    default:
      return invalid(`"${scheme}:" is no scheme that is known${meantScheme(scheme)}`)
  }
}

const schemes = ['smtp', 'smtps', 'lmtp', 'maildir', 'mx']

function meantScheme(scheme: string): string {
  const near = nearest(scheme, schemes)
  return near === undefined ? '' : `; did you mean "${near}:"?`
}

/** The backend of an address with its options: equal ones have equal keys, and share pools and health. */
export function createBackend(address: BackendAddress, options: BackendOptions): Backend {
  const url = backendUrl(address)
  const differing = [
    options.tls === defaultBackendOptions.tls ? '' : ` tls=${options.tls}`,
    options.helo === undefined ? '' : ` helo=${options.helo}`,
    options.connections === defaultBackendOptions.connections ? '' : ` connections=${options.connections}`,
    options.private ? ' private' : '',
    options.isPublicOnly ? ' public' : '',
  ]
  return { key: `${url}${differing.join('')}`, url, address, options }
}

/** The canonical URL: host in lower case and as A-labels, the port always said, IPv6 in brackets. */
export function backendUrl(address: BackendAddress): string {
  if (address.protocol === 'mx') return address.domain === undefined ? 'mx' : `mx:${address.domain}`
  if ('path' in address) return `${address.protocol}:${address.path}`
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  return `${address.protocol}://${host}:${address.port}`
}

function parseAuthority(
  protocol: 'smtp' | 'smtps' | 'lmtp',
  rest: string,
  usualPort: number | undefined,
): ParsedBackend {
  if (!rest.startsWith('//')) return invalid(`write ${protocol}://host, with two slashes`)
  const authority = rest.slice(2)
  if (authority.includes('@')) return invalid('a URL takes no user and no password')
  if (/[/?#\\]/.test(authority)) {
    if (protocol === 'lmtp' && authority.startsWith('/')) return invalid(`for a Unix socket write lmtp:${authority}`)
    return invalid('nothing may stand behind the host and the port')
  }
  const parts = /^(?:\[([^[\]]*)\]|([^:[\]]*))(?::(.*))?$/.exec(authority)
  if (/^[^:[\]]+\.[^:[\]]+:\d*:\d*$/.test(authority) || /^\[[^[\]]*\]:\d*:\d*$/.test(authority))
    return invalid('it has two ports')
  if (parts?.[1] === undefined && authority.split(':').length > 2)
    return invalid('an IPv6 address stands in "[" and "]"')
  if (!parts) return invalid('it has no host')
  const host = parts[1] === undefined ? parseHost(parts[2] ?? '') : parseBracketed(parts[1])
  if (host.kind === 'invalid') return host
  const port = parts[3] === undefined ? usualPort : parsePort(parts[3])
  if (port === undefined)
    return invalid(
      parts[3] === undefined ? 'LMTP has no usual port, so write lmtp://host:port' : 'its port is not 1 to 65535',
    )
  return { kind: 'backend', address: { protocol, host: host.host, port } as BackendAddress }
}

type ParsedHost =
  | { readonly kind: 'host'; readonly host: HostName | IpAddress }
  | { readonly kind: 'invalid'; readonly why: string }

function parseBracketed(text: string): ParsedHost {
  const address = parseIp(text.replace(/^IPv6:/i, ''))
  if (address === undefined || !text.includes(':')) return invalid('what stands in "[" and "]" is no IPv6 address')
  return { kind: 'host', host: address }
}

function parseHost(text: string): ParsedHost {
  if (text === '') return invalid('it has no host')
  const address = parseIp(text)
  if (address !== undefined)
    return isIpv6(address) ? invalid('an IPv6 address stands in "[" and "]"') : { kind: 'host', host: address }
  const parsed = parseName(text)
  if (parsed.kind === 'invalid') return invalid(`its host is ${parsed.why}`)
  // "127.1", "0177.0.0.1" and "0x7f.1" are addresses to some programs and names to others: neither here.
  if (parsed.name === rootName || /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/.test(parsed.name))
    return invalid('its host is neither a host name nor an IP address in full')
  return { kind: 'host', host: parsed.name }
}

function parsePort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  return port >= 1 && port <= 65535 ? port : undefined
}

function parseSocket(rest: string, folder: string): ParsedBackend {
  const path = parsePath(rest, folder)
  if (path === undefined) return invalid('it has no path; write lmtp:/path/to.sock or lmtp://host:port')
  // What other programs write here is a host, or relative to a folder of theirs.
  if (!/^(?:\/|\.\.?\/)/.test(rest))
    return invalid('the path of a socket begins with "/" (or "./"); write lmtp:/path/to.sock or lmtp://host:port')
  if (Buffer.byteLength(path) > maxSocketPath)
    return invalid(`the path is longer than the ${maxSocketPath} octets that a Unix socket can have`)
  return { kind: 'backend', address: { protocol: 'lmtp', path } }
}

function parseMaildir(rest: string, folder: string): ParsedBackend {
  const path = parsePath(rest, folder)
  if (path === undefined) return invalid('it has no path; write maildir:/path')
  if (rest.startsWith('~'))
    return invalid('"~" is no home folder here; write the whole path, such as maildir:/home/info/Maildir')
  const segments = path.split('/')
  if (segments.some((segment) => /^%[\dL]*[nud]$/.test(segment)))
    return invalid('"%n" and the like mean nothing here; {local} is the folder of each recipient')
  const places = segments.filter((segment) => segment === '{local}').length
  if (places > 1) return invalid('{local} may stand in the path once')
  if (segments.some((segment) => segment !== '{local}' && /[{}]/.test(segment)))
    return invalid('{local} is a whole segment of the path, and nothing else stands in braces')
  return { kind: 'backend', address: { protocol: 'maildir', path } }
}

/** Absolute and without "." and ".."; undefined where it is empty, looks like a URL's, or holds NUL. */
function parsePath(rest: string, folder: string): string | undefined {
  if (rest === '' || rest.startsWith('//') || rest.includes('\0')) return undefined
  const path = isAbsolute(rest) ? normalize(rest) : resolve(folder, rest)
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
}

function parseMx(rest: string): ParsedBackend {
  if (rest === '') return invalid('write mx alone, or mx:domain')
  if (rest.includes('@')) return invalid('write mx:domain, without an "@"')
  const host = rest.startsWith('//') ? invalid('write mx:domain, without slashes') : parseHost(rest)
  if (host.kind === 'invalid') return host
  if (parseIp(host.host) !== undefined) return invalid('an address has no MX records; write smtp:// with it')
  return { kind: 'backend', address: { protocol: 'mx', domain: host.host as HostName } }
}

const invalid = (why: string) => ({ kind: 'invalid', why }) as const
