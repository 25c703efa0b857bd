/** Room in which octets are put together, one lot after the other: memory of its own for each would cost more than the copying. */
export class Scratch {
  #room: Buffer = Buffer.alloc(0)

  /** At least so many octets, whatever stands in them. They are the caller's until somebody takes again. */
  take(octets: number): Buffer {
    if (this.#room.length < octets) this.#room = Buffer.allocUnsafeSlow(octets)
    return this.#room
  }

  /** What was taken belongs to whoever has it still: the next gets other memory. */
  giveAway(): void {
    this.#room = Buffer.alloc(0)
  }
}
