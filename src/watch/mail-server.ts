/** `alerts.email.via`: the server that takes alerts by mail, `smtp://host:port` or `smtps://host:port`. */
import type { IpAddress } from '../base/ip.ts'
import type { HostName } from '../mail/address.ts'
import { readHost } from './channel-url.ts'

export interface MailServer {
  /** TLS from the first octet (RFC 8314 §3.3). */
  readonly isTls: boolean
  readonly host: HostName | IpAddress
  readonly port: number
}

export type ParsedMailServer =
  | { readonly kind: 'server'; readonly server: MailServer }
  | { readonly kind: 'invalid'; readonly why: string }

export function parseMailServer(text: string): ParsedMailServer {
  const parts = /^(smtps?):\/\/(?:\[([^\]]+)\]|([^:/[\]@?#\s]+))(?::(\d{1,5}))?\/?$/i.exec(text)
  if (!parts) return { kind: 'invalid', why: 'is no server of the form smtp://host:port' }
  const isTls = parts[1]?.toLowerCase() === 'smtps'
  const port = Number(parts[4] ?? (isTls ? 465 : 25))
  if (port < 1 || port > 65_535) return { kind: 'invalid', why: 'has a port that is none' }
  const host = readHost(parts[2] ?? parts[3] ?? '')
  return host === undefined
    ? { kind: 'invalid', why: 'has no host name and no address in it' }
    : { kind: 'server', server: { isTls, host, port } }
}
