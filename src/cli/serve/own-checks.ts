/** How the gateway checks its own domains, in rounds and from the dashboard: with its resolver and its name, and known to itself as its owner. */
import type { CheckerOptions } from '../../checks/check-domain.ts'
import type { Loaded } from '../../config/load.ts'
import type { Gateway } from '../../gateway/gateway.ts'

/** @param laboratory  where the Internet that is checked is another one than the world's */
export function ownCheckOptions(
  { settings: { hostname, resolver } }: Loaded,
  gateway: Pick<Gateway, 'ownProbeWord'>,
  laboratory: CheckerOptions,
): CheckerOptions {
  return {
    ...laboratory,
    ...(resolver.servers.length > 0 ? { resolvers: resolver.servers } : {}),
    ...(hostname.includes('.') ? { helo: hostname } : {}),
    // What is asked of ourselves neither counts nor teaches; the word is worth something to others, so no other server hears it.
    introduce: async (greetedBy) => (greetedBy.toLowerCase() === hostname ? gateway.ownProbeWord() : undefined),
  }
}
