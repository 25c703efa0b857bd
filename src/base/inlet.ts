/**
 * How the octets of many outgoing sockets come in: all are read into one room, and used up, or copied, before the next are. Node's own way, memory of
 * 64 KiB for each read that is then cut to what came, costs a third more for a short reply. Handed to the door by whoever has many sessions (`delivery`).
 */
import type { OnReadOpts } from 'node:net'

const roomOctets = 64 * 1024
/** Of these lengths, which nearly all replies have, there is one view of the room each: to make one costs as much as to read what is in it. */
const keptViews = 256

/** One socket's. Before `onOctets` is set nothing may come: a socket that is connecting has nothing to say. */
export class Inlet {
  readonly onread: OnReadOpts
  /** Hears what came, which is written over as soon as it returns. */
  onOctets: (octets: Buffer) => void = () => undefined

  constructor(room: Room) {
    this.onread = {
      buffer: room.octets,
      callback: (length) => {
        this.onOctets(room.first(length))
        return true
      },
    }
  }
}

class Room {
  readonly octets = Buffer.allocUnsafeSlow(roomOctets)
  readonly #views: Buffer[] = []

  first(length: number): Buffer {
    if (length >= keptViews) return this.octets.subarray(0, length)
    while (this.#views.length <= length) this.#views.push(this.octets.subarray(0, this.#views.length))
    return this.#views[length] as Buffer
  }
}

/** @returns what makes the inlet of one socket after the other */
export function createInlets(): () => Inlet {
  const room = new Room()
  return () => new Inlet(room)
}
