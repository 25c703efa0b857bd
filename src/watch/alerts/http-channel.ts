/** HTTP as alerts use it: the URL read where it is kept, its host resolved, one request through the door. Used by `webhook` and `ping`, in part by `email`. */
import type { Clock } from '../../base/clock.ts'
import type { Door } from '../../base/door.ts'
import { errorCode } from '../../base/error-code.ts'
import type { HostLookup } from '../../base/host-lookup.ts'
import { callHttp, type HttpCall, type HttpOutcome } from '../../base/http-client.ts'
import { type IpAddress, isIpv6, parseIp } from '../../base/ip.ts'
import type { SecretSource } from '../../base/option.ts'
import { printable } from '../../base/printable.ts'
import type { SecretReader } from '../../base/secret.ts'
import { type ChannelUrl, parseChannelUrl } from '../channel-url.ts'

export interface ChannelDeps {
  readonly clock: Clock
  readonly door: Door
  readonly lookupHost: HostLookup
  readonly readSecret: SecretReader
  /** Text of a file that waypost.yaml names, PEM. */
  readonly readText: (path: string) => Promise<string>
}

export type Url = ChannelUrl | SecretSource

export type FoundUrl =
  | { readonly kind: 'url'; readonly url: ChannelUrl }
  | { readonly kind: 'missing'; readonly why: string }

export async function findUrl(url: Url, { readSecret }: Pick<ChannelDeps, 'readSecret'>): Promise<FoundUrl> {
  if (!('kind' in url)) return { kind: 'url', url }
  const read = await readSecret(url)
  if (read.kind === 'missing') return read
  const parsed = parseChannelUrl(read.text.trim())
  return parsed.kind === 'url' ? parsed : { kind: 'missing', why: `the secret that is to be a URL ${parsed.why}` }
}

export type FoundAuthorities =
  | { readonly kind: 'found'; readonly ca: string | undefined }
  | { readonly kind: 'missing'; readonly why: string }

/** @param path  of their PEM; undefined: those that everybody trusts */
export async function findAuthorities(
  path: string | undefined,
  { readText }: Pick<ChannelDeps, 'readText'>,
): Promise<FoundAuthorities> {
  try {
    return { kind: 'found', ca: path === undefined ? undefined : await readText(path) }
  } catch (error) {
    // Whoever renews the file may have taken it away for a moment.
    const code = errorCode(error)
    if (code === undefined) throw error
    return { kind: 'missing', why: `${printable(path ?? '', 300)} cannot be read (${code})` }
  }
}

/** What may be said of a URL aloud. */
export const urlName = (url: Url): string =>
  'kind' in url
    ? 'a URL that is kept secret'
    : `${url.isTls ? 'https' : 'http'}://${hostText(url.host)}${url.port === (url.isTls ? 443 : 80) ? '' : `:${url.port}`}`

const hostText = (host: string) => (isIpv6(host as IpAddress) ? `[${host}]` : host)

const timeoutMs = 15_000
const maxAnswerBytes = 64 * 1024

export type Asking = Pick<HttpCall, 'method' | 'headers'> & {
  readonly body?: Uint8Array
  readonly ca?: string | undefined
  /** In place of the URL's own. */
  readonly path?: string
}

/** Asks each address of the host until one was reached. */
export async function askUrl(url: ChannelUrl, asking: Asking, deps: ChannelDeps): Promise<HttpOutcome> {
  const { ca, path = url.path, ...rest } = asking
  let last: HttpOutcome = { kind: 'failed', isSent: false, why: `${url.host} has no address` }
  for (const address of (await addressesOf(url.host, deps)).slice(0, 4)) {
    const { host, port, isTls } = url
    const call = { purpose: 'webhook', address, port, host: hostText(host), isTls, path, timeoutMs } as const
    last = await callHttp({ ...call, ...rest, maxBytes: maxAnswerBytes, ...(ca === undefined ? {} : { ca }) }, deps)
    if (last.kind === 'response' || last.isSent) return last
  }
  return last
}

export async function addressesOf(
  host: string,
  { lookupHost }: Pick<ChannelDeps, 'lookupHost'>,
): Promise<readonly IpAddress[]> {
  const literal = parseIp(host)
  if (literal) return [literal]
  try {
    return await lookupHost(host)
  } catch (error) {
    // EAI_AGAIN, ENOTFOUND, ETIMEDOUT: it has none now.
    if (errorCode(error) !== undefined) return []
    throw error
  }
}
