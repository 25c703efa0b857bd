/**
 * How the octets of many outgoing sockets come in: all are read into one room, and what came is copied out of it. Node's own way, memory of 64 KiB for
 * each read that is then cut to what came, costs a third more for a short reply. Handed to the door by whoever has many sessions (`delivery`).
 */
import type { OnReadOpts } from 'node:net'

const roomOctets = 64 * 1024

/** One socket's. Before `onOctets` is set nothing may come: a socket that is connecting has nothing to say. */
export class Inlet {
  readonly onread: OnReadOpts
  /** Hears what came, which is its own to keep. */
  onOctets: (octets: Buffer) => void = () => undefined

  constructor(room: Uint8Array) {
    this.onread = {
      buffer: room,
      callback: (length, buffer) => {
        this.onOctets(Buffer.from(buffer.subarray(0, length)))
        return true
      },
    }
  }
}

/** @returns what makes the inlet of one socket after the other */
export function createInlets(): () => Inlet {
  const room = Buffer.allocUnsafeSlow(roomOctets)
  return () => new Inlet(room)
}
