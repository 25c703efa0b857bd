/**
 * The options of the resolver, each once: default, unit, range and a sentence. `config` puts them into the schema of waypost.yaml under
 * `resolver:`; the library and the command line take the same defaults.
 */
import { z } from 'zod'
import { type NameServer, parseNameServer } from './servers.ts'

/** What the options mean to `createResolver`. */
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
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

function durationMs(text: string): number {
  const parts = /^(\d{1,12}) ?(ms|s|m|h|d)$/.exec(text)
  return parts ? Number(parts[1]) * (unitMs[parts[2] ?? ''] ?? Number.NaN) : Number.NaN
}

/** `300ms`, `2s`, `7d` to milliseconds. */
const duration = (says: string, byDefault: string, least: string, most: string) =>
  z
    .string()
    .refine((text) => durationMs(text) >= durationMs(least) && durationMs(text) <= durationMs(most), {
      error: `a length of time with its unit, such as ${byDefault} (ms, s, m, h, d; ${least} to ${most})`,
    })
    .transform(durationMs)
    .prefault(byDefault)
    .describe(says)

const count = (says: string, byDefault: number, least: number, most: number) =>
  z.coerce.number().int().min(least).max(most).prefault(byDefault).describe(`${says} ${least} to ${most}.`)

const server = z.string().transform((text, context): NameServer => {
  const parsed = parseNameServer(text)
  if (parsed) return parsed
  context.addIssue({
    code: 'custom',
    message: 'an IP address, with or without a port: 127.0.0.1, 127.0.0.1:5353, [::1]:53',
  })
  return z.NEVER
})

/** `resolver:` in waypost.yaml. */
export const resolverSchema = z
  .strictObject({
    servers: z
      .array(server)
      .max(8)
      .prefault([])
      .describe(
        'Recursive name servers to ask, in this order, as ADDRESS or ADDRESS:PORT. Empty: those of /etc/resolv.conf.',
      ),
    timeout: duration('How long one try at one server may take.', '2s', '50ms', '30s'),
    attempts: count('How often each server is tried.', 2, 1, 10),
    deadline: duration(
      'How long one question may take in all, aliases and every server included.',
      '10s',
      '50ms',
      '2m',
    ),
    cacheEntries: count('Answers kept in memory, those of more than 1 KiB counting once a KiB.', 10_000, 0, 10_000_000),
    maxTtl: duration('The longest that an answer is used without asking again, whatever its TTL.', '1d', '0s', '7d'),
    // RFC 2308 §5: one to three hours work well, more than a day does not.
    maxNegativeTtl: duration('The same for "no such name" and "no such data".', '1h', '0s', '1d'),
    staleFor: duration(
      'How long behind its TTL the last good answer is still used while no server can answer (RFC 8767).',
      '7d',
      '0s',
      '30d',
    ),
    failureMemory: duration('How long a question that failed is not asked again.', '5s', '0s', '5m'),
  })
  .transform(
    (said): ResolverOptions => ({
      servers: said.servers,
      timeoutMs: said.timeout,
      attempts: said.attempts,
      deadlineMs: said.deadline,
      cacheEntries: said.cacheEntries,
      maxTtlSeconds: said.maxTtl / 1000,
      maxNegativeTtlSeconds: said.maxNegativeTtl / 1000,
      staleForMs: said.staleFor,
      failureMs: said.failureMemory,
    }),
  )

export const defaultResolverOptions: ResolverOptions = resolverSchema.parse({})
