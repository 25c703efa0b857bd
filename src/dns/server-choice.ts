/**
 * In which order the name servers are asked: as they are listed (resolv.conf(5)), those that were silent a moment ago last. Called by `asker.ts`.
 */
import type { Clock } from '../base/clock.ts'
import { errorCode } from '../base/error-code.ts'
import type { Log } from '../base/log.ts'
import { type NameServer, nameServerText, systemServers } from './servers.ts'

export interface ServerChoice {
  /** All of them, best first, at least one. */
  inOrder(): readonly NameServer[] | Promise<readonly NameServer[]>
  silent(server: NameServer): void
  answered(server: NameServer): void
}

/** A server that did not answer is asked after the others for so long. */
const silentForMs = 30_000
/** resolv.conf changes when a machine changes its network, so it is read again from time to time. */
const systemForMs = 30_000

/** @param servers  empty: those of the system */
export function createServerChoice(
  servers: readonly NameServer[],
  deps: { readonly clock: Clock; readonly log: Log },
): ServerChoice {
  const silentUntilMs = new Map<string, number>()
  let system: { readonly servers: Promise<readonly NameServer[]>; readonly readMs: number } | undefined

  const fromSystem = (): Promise<readonly NameServer[]> => {
    const nowMs = deps.clock.monotonicMs()
    if (system && nowMs - system.readMs < systemForMs) return system.servers
    const before = system?.servers
    const read = systemServers().catch((error: unknown) => {
      deps.log.warn('dns.no-resolv-conf', { code: errorCode(error) })
      return before ?? []
    })
    system = { servers: read, readMs: nowMs }
    return read
  }

  const sorted = (all: readonly NameServer[]): readonly NameServer[] => {
    if (silentUntilMs.size === 0) return all
    const nowMs = deps.clock.monotonicMs()
    const isSilent = (server: NameServer) => (silentUntilMs.get(nameServerText(server)) ?? 0) > nowMs
    return [...all.filter((server) => !isSilent(server)), ...all.filter(isSilent)]
  }

  return {
    inOrder: () => (servers.length > 0 ? sorted(servers) : fromSystem().then(sorted)),
    silent(server) {
      silentUntilMs.set(nameServerText(server), deps.clock.monotonicMs() + silentForMs)
    },
    answered(server) {
      if (silentUntilMs.size > 0) silentUntilMs.delete(nameServerText(server))
    },
  }
}
