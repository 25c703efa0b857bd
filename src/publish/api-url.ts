/** The base URL of an API, parsed once: `options.ts` reads it, `targets/api/api-client.ts` asks there. */
import { type IpAddress, isIpv6, parseIp } from '../base/ip.ts'
import { trimEnd } from '../base/trim-end.ts'
import { type HostName, isHostName, parseName } from '../dns/name.ts'

/** `https://dns.example.net:8443/base`. */
export interface ApiUrl {
  readonly isTls: boolean
  /** A name, or an address. */
  readonly host: HostName | IpAddress
  readonly port: number
  /** Empty, or begins with a slash and ends in none. */
  readonly basePath: string
}

export type ParsedApiUrl =
  | { readonly kind: 'url'; readonly url: ApiUrl }
  | { readonly kind: 'invalid'; readonly why: string }

/** http is taken for loopback and private networks, too: whoever runs such an API there has chosen so. */
export function parseApiUrl(text: string): ParsedApiUrl {
  const parts = /^(https?):\/\/(?:\[([^\]]+)\]|([^:/[\]@?#]+))(?::(\d{1,5}))?(\/[A-Za-z0-9._~/%-]*)?$/i.exec(text)
  if (!parts) return { kind: 'invalid', why: 'is no URL of the form http://host:port' }
  const isTls = parts[1]?.toLowerCase() === 'https'
  const port = Number(parts[4] ?? (isTls ? 443 : 80))
  if (port < 1 || port > 65_535) return { kind: 'invalid', why: 'has a port that is none' }
  const host = readHost(parts[2] ?? parts[3] ?? '')
  if (host === undefined) return { kind: 'invalid', why: 'has no host name and no address in it' }
  return { kind: 'url', url: { isTls, host, port, basePath: trimEnd(parts[5] ?? '', '/') } }
}

function readHost(text: string): HostName | IpAddress | undefined {
  const address = parseIp(text)
  if (address !== undefined) return address
  const parsed = parseName(text)
  return parsed.kind === 'name' && isHostName(parsed.name) && !/(^|\.)\d+$/.test(parsed.name) ? parsed.name : undefined
}

export const apiUrlText = ({ isTls, host, port, basePath }: ApiUrl): string =>
  `${isTls ? 'https' : 'http'}://${hostText(host)}${port === (isTls ? 443 : 80) ? '' : `:${port}`}${basePath}`

/** As it stands in a Host field. */
export const hostText = (host: string) => (isIpv6(host as IpAddress) ? `[${host}]` : host)
