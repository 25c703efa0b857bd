/**
 * Whether the places where a gateway is to listen can be had, before it makes a state folder that nobody wants if they cannot. A look, and no promise: who
 * takes one a moment later is met when the gateway listens. For `serve`.
 */
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { ListenAddress } from '../../base/listen-address.ts'
import { whyNotBound } from './why-not-bound.ts'

/** @returns in words, why one of them cannot be had; undefined: all can */
export async function whyPlacesTaken(places: readonly ListenAddress[]): Promise<string | undefined> {
  for (const { address, port } of places) {
    // Any free one will do.
    if (port === 0) continue
    const server = createServer()
    try {
      server.listen({ host: address, port, ipv6Only: true })
      await once(server, 'listening')
    } catch (error) {
      const why = whyNotBound(error)
      if (why === undefined) throw error
      return why
    } finally {
      server.close()
    }
  }
  return undefined
}
