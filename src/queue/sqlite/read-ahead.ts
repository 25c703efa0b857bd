/**
 * Bodies that came with the tasks they belong to: asking the reader's thread for each alone costs more than reading it. They wait here until they are
 * asked for, and are forgotten when anything is written down of their message: what a person has removed is not there any more. For `queue.ts`.
 */

export interface BodyAhead {
  readonly content: Uint8Array
  readonly has8bit: boolean
}

export interface ReadAhead {
  put(id: string, body: BodyAhead): void
  /** Gives it away: it is not there afterwards. */
  take(id: string): BodyAhead | undefined
  drop(id: string): void
}

/** @param mostOctets  of all bodies; beyond it the oldest are forgotten, and are read when they are asked for */
export function createReadAhead(mostOctets: number): ReadAhead {
  const bodies = new Map<string, BodyAhead>()
  let octets = 0

  function take(id: string): BodyAhead | undefined {
    const body = bodies.get(id)
    if (!body) return undefined
    bodies.delete(id)
    octets -= body.content.length
    return body
  }

  return {
    put(id, body) {
      take(id)
      bodies.set(id, body)
      octets += body.content.length
      for (const oldest of bodies.keys()) {
        if (octets <= mostOctets) return
        take(oldest)
      }
    },
    take,
    drop: (id) => void take(id),
  }
}
