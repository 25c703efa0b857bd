/**
 * Where `waypost send` sends when nobody says it: to the gateway of the waypost.yaml at hand. Called by `send.ts`, and read only then: who names a server
 * waits for no configuration.
 */
import { hostname } from 'node:os'
import { systemClock } from '../../base/clock.ts'
import { isIpv6 } from '../../base/ip.ts'
import { loadConfig } from '../../config/load.ts'
import type { GatewaySettings, Listener } from '../../gateway/settings.ts'
import { findRunningConfig } from '../config-path.ts'
import { usualServer } from './options.ts'

/**
 * @param config  what `-c` says
 * @returns `host:port`: the first of `listen.smtp`; or the usual place where there is no configuration, or none that can be read, which is told
 */
export async function findServer(config: string | undefined, err: (line: string) => void): Promise<string> {
  const found = findRunningConfig(config)
  if (found.kind === 'none') return usualServer
  const loaded = await loadConfig(found.path, { clock: systemClock, machineName: hostname() })
  if (loaded.kind === 'loaded') return firstPlace(loaded.settings)
  err(
    `waypost: ${found.path} is not in order ("waypost config check" says why), so ${usualServer} is tried; --server names another`,
  )
  return usualServer
}

/** Port 0 is whichever the system gave. */
function firstPlace({ listen }: Pick<GatewaySettings, 'listen'>): string {
  const place = listen.find(({ port }) => port !== 0)
  return place ? placeText(place) : usualServer
}

/** Who listens everywhere listens on this machine's own address too. */
function placeText({ address, port }: Listener): string {
  if (isIpv6(address)) return `[${address === '::' ? '::1' : address}]:${port}`
  return `${address === '0.0.0.0' ? '127.0.0.1' : address}:${port}`
}
