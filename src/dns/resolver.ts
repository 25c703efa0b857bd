/**
 * The stub resolver: asks recursive servers (those of the system or of the configuration), remembers what they say, and tells answers, "no such
 * data", "no such name" and failures apart. Search domains are never used: names are absolute. Called by `routing/exchangers`, the checks and
 * the library's users.
 *
 * resolve → fresh in the cache? → the same question in progress? → ask each server, in turn → aliases that are not finished: ask on
 *         → remember → and when all fail, the last good answer, flagged stale (RFC 8767)
 */
import type { Clock } from '../base/clock.ts'
import type { Door } from '../base/door.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { memoryOf } from './answer-memory.ts'
import { Asker } from './asker.ts'
import { createCache } from './cache.ts'
import { KeyTable } from './key-table.ts'
import type { Resolution } from './resolution.ts'
import { type ChosenResolverOptions, readResolverOptions } from './resolver-options.ts'
import { createServerChoice } from './server-choice.ts'
import { createTransport } from './transport.ts'
import type { RecordType } from './types.ts'
import { foldName, nameText, type WireName } from './wire-name.ts'

/** Asks recursive servers and remembers what they said, for as long as they allowed. */
export interface Resolver {
  /** Resolves within `deadlineMs`, whatever happens; never rejects. */
  resolve<T extends RecordType>(name: WireName, type: T): Promise<Resolution<T>>
  /** Questions in progress fail as unreachable. */
  close(): void
}

/** What a resolver has answered since it was made. */
export interface ResolverCounts {
  /** Look-ups that were asked of servers, by how they ended. */
  readonly asked: Readonly<Record<Resolution['kind'], number>>
  /** Those that the cache answered. */
  readonly fromCache: number
  /** Of all, those that no server answered any more, and an old answer served for (RFC 8767). */
  readonly stale: number
}

export interface CountingResolver extends Resolver {
  readonly counts: ResolverCounts
}

export interface ResolverDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly door: Door
}

/** RFC 8767 §4: a stale answer is good for so long before the next look. */
const staleTtlSeconds = 30

interface Kept {
  readonly resolution: Resolution
  /** Monotonic. Until then it is used as it is. */
  readonly freshUntilMs: number
  /** No server answered lately: until then it is used as stale without asking again (RFC 8767 §5). */
  quietUntilMs: number
}

/**
 * Throws a TypeError where an option or a part of `deps` is not what it must be.
 * @param options  those that differ from `defaultResolverOptions`
 */
export function createResolver(options: ChosenResolverOptions, deps: ResolverDeps): CountingResolver {
  const settings = readResolverOptions(options)
  for (const part of ['clock', 'random', 'log', 'door'] as const)
    if (!deps?.[part]) throw new TypeError(`createResolver wants deps.${part}`)
  const transport = createTransport({ ...deps, pipelines: settings.pipelines === true })
  const asker = new Asker(settings, transport, createServerChoice(settings.servers, deps), deps.clock)
  const cache = createCache<Kept>(settings.cacheEntries, deps.clock)
  const inProgress = new KeyTable<Promise<Resolution>>()
  const asked = { answer: 0, 'no-data': 0, 'no-such-name': 0, failed: 0 }
  const counts = { asked, fromCache: 0, stale: 0 }
  let isClosed = false

  const usable = (key: string): Resolution | undefined => {
    const kept = cache.get(key)
    if (!kept) return undefined
    const leftMs = kept.freshUntilMs - deps.clock.monotonicMs()
    if (leftMs > 0) return aged(kept.resolution, leftMs)
    return kept.quietUntilMs > deps.clock.monotonicMs() ? stale(kept.resolution) : undefined
  }

  const remember = (name: WireName, key: string, resolution: Resolution): void => {
    // RFC 2308 §5: what no SOA vouches for is an answer to this question and to no other one; nor does it displace the last good answer.
    const isNegative = resolution.kind === 'no-data' || resolution.kind === 'no-such-name'
    if (isNegative && resolution.ttlSeconds === 0) return
    const isFailure = resolution.kind === 'failed'
    const isMissing = resolution.kind === 'no-such-name'
    const freshMs = isFailure ? settings.failureMs : resolution.ttlSeconds * 1000
    // A name that was missing once is no reason to turn mail away for days: never stale.
    const keepMs = isFailure || isMissing ? freshMs : freshMs + settings.staleForMs
    // RFC 2308 §5: a name that does not exist has data of no type.
    const place = isMissing && resolution.aliases.length === 0 ? missingKey(name) : key
    const kept = { resolution, freshUntilMs: deps.clock.monotonicMs() + freshMs, quietUntilMs: 0 }
    cache.set(place, kept, keepMs, 1 + Math.floor(memoryOf(resolution) / 1024))
  }

  const settled = (name: WireName, type: RecordType, key: string, resolution: Resolution): Resolution => {
    inProgress.delete(key)
    asked[resolution.kind]++
    if (isClosed) return resolution
    if (resolution.kind === 'failed') {
      const last = cache.get(key)
      const isKnown = last !== undefined && last.resolution.kind !== 'failed'
      const { reason, why } = resolution
      deps.log.warn('dns.failed', { name: nameText(name), type, reason, why, servedStale: isKnown })
      if (isKnown) {
        last.quietUntilMs = deps.clock.monotonicMs() + settings.failureMs
        counts.stale++
        return stale(last.resolution)
      }
    }
    if (settings.cacheEntries > 0) remember(name, key, resolution)
    return resolution
  }

  const resolve = (name: WireName, type: RecordType): Promise<Resolution> => {
    const key = `${type} ${foldName(name)}`
    const known = settings.cacheEntries > 0 ? (usable(key) ?? usable(missingKey(name))) : undefined
    if (known) {
      counts.fromCache++
      if (known.kind !== 'failed' && known.stale) counts.stale++
      return Promise.resolve(known)
    }
    const running = inProgress.get(key)
    if (running) return running
    const started = new Promise<Resolution>((resolve) => {
      asker.ask(name, type, (heard) => resolve(settled(name, type, key, heard)))
    })
    // RFC 5452 §5: the same question under many ids at once is so many times likelier to be answered by somebody else.
    inProgress.set(key, started)
    return started
  }

  return {
    counts,
    resolve: <T extends RecordType>(name: WireName, type: T) => resolve(name, type) as Promise<Resolution<T>>,
    close() {
      isClosed = true
      transport.close()
    },
  }
}

/** Never the key of an answer, which begins with its type. */
const missingKey = (name: WireName) => foldName(name)

function aged(resolution: Resolution, leftMs: number): Resolution {
  return resolution.kind === 'failed' ? resolution : { ...resolution, ttlSeconds: Math.ceil(leftMs / 1000) }
}

function stale(resolution: Resolution): Resolution {
  return resolution.kind === 'failed' ? resolution : { ...resolution, ttlSeconds: staleTtlSeconds, stale: true }
}
