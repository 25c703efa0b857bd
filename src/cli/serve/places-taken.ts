/**
 * Whether the places where a gateway is to listen can be had, before it makes a state folder that nobody wants if they cannot. A look, and no promise: who
 * takes one a moment later is met when the gateway listens. For `serve`.
 */
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { WrittenPlace } from '../../config/listen.ts'
import { type Problem, problemOfFile } from '../../config/source.ts'
import { whyNotBound } from './why-not-bound.ts'

/** @param path  of the configuration. @returns why one of them cannot be had, and what to do; undefined: all can */
export async function findTakenPlace(places: readonly WrittenPlace[], path: string): Promise<Problem | undefined> {
  for (const { address, port } of places) {
    // Any free one will do.
    if (port === 0) continue
    const server = createServer()
    try {
      server.listen({ host: address, port, ipv6Only: true })
      await once(server, 'listening')
    } catch (error) {
      const taken = takenPlace(error, places, path)
      if (taken === undefined) throw error
      return taken
    } finally {
      server.close()
    }
  }
  return undefined
}

/** The same of an error that came of listening. @returns undefined where the error is another one */
export function takenPlace(error: unknown, places: readonly WrittenPlace[], path: string): Problem | undefined {
  const why = whyNotBound(error)
  if (why === undefined) return undefined
  const { address, port } = error as { address?: unknown; port?: unknown }
  const place = places.find((each) => each.address === address && each.port === port)
  if (place === undefined) return problemOfFile(path, why)
  const { kind, written } = place
  return written === undefined
    ? problemOfFile(path, `${why}: name another place with listen.${kind}`)
    : { ...written, message: `${why}: name another place here, in listen.${kind}` }
}
