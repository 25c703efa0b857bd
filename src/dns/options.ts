/**
 * The options of the resolver, each once: default, unit, range and a sentence. `config` puts them into the schema of waypost.yaml under
 * `resolver:`; the library and the command line take the same defaults from `resolver-options.ts`, as a test sees to.
 */
import { count, duration, list, parsed, type Read, section } from '../base/option.ts'
import type { ResolverOptions } from './resolver-options.ts'
import { type NameServer, parseNameServer } from './servers.ts'

function readNameServer(text: string): Read<NameServer> {
  const server = parseNameServer(text)
  return server ? { kind: 'value', value: server } : { kind: 'no', why: '' }
}

/** `resolver:` in waypost.yaml. */
export const resolverOptions = section('How Waypost asks the DNS.', {
  servers: list(
    'Recursive name servers to ask, in this order. Default: those of this machine (/etc/resolv.conf).',
    'a list of addresses, such as ["192.0.2.53"]',
    parsed(
      'A name server.',
      'an IP address, with or without a port: "192.0.2.53", "[2001:db8::53]:53"',
      readNameServer,
    ),
    8,
  ),
  timeout: duration('How long one try at one server may take.', { default: '2s', least: '50ms', most: '30s' }),
  attempts: count('How often each server is tried.', { default: 2, least: 1, most: 10 }),
  deadline: duration('How long one question may take in all, aliases and every server included.', {
    default: '10s',
    least: '50ms',
    most: '2m',
  }),
  cacheEntries: count('Answers kept in memory, those that take more than 1 KiB of it counting once a KiB.', {
    default: 10_000,
    least: 0,
    most: 10_000_000,
  }),
  maxTtl: duration('The longest that an answer is used without asking again, whatever its TTL.', {
    default: '1d',
    least: '0s',
    most: '7d',
  }),
  // RFC 2308 §5: one to three hours work well, more than a day does not.
  maxNegativeTtl: duration('The same for "no such name" and "no such data".', {
    default: '1h',
    least: '0s',
    most: '1d',
  }),
  staleFor: duration(
    'How long behind its TTL the last good answer is still used while no server can answer (RFC 8767).',
    {
      default: '7d',
      least: '0s',
      most: '30d',
    },
  ),
  failureMemory: duration('How long a question that failed is not asked again.', {
    default: '5s',
    least: '0s',
    most: '5m',
  }),
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
  .prefault({})
