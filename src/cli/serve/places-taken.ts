/**
 * Whether the places where a gateway is to listen can be had, before it makes a state folder that nobody wants if they cannot. A look, and no promise: who
 * takes one a moment later is met when the gateway listens. For `serve`.
 */
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { ListenPlace } from '../../config/listen.ts'
import { whyNotBound } from './why-not-bound.ts'

/** @param path  of the configuration. @returns in words, why one of them cannot be had, and what to do; undefined: all can */
export async function whyPlacesTaken(places: readonly ListenPlace[], path: string): Promise<string | undefined> {
  for (const { address, port } of places) {
    // Any free one will do.
    if (port === 0) continue
    const server = createServer()
    try {
      server.listen({ host: address, port, ipv6Only: true })
      await once(server, 'listening')
    } catch (error) {
      const why = whyNoPlace(error, places, path)
      if (why === undefined) throw error
      return why
    } finally {
      server.close()
    }
  }
  return undefined
}

/** The same of an error that came of listening. @returns undefined where the error is another one */
export function whyNoPlace(error: unknown, places: readonly ListenPlace[], path: string): string | undefined {
  const why = whyNotBound(error)
  const { address, port } = error as { address?: unknown; port?: unknown }
  const kind = places.find((place) => place.address === address && place.port === port)?.kind
  return why === undefined || kind === undefined ? why : `${why}: name another place with listen.${kind} in ${path}`
}
