/**
 * IP addresses as values: parsed once, with the networks that limits count by and the judgement whether an address
 * is reachable by everybody (RFC 6890). Used by the door out, the listeners' limits and the exchanger look-up.
 */
import { isIP } from 'node:net'

/** An IPv4 or IPv6 address in its canonical text (lower case, RFC 5952 for v6, a v4-mapped one as IPv4). */
export type IpAddress = string & { readonly __ip: unique symbol }

/** Of `fe80::1%eth0`: the scope is this machine's, not part of the address. */
export const withoutScope = (text: string): string => (text.includes('%') ? text.slice(0, text.indexOf('%')) : text)

/**
 * Reads what `net.isIP` reads and nothing else: "127.1", "0127.0.0.1" and "2130706433" are no addresses, because
 * programs disagree about which one they mean. A scope ("%eth0") is refused.
 */
export function parseIp(text: string): IpAddress | undefined {
  if (isIP(text) === 4) return text as IpAddress
  if (isIP(text) !== 6 || text.includes('%')) return undefined
  const words = wordsOf(text)
  if (words.slice(0, 5).every((word) => word === 0) && words[5] === 0xffff) return dotted(words)
  return compress(words)
}

export function isIpv6(address: IpAddress): boolean {
  return address.includes(':')
}

/** The /64 of an IPv6 address or the IPv4 address itself: what counts as one client. */
export function clientKey(address: IpAddress): string {
  return isIpv6(address) ? prefix(address, 64) : address
}

/** The /48 or the /24: what counts as one network. */
export function networkKey(address: IpAddress): string {
  // What every connection asks: an IPv4 /24 is the text to its last dot.
  if (!isIpv6(address)) return `${address.slice(0, address.lastIndexOf('.'))}.0/24`
  return prefix(address, 48)
}

/** The network of the address in CIDR form, `192.0.2.0/24`. @param bits 0–32 or 0–128 */
export function prefix(address: IpAddress, bits: number): string {
  const words = wordsOf(address).map((word, index) => word & mask16(bits - index * 16))
  return `${isIpv6(address) ? compress(words) : dotted(words)}/${bits}`
}

export interface Network {
  readonly address: IpAddress
  readonly bits: number
}

/** Reads `192.0.2.0/24`, `2001:db8::/32` or one address. Bits set behind the prefix are an error: undefined. */
export function parseNetwork(text: string): Network | undefined {
  const [base, length, more] = text.split('/')
  const address = parseIp(base ?? '')
  if (!address || more !== undefined) return undefined
  const most = isIpv6(address) ? 128 : 32
  if (length !== undefined && !/^(0|[1-9]\d{0,2})$/.test(length)) return undefined
  const bits = length === undefined ? most : Number(length)
  if (bits > most || prefix(address, bits) !== `${address}/${bits}`) return undefined
  return { address, bits }
}

/** What is wrong with a network whose address has bits behind the prefix, with the one that was meant; undefined where it is otherwise. */
export function whyNoNetwork(text: string): string | undefined {
  const [, base = '', length = ''] = /^([^/]*)\/(0|[1-9]\d{0,2})$/.exec(text) ?? []
  const address = parseIp(base)
  const bits = Number(length)
  if (!address || length === '' || bits > (isIpv6(address) ? 128 : 32)) return undefined
  const meant = prefix(address, bits)
  return meant === `${address}/${bits}` ? undefined : `has bits set behind the prefix: write ${meant}`
}

export function inNetwork(address: IpAddress, network: Network): boolean {
  return beginsAlike(wordsOf(address), wordsOf(network.address), network.bits)
}

/** Numbers alone, and none kept: a name may have thousands of addresses, and each is held against thirty networks. */
function beginsAlike(words: readonly number[], others: readonly number[], bits: number): boolean {
  if (words.length !== others.length) return false
  for (let index = 0, left = bits; left > 0; index++, left -= 16) {
    if ((((words[index] ?? 0) ^ (others[index] ?? 0)) & mask16(left)) !== 0) return false
  }
  return true
}

/** Why an address is not one that everybody reaches, in words, or undefined where it is public (RFC 6890 and its registry). */
export function whyNotPublic(address: IpAddress): string | undefined {
  const words = wordsOf(address)
  const network = specialNetworks.find((special) => beginsAlike(words, special.words, special.bits))
  if (network?.carriesIpv4) {
    const inner = network.carriesIpv4(words)
    const why = whyNotPublic(inner)
    return why && `${network.what} of ${inner}, which is ${why}`
  }
  if (network) return network.what
  if (isIpv6(address) && (words[0] ?? 0) >> 13 !== 1) return 'outside of global unicast (2000::/3)'
  return undefined
}

const special = (text: string, what: string, carriesIpv4?: (words: readonly number[]) => IpAddress) => {
  const network = parseNetwork(text)
  if (!network) throw new TypeError(`not a network: ${text}`)
  return { words: wordsOf(network.address), bits: network.bits, what, carriesIpv4 }
}

// IPv4 inside an IPv6 form is judged as the IPv4 address that it reaches.
const specialNetworks = [
  special('0.0.0.0/8', '"this network"'),
  special('10.0.0.0/8', 'private (RFC 1918)'),
  special('100.64.0.0/10', 'shared by a carrier (RFC 6598)'),
  special('127.0.0.0/8', 'loopback'),
  special('169.254.0.0/16', 'link-local'),
  special('172.16.0.0/12', 'private (RFC 1918)'),
  special('192.0.0.0/24', 'reserved for protocols'),
  special('192.0.2.0/24', 'for documentation'),
  special('192.88.99.0/24', 'the 6to4 relay (RFC 7526)'),
  special('192.168.0.0/16', 'private (RFC 1918)'),
  special('198.18.0.0/15', 'for benchmarks'),
  special('198.51.100.0/24', 'for documentation'),
  special('203.0.113.0/24', 'for documentation'),
  special('224.0.0.0/4', 'multicast'),
  special('240.0.0.0/4', 'reserved'),
  special('::/128', 'unspecified'),
  special('::1/128', 'loopback'),
  special('64:ff9b::/96', 'the NAT64 form', (words) => dotted(words)),
  special('64:ff9b:1::/48', 'local NAT64'),
  special('100::/64', 'discard-only'),
  special('2001::/32', 'the Teredo form', (words) => dotted(words.map((word) => word ^ 0xffff))),
  special('2001:2::/48', 'for benchmarks'),
  special('2001:10::/28', 'ORCHID'),
  special('2001:db8::/32', 'for documentation'),
  special('2002::/16', 'the 6to4 form', (words) => dotted([...words.slice(0, 6), words[1] ?? 0, words[2] ?? 0])),
  special('3fff::/20', 'for documentation'),
  special('fc00::/7', 'private (RFC 4193)'),
  special('fe80::/10', 'link-local'),
  special('ff00::/8', 'multicast'),
]

// A function, not a constant: the table above is made from it while this file loads.
function mask16(bits: number): number {
  return bits >= 16 ? 0xffff : bits <= 0 ? 0 : (0xffff << (16 - bits)) & 0xffff
}

function octetsOf(address: string): number[] {
  return address.split('.').map(Number)
}

/** The 16-bit words of an address that `net.isIP` knows: two of IPv4, eight of IPv6. */
function wordsOf(address: string): number[] {
  if (!address.includes(':')) {
    const [a = 0, b = 0, c = 0, d = 0] = octetsOf(address)
    return [(a << 8) | b, (c << 8) | d]
  }
  const withWords = address.replace(/\d+\.\d+\.\d+\.\d+$/, (v4) => {
    const [a = 0, b = 0, c = 0, d = 0] = octetsOf(v4)
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
  })
  const [head = '', tail] = withWords.split('::')
  const words = (part: string) => (part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16)))
  if (tail === undefined) return words(head)
  const before = words(head)
  const after = words(tail)
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after]
}

/** RFC 5952 §4: lower case, no leading zeros, the first longest run of two or more zero words as "::". */
function compress(words: readonly number[]): IpAddress {
  let best = { start: -1, length: 1 }
  for (let start = 0; start < 8; start++) {
    let length = 0
    while (start + length < 8 && words[start + length] === 0) length++
    if (length > best.length) best = { start, length }
  }
  const hex = (part: readonly number[]) => part.map((word) => word.toString(16)).join(':')
  if (best.start < 0) return hex(words) as IpAddress
  return `${hex(words.slice(0, best.start))}::${hex(words.slice(best.start + best.length))}` as IpAddress
}

/** The IPv4 address in the last two words. */
function dotted(words: readonly number[]): IpAddress {
  const [high = 0, low = 0] = words.slice(-2)
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}` as IpAddress
}

/** The address that 4 or 16 octets say, canonical as always (a v4-mapped one as IPv4). */
export function ipFromBytes(bytes: Uint8Array): IpAddress {
  if (bytes.length === 4) return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}` as IpAddress
  const words = Array.from({ length: 8 }, (_, index) => ((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0))
  if (words.slice(0, 5).every((word) => word === 0) && words[5] === 0xffff) return dotted(words)
  return compress(words)
}

/** The octets of the address: 4 or 16. */
export function ipBytes(address: IpAddress): Uint8Array {
  if (!isIpv6(address)) return Uint8Array.from(octetsOf(address))
  return Uint8Array.from(wordsOf(address).flatMap((word) => [word >> 8, word & 255]))
}
