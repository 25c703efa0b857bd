/**
 * Bodies that came with the tasks they belong to: asking the reader's thread for each alone costs more than reading it. They wait here until anything
 * is written down of their message, because what finds no free session is tried again, and what a person has removed is not there any more. For `queue.ts`.
 */

export interface BodyAhead {
  readonly content: Uint8Array
  readonly has8bit: boolean
}

export interface ReadAhead {
  put(id: string, body: BodyAhead): void
  get(id: string): BodyAhead | undefined
  drop(id: string): void
}

/** @param mostOctets  of all bodies; beyond it the oldest are forgotten, and are read when they are asked for */
export function createReadAhead(mostOctets: number): ReadAhead {
  const bodies = new Map<string, BodyAhead>()
  let octets = 0

  function drop(id: string): void {
    const body = bodies.get(id)
    if (!body) return
    bodies.delete(id)
    octets -= body.content.length
  }

  return {
    put(id, body) {
      drop(id)
      bodies.set(id, body)
      octets += body.content.length
      for (const oldest of bodies.keys()) {
        if (octets <= mostOctets) return
        drop(oldest)
      }
    },
    get: (id) => bodies.get(id),
    drop,
  }
}
