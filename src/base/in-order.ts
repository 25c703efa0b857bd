/**
 * Things in the order in which they came, each of which may leave at any time. A Set does the same, at the price of a hash for each that comes and goes,
 * which is felt where every message brings several.
 */

/** Where one stands. */
export class Place<T> {
  readonly value: T
  before: Place<T> | undefined
  behind: Place<T> | undefined
  hasLeft = false

  constructor(value: T, before: Place<T> | undefined) {
    this.value = value
    this.before = before
  }
}

export class InOrder<T> {
  #first: Place<T> | undefined
  #last: Place<T> | undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  get first(): Place<T> | undefined {
    return this.#first
  }

  /** Behind all others. */
  add(value: T): Place<T> {
    const place = new Place(value, this.#last)
    if (this.#last) this.#last.behind = place
    else this.#first = place
    this.#last = place
    this.#size++
    return place
  }

  /** Does nothing where it has left already. @param place  of `add` of this very order */
  leave(place: Place<T>): void {
    if (place.hasLeft) return
    place.hasLeft = true
    const { before, behind } = place
    if (before) before.behind = behind
    else this.#first = behind
    if (behind) behind.before = before
    else this.#last = before
    place.before = undefined
    place.behind = undefined
    this.#size--
  }
}
