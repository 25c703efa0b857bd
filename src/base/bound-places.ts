/**
 * The places where a server listens, which a reload may change: what is new is bound before anything is let go, all of it or none. Used by the gateway
 * and by the dashboard; what listens there is theirs.
 */
import type { ListenAddress } from './listen-address.ts'

export interface BoundPlaces {
  /** Listens where it does not listen yet. Rejects with the system's error (EADDRINUSE, EACCES), and then has bound nothing. @returns takes it back */
  bind(wanted: readonly ListenAddress[]): Promise<() => Promise<void>>
  /** Listens nowhere else any more. */
  keepOnly(wanted: readonly ListenAddress[]): Promise<void>
  /** Where it listens: port 0 is another one here. */
  readonly all: readonly ListenAddress[]
  /** What listened has ended by itself. */
  forget(): void
}

export interface Listens {
  /** @returns the place that was bound */
  listen(place: ListenAddress): Promise<ListenAddress>
  unlisten(place: ListenAddress): void | Promise<void>
}

export function createBoundPlaces({ listen, unlisten }: Listens): BoundPlaces {
  /** By what they were asked for as. */
  const bound = new Map<string, ListenAddress>()

  async function unbind(keys: Iterable<string>): Promise<void> {
    for (const key of keys) {
      const place = bound.get(key)
      bound.delete(key)
      if (place) await unlisten(place)
    }
  }

  return {
    async bind(wanted) {
      const added: string[] = []
      try {
        for (const place of wanted) {
          const key = keyOf(place)
          if (bound.has(key)) continue
          bound.set(key, await listen(place))
          added.push(key)
        }
      } catch (error) {
        await unbind(added)
        throw error
      }
      return () => unbind(added)
    },
    async keepOnly(wanted) {
      const keys = new Set(wanted.map(keyOf))
      await unbind([...bound.keys()].filter((key) => !keys.has(key)))
    },
    get all() {
      return [...bound.values()]
    },
    forget: () => bound.clear(),
  }
}

const keyOf = ({ address, port }: ListenAddress) => `${address} ${port}`
