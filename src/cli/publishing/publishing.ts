/**
 * Where a command that publishes starts, `plan`, `apply` or `migrate`: the configuration, the resolver, what was kept, and the secrets of the
 * environment. Its options, `flags.ts` has; what `plan` and `apply` plan then, `../publish/examine-declared.ts`.
 */
import { hostname } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../base/clock.ts'
import { systemDoor } from '../../base/door.ts'
import { silentLog } from '../../base/log.ts'
import { createQueueByKey } from '../../base/queue-by-key.ts'
import { systemRandom } from '../../base/random.ts'
import { createSecretReader } from '../../base/secret.ts'
import { type Loaded, loadConfig } from '../../config/load.ts'
import { formatProblems } from '../../config/source.ts'
import type { HostName } from '../../dns/name.ts'
import { createResolver, type Resolver } from '../../dns/resolver.ts'
import { healthyHosts } from '../../publish/builtin/healthy-hosts.ts'
import { whyClosed } from '../../publish/migrate/migration-file.ts'
import { resolvedAddresses } from '../../publish/plan/ask-exchangers.ts'
import { loadCachedSets } from '../../publish/plan/cached-sets.ts'
import type { ExamineDeps, ExamineOptions } from '../../publish/plan/examine.ts'
import type { ApiWait } from '../../publish/targets/api/api-client.ts'
import { findConfig } from '../config-path.ts'
import type { Terminal } from '../terminal.ts'
import type { PublishFlags } from './flags.ts'
import { createDnsReloader } from './reload-dns.ts'

export interface Publishing {
  readonly loaded: Loaded
  readonly resolver: Resolver
  readonly deps: ExamineDeps
  readonly options: ExamineOptions
  /** Closes what is open: to be called when all is done. */
  close(): void
}

/** @returns undefined where it was told what is wrong */
export async function openPublishing(flags: PublishFlags, terminal: Terminal): Promise<Publishing | undefined> {
  const found = findConfig(flags.config)
  if (found.kind === 'none') {
    terminal.err(`waypost: ${found.why}\n`)
    return undefined
  }
  const loaded = await loadConfig(found.path, { clock: systemClock, machineName: hostname() })
  if (loaded.kind !== 'loaded') {
    if (loaded.kind === 'invalid') terminal.err(`${formatProblems(loaded.problems)}\n`)
    return undefined
  }
  const { settings, publishing } = loaded
  const closed = await whyClosed(settings.state)
  if (closed !== undefined) {
    terminal.err(`waypost: ${closed}\n`)
    return undefined
  }
  const tools = { clock: systemClock, random: systemRandom, door: systemDoor }
  const servers = flags.resolver ?? settings.resolver.servers
  const resolver = createResolver({ ...settings.resolver, servers }, { ...tools, log: silentLog })
  const cached = await loadCachedSets(cachedSetsPath(settings.state), systemClock.now())
  return {
    loaded,
    resolver,
    deps: {
      ...tools,
      onWait: (wait) => terminal.err(waitText(wait)),
      resolver,
      cached,
      exchangerTurns: createQueueByKey(sessionsWithOne),
      secrets: createSecretReader((name) => process.env[name]),
      addressesOf: (host) => addressesOf(host, resolver),
      builtin: {
        state: settings.state,
        hostname: settings.hostname,
        listen: publishing.listenDns,
        load: createDnsReloader(settings.state),
      },
    },
    options: {
      publishers: publishing.publishers,
      asksSmtp: flags.smtp,
      isPrivate: flags.private === true,
      healthy: healthyHosts(publishing.declarations),
      smtpPort: flags.smtpPort ?? 25,
      dnsPort: flags.dnsPort,
      httpsPort: 443,
      hello: settings.hostname,
    },
    close: () => resolver.close(),
  }
}

/** An API that is busy. */
export function waitText({ place, pauseMs, totalMs }: ApiWait): string {
  const before = totalMs > pauseMs ? `, ${Math.ceil(totalMs / 1000)} s with those before` : ''
  return `waypost: ${place} is busy and wants us to wait: ${Math.ceil(pauseMs / 1000)} s${before}\n`
}

/** SMTP sessions with one exchanger at once: it may be that of thousands of zones. */
const sessionsWithOne = 2

const cachedSetsPath = (state: string) => join(state, 'published.json')

async function addressesOf(host: HostName, resolver: Resolver) {
  const found = await resolvedAddresses(host, resolver)
  return found.kind === 'addresses' ? found.addresses : []
}
