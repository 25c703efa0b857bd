/** Lines that are not known to be written, and of them the chunk that is being written. For `line-output.ts`. */
export class UnwrittenLines {
  #lines = ''
  #chunk: Buffer | undefined

  add(line: string): void {
    this.#lines += line
  }

  /** Characters and octets, of all of it. */
  get size(): number {
    return this.#lines.length + (this.#chunk?.length ?? 0)
  }

  /** Characters behind the chunk. */
  get behind(): number {
    return this.#lines.length
  }

  get hasChunk(): boolean {
    return this.#chunk !== undefined
  }

  /** What is to be written next, until it is written: all that there is now. Undefined where there is nothing. */
  chunk(): Buffer | undefined {
    if (this.#chunk || this.#lines === '') return this.#chunk
    this.#chunk = Buffer.from(this.#lines)
    this.#lines = ''
    return this.#chunk
  }

  /** So much of the chunk is written. */
  written(octets: number): void {
    this.#chunk = this.#chunk && octets < this.#chunk.length ? this.#chunk.subarray(octets) : undefined
  }

  /** @param withChunk  whether nobody else writes it */
  takeAll(withChunk: boolean): Buffer {
    const octets = Buffer.concat([...(this.#chunk && withChunk ? [this.#chunk] : []), Buffer.from(this.#lines)])
    this.#lines = ''
    if (withChunk) this.#chunk = undefined
    return octets
  }

  clear(): void {
    this.#lines = ''
    this.#chunk = undefined
  }
}
