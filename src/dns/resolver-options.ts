/**
 * What the resolver's options mean to `createResolver`, with their defaults: those of `options.ts`, which takes as long to load as all the rest
 * because it brings the schema, and a command that asks one question should not wait for that.
 */
import { parseIp } from '../base/ip.ts'
import { type NameServer, parseNameServer } from './servers.ts'

/** Whom a resolver asks, how long it waits, and how much it keeps. */
export interface ResolverOptions {
  /** Asked in this order; empty: those of the system. */
  readonly servers: readonly NameServer[]
  readonly timeoutMs: number
  readonly attempts: number
  readonly deadlineMs: number
  readonly cacheEntries: number
  readonly maxTtlSeconds: number
  readonly maxNegativeTtlSeconds: number
  readonly staleForMs: number
  readonly failureMs: number
  /** Many questions on their way at once over one TCP connection a server, UDP where it will not have that: for lists. Default false. */
  readonly pipelines?: boolean
}

export const defaultResolverOptions: ResolverOptions = {
  servers: [],
  timeoutMs: 2_000,
  attempts: 2,
  deadlineMs: 10_000,
  cacheEntries: 10_000,
  maxTtlSeconds: 86_400,
  maxNegativeTtlSeconds: 3_600,
  staleForMs: 7 * 86_400_000,
  failureMs: 5_000,
}

/** What differs from the defaults. A server may be written as in waypost.yaml: `"192.0.2.1"`, `"192.0.2.1:5353"`, `"[2001:db8::1]:53"`. */
export type ChosenResolverOptions = Partial<Omit<ResolverOptions, 'servers'>> & {
  readonly servers?: readonly (NameServer | string)[]
}

/** The options in full. Throws a TypeError that names the server which is none: who calls from JavaScript has no compiler to tell. */
export function readResolverOptions({ servers = [], ...others }: ChosenResolverOptions): ResolverOptions {
  if (!Array.isArray(servers)) throw new TypeError('resolver option servers: not a list')
  return { ...defaultResolverOptions, ...others, servers: servers.map(readServer) }
}

function readServer(said: NameServer | string): NameServer {
  const isText = typeof said === 'string'
  const server = isText ? parseNameServer(said) : said
  const address = typeof server?.address === 'string' ? parseIp(server.address) : undefined
  const port = server?.port
  if (address && port !== undefined && Number.isInteger(port) && port >= 1 && port <= 65_535) return { address, port }
  throw new TypeError(
    `resolver option servers: ${JSON.stringify(said)} is no name server; write "192.0.2.1:53" or { address, port }`,
  )
}
