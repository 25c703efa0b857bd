/** Where our sessions lead, so that a peer that is we ourselves is known. Kept by `pool.ts`, asked by `create.ts`. */
import type { ConnectionEnds } from './delivery.ts'

/** One end of a connection. */
export interface End {
  readonly address: string
  readonly port: number
}

/** Both ends of a session of ours. */
export interface Ends {
  readonly ours: End
  readonly theirs: End
}

/** By our port, which is found without putting a text together: every message that comes in asks. */
export class OurEnds {
  readonly #byPort = new Map<number, Ends[]>()

  add(ends: Ends): void {
    const { port } = ends.ours
    const others = this.#byPort.get(port)
    if (others) others.push(ends)
    else this.#byPort.set(port, [ends])
  }

  delete(ends: Ends): void {
    const { port } = ends.ours
    const left = (this.#byPort.get(port) ?? []).filter((other) => other !== ends)
    if (left.length > 0) this.#byPort.set(port, left)
    else this.#byPort.delete(port)
  }

  /** Whether the peer is a session of ours. One port may lead to several places at once, so both ends must be those of the session. */
  has(peer: ConnectionEnds): boolean {
    const known = this.#byPort.get(peer.port)
    return known?.some((ends) => isSame(ends.ours, peer) && isSame(ends.theirs, peer.local)) ?? false
  }
}

const isSame = (one: End, other: End) => one.port === other.port && one.address === other.address
