/**
 * A backend: a server that we hand mail to, as one canonical URL with its options. Pools and health are kept by
 * `key`, so equal declarations share them, and both survive a reload.
 */
import type { IpAddress } from '../base/ip.ts'
import type { HostName } from '../dns/name.ts'

/** Where a backend is and how it is spoken to. */
export type BackendAddress =
  | { readonly protocol: 'smtp' | 'smtps'; readonly host: HostName | IpAddress; readonly port: number }
  | { readonly protocol: 'lmtp'; readonly host: HostName | IpAddress; readonly port: number }
  | { readonly protocol: 'lmtp'; readonly path: string }
  /** `path` may hold `{local}` once, as a whole segment. */
  | { readonly protocol: 'maildir'; readonly path: string }
  /** The exchangers of the recipient's domain (`domain` undefined) or of another one (RFC 5321 §5.1); the port is 25 but in a laboratory. */
  | {
      readonly protocol: 'mx'
      readonly domain: HostName | undefined
      readonly port?: number
      /** Mail of our own goes there, to a domain that is none of ours. */
      readonly isForOwnMail?: true
    }

/** How a backend is spoken to. */
export interface BackendOptions {
  /** `off`: never; `may`: where offered, unverified, with one retry in clear; `require`: or no mail. Default `may`. */
  readonly tls: 'off' | 'may' | 'require'
  /** EHLO name; default: the gateway's `hostname`. */
  readonly helo: HostName | undefined
  /** Sessions at once, 1–1000. Default 20. */
  readonly connections: number
  /** `mx` only: private addresses are meant. */
  readonly private: boolean
  /** A file that is not trusted names the host: it is connected to at public addresses alone. */
  readonly isPublicOnly?: true
}

/** A mail server, or a folder, that takes mail from us, with what was declared of it. */
export interface Backend {
  /** The canonical URL with the options that differ from the defaults: what two equal backends share. */
  readonly key: string
  /** The URL as people know it, `smtp://10.0.0.11:25`: for logs, replies of `waypost backend`, never parsed. */
  readonly url: string
  readonly address: BackendAddress
  readonly options: BackendOptions
}

/** A backend's place in a route. */
export interface RouteEntry {
  readonly backend: Backend
  /** 0–65535, lower is tried first; equal ones are a tier. Default 10. */
  readonly preference: number
  /** Share within the tier, 1–1000. Default 1. */
  readonly weight: number
}

/** Which backends take some mail, in which order and shares. */
export interface Route {
  /** A name for logs: the domain or the name under `routes:`. Equal lists are one route. */
  readonly id: string
  readonly entries: readonly RouteEntry[]
  readonly balance: 'round-robin' | 'least-connections'
  /** What a 4yz of a backend means: `pass` it to the sender (default), or `hold`: as if the backend were down. */
  readonly onDefer: 'pass' | 'hold'
}

/** Whether a server of the route speaks LMTP, which answers the dot for each recipient (RFC 2033 §4.2). */
export const speaksLmtp = (route: Route): boolean =>
  route.entries.some(({ backend: { address } }) => address.protocol === 'lmtp')

/**
 * Whether one message may be taken for some of its recipients and not for others: by LMTP, and in Maildirs, where a folder may fail. Only a fault of
 * this machine does that, so nobody is asked for in a transaction of its own because of it.
 */
export const mayDiffer = (route: Route): boolean =>
  speaksLmtp(route) || route.entries.some(({ backend: { address } }) => address.protocol === 'maildir')

/** Whether the route asks DNS for the exchangers of the recipient's own domain. */
export const looksUpRecipient = (route: Route): boolean =>
  route.entries.some(({ backend: { address } }) => address.protocol === 'mx' && address.domain === undefined)

/** One address of a backend: what one connects to, and what is up or down. */
export interface Endpoint {
  /** `backend.key` and the address. */
  readonly key: string
  readonly backend: Backend
  readonly target:
    | { readonly kind: 'tcp'; readonly address: IpAddress; readonly port: number }
    | { readonly kind: 'unix'; readonly path: string }
    | { readonly kind: 'maildir' }
  /** For logs and trace: the host name that led here, or the address. */
  readonly name: string
  /**
   * All but `backend` are judged by the door: `mx` and `dsn` came from DNS, `included` of a file that is not trusted; `dsn`: that of a stranger, for
   * mail of our own.
   */
  readonly purpose: 'backend' | 'included' | 'mx' | 'dsn'
}

/** Which backend, and which address of it, as every line of the log names them. */
export function backendFields(endpoint: Endpoint): BackendFields {
  const known = fields.get(endpoint)
  if (known) return known
  const { backend, target } = endpoint
  const made = { backend: backend.url, ...(target.kind === 'tcp' && { endpoint: addressText(target) }) }
  fields.set(endpoint, made)
  return made
}

export type BackendFields = {
  readonly backend: string
  readonly endpoint?: string
}

/** Each message asks for those of its endpoint. */
const fields = new WeakMap<Endpoint, BackendFields>()

/** `192.0.2.1:25`, `[2001:db8::1]:25`. */
export const addressText = ({ address, port }: { address: string; port: number }): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
