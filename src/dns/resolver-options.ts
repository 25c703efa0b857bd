/**
 * What the resolver's options mean to `createResolver`, with their defaults: those of `options.ts`, which takes as long to load as all the rest
 * because it brings the schema, and a command that asks one question should not wait for that.
 */
import type { NameServer } from './servers.ts'

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
