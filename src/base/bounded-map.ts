/**
 * A map that holds so many entries and no more: what was set longest ago is forgotten for what is new. For what others make us remember, in every
 * room, where it does no harm to forget it early.
 */

/** In the order in which its entries were last set, the oldest first. */
export class BoundedMap<Key, Value> extends Map<Key, Value> {
  readonly #most: number

  /** @param most  entries */
  constructor(most: number) {
    super()
    this.#most = most
  }

  override set(key: Key, value: Value): this {
    this.delete(key)
    super.set(key, value)
    if (this.size > this.#most) this.#forgetOldest()
    return this
  }

  #forgetOldest(): void {
    for (const oldest of this.keys()) {
      this.delete(oldest)
      return
    }
  }
}
