/**
 * Which requests are listened to at all, before it is asked who makes them. Pure: header fields in, a reason out. Called by `site.ts` for each request.
 *
 * - Whoever calls us by a name that is not ours has been led here by somebody else's DNS (rebinding).
 * - What came through a proxy is not from this machine, whatever the connection says.
 * - What changes something comes from our own page or from a program, never from another site's form.
 */
import { type IpAddress, isIpv6, parseIp } from '../../base/ip.ts'
import { isLoopback } from '../../base/loopback.ts'

/** The connection that a request came over, as the system has it. */
export interface Connection {
  readonly peer: IpAddress
  /** Where it was accepted. */
  readonly address: IpAddress
  readonly port: number
  readonly isTls: boolean
}

/** Both ends on this machine. */
export const isFromHere = ({ peer, address }: Connection): boolean => isLoopback(peer) && isLoopback(address)

/** @param hosts  of the configuration, lower case, with or without a port */
export function isOurHost(
  host: string | undefined,
  { address, port, isTls }: Connection,
  hosts: readonly string[],
): boolean {
  if (host === undefined || host.length > 300) return false
  const said = host.toLowerCase()
  const [name, saidPort] = splitHost(said)
  if (hosts.includes(said) || hosts.includes(name)) return true
  if (saidPort !== port && !(saidPort === undefined && port === (isTls ? 443 : 80))) return false
  if (name === 'localhost') return isLoopback(address)
  return parseIp(name.replace(/^\[(.*)\]$/, '$1')) === address
}

function splitHost(host: string): [name: string, port: number | undefined] {
  const parts = /^(\[[0-9a-f:.]+\]|[^:]*)(?::(\d{1,5}))?$/.exec(host)
  if (!parts) return ['', undefined]
  return [parts[1] ?? '', parts[2] === undefined ? undefined : Number(parts[2])]
}

/** @param names  of all header fields, lower case */
export function cameThroughProxy(names: Iterable<string>): boolean {
  for (const name of names)
    if (proxyFields.has(name) || proxyPrefixes.some((prefix) => name.startsWith(prefix))) return true
  return false
}

/** RFC 7239 and what came before it, and what the common proxies and networks add of their own. A browser sends none of these by itself. */
const proxyPrefixes: readonly string[] = [
  ...['forwarded', 'x-forwarded', 'x-original-', 'x-envoy-', 'x-arr-', 'x-proxy', 'x-appengine-', 'x-azure-'],
  ...['x-vercel-', 'x-sucuri-', 'x-bluecoat-', 'x-authentik-', 'x-nginx-', 'x-nf-', 'incap-', 'ali-', 'do-connecting-'],
  ...['cf-', 'fastly-', 'x-amzn-', 'x-amz-cf-', 'x-cloudfront-', 'fly-', 'x-varnish', 'tailscale-', 'akamai-'],
]

/**
 * RFC 9110 §7.6.3, RFC 8586, RFC 9440, and others of one name. `traceparent` is none of them: a trace begins with the client itself (W3C Trace Context),
 * while `x-request-id` is what gateways add.
 */
const proxyFields: ReadonlySet<string> = new Set([
  ...['via', 'cdn-loop', 'client-cert', 'client-cert-chain', 'true-client-ip', 'client-ip', 'x-client-ip'],
  ...['x-cluster-client-ip', 'x-real-ip', 'x-real-port', 'x-remote-ip', 'x-remote-addr', 'remote-addr', 'x-host'],
  ...['proxy-connection', 'remote-user', 'x-coming-from', 'x-request-id'],
  ...['x-scheme', 'x-https', 'front-end-https', 'surrogate-capability', 'x-rewrite-url'],
])

/** What a page of ours adds to what changes something: no form of another site can (it makes the browser ask us first, and we do not answer). */
const actionField = 'x-waypost-action'

/**
 * @param field  gives a header field by its name
 * @returns in words, why it is not done
 */
export function whyNotOurPage(field: (name: string) => string | undefined, isTls: boolean): string | undefined {
  if (field(actionField) !== '1') return `the header field ${actionField}: 1 is missing`
  const site = field('sec-fetch-site')
  if (site !== undefined && site !== 'same-origin') return 'it comes from another site'
  const origin = field('origin')
  if (origin === undefined) return 'the header field Origin is missing'
  if (origin !== `${isTls ? 'https' : 'http'}://${field('host')?.toLowerCase()}`) return 'it comes from another origin'
  return undefined
}

/** The address as it stands in a URL. */
export const hostText = (address: IpAddress): string => (isIpv6(address) ? `[${address}]` : address)
