/**
 * What waits for an answer, by the id of its query (RFC 1035 §4.1.1). Used by `tcp-pipeline.ts`.
 *
 * A place for each of the 65,536 ids, as a `Map` that lives long and always changes makes the collector keep what it has held: a table that
 * it has outgrown refers to the next, and one such table in old memory keeps them all.
 */
export class IdTable<V> {
  readonly #places = new Array<V | undefined>(65_536).fill(undefined)
  #size = 0

  get size(): number {
    return this.#size
  }

  has(id: number): boolean {
    return this.#places[id] !== undefined
  }

  get(id: number): V | undefined {
    return this.#places[id]
  }

  /** @param id  a free one, 0–65535 */
  set(id: number, value: V): void {
    this.#places[id] = value
    this.#size++
  }

  delete(id: number): void {
    if (this.#places[id] === undefined) return
    this.#places[id] = undefined
    this.#size--
  }

  /** By id. What is deleted meanwhile is passed over. */
  *entries(): Iterable<readonly [number, V]> {
    for (let id = 0; id < this.#places.length; id++) {
      const value = this.#places[id]
      if (value !== undefined) yield [id, value]
    }
  }

  /** Takes everything out. */
  drain(): V[] {
    const values = Array.from(this.entries(), ([, value]) => value)
    this.#places.fill(undefined)
    this.#size = 0
    return values
  }
}
