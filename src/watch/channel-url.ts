/** The URL of a webhook or a ping, parsed once. Its path and query are secrets at many services, so it is never logged: `host` is. */
import { type IpAddress, parseIp } from '../base/ip.ts'
import { type HostName, parseMailbox } from '../mail/address.ts'

export interface ChannelUrl {
  readonly isTls: boolean
  readonly host: HostName | IpAddress
  readonly port: number
  /** With its query; begins with a slash. */
  readonly path: string
}

export type ParsedChannelUrl =
  | { readonly kind: 'url'; readonly url: ChannelUrl }
  | { readonly kind: 'invalid'; readonly why: string }

const mostLength = 2_000

export function parseChannelUrl(text: string): ParsedChannelUrl {
  const parts =
    /^(https?):\/\/(?:\[([^\]]+)\]|([^:/[\]@?#\s]+))(?::(\d{1,5}))?((?:\/[\x21-\x22\x24-\x7e]*)?(?:\?[\x21-\x22\x24-\x7e]*)?)$/i.exec(
      text,
    )
  if (!parts || text.length > mostLength) return { kind: 'invalid', why: 'is no URL of the form https://host/path' }
  const isTls = parts[1]?.toLowerCase() === 'https'
  const port = Number(parts[4] ?? (isTls ? 443 : 80))
  if (port < 1 || port > 65_535) return { kind: 'invalid', why: 'has a port that is none' }
  const host = readHost(parts[2] ?? parts[3] ?? '')
  if (host === undefined) return { kind: 'invalid', why: 'has no host name and no address in it' }
  const path = parts[5] ?? ''
  return { kind: 'url', url: { isTls, host, port, path: path.startsWith('/') ? path : `/${path}` } }
}

/** A name is read as the domain of an address would be: the one way by which names become `HostName`s in this room. */
export function readHost(text: string): HostName | IpAddress | undefined {
  const address = parseIp(text)
  if (address !== undefined) return address
  const read = parseMailbox(`host@${text}`)
  const name = read.kind === 'mailbox' ? read.mailbox.domain : undefined
  // RFC 1123 §2.1: a name whose last label is a number would be read as an address.
  return name === undefined || /(^|\.)\d+$/.test(name) || !/^[a-z0-9._-]+$/.test(name) ? undefined : name
}
