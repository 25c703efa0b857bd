/** How commands read what stands behind an option or as an argument: each reader says in its error what it wants. */
import { InvalidArgumentError } from 'commander'
import { type HostName, parseName, rootName } from '../dns/name.ts'
import { type NameServer, parseNameServer } from '../dns/servers.ts'

/** For options that may be repeated. */
export function collect<V>(
  read: (text: string) => V,
): (text: string, before: readonly V[] | undefined) => readonly V[] {
  return (text, before = []) => [...before, read(text)]
}

export function nameServer(text: string): NameServer {
  const parsed = parseNameServer(text)
  if (parsed) return parsed
  throw new InvalidArgumentError(
    'It must be an IP address, with or without a port: 127.0.0.1, 127.0.0.1:5353, [::1]:53.',
  )
}

/** @returns reads `500ms`, `10s` or `2m` to milliseconds; a number alone is no time, as with all options that take one */
export function timeReader(leastMs: number, mostMs: number): (text: string) => number {
  return (text) => {
    const parts = /^(\d{1,6})(ms|s|m)$/.exec(text)
    const milliseconds = Number(parts?.[1]) * { ms: 1, s: 1_000, m: 60_000 }[(parts?.[2] ?? 's') as 'ms' | 's' | 'm']
    if (milliseconds >= leastMs && milliseconds <= mostMs) return milliseconds
    const [least, most] = [leastMs, mostMs].map((ms) => (ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`))
    throw new InvalidArgumentError(
      `It must be a time from ${least} to ${most}, such as ${leastMs < 500 ? '500ms or 10s' : '10s or 2m'}.`,
    )
  }
}

export function countReader(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
    if (value >= least && value <= most) return value
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`)
  }
}

export const portReader = countReader(1, 65_535)

export function hostReader(text: string): HostName {
  const parsed = parseName(text)
  if (parsed.kind === 'name' && parsed.name !== rootName) return parsed.name
  throw new InvalidArgumentError('It must be a host name.')
}

export type ReadDomain =
  | { readonly kind: 'domain'; readonly domain: HostName }
  /** `why` may hold a part of the text: printed through `printable`. */
  | { readonly kind: 'invalid'; readonly why: string }

/** A domain in any spelling that people use. */
export function readDomain(text: string): ReadDomain {
  const parsed = parseName(text)
  if (parsed.kind === 'invalid') return parsed
  if (parsed.name === rootName) return { kind: 'invalid', why: 'the root is no mail domain' }
  // RFC 3696 §2: "127.1" is an address to some programs and a name to none.
  if (/(^|\.)(\d+|0x[0-9a-f]*)$/.test(parsed.name)) return { kind: 'invalid', why: 'its last label is a number' }
  return { kind: 'domain', domain: parsed.name }
}
