/**
 * What is in progress, by a text. Used by `resolver.ts`.
 *
 * A `Map` that lives long and always changes makes the collector keep what it has held (`id-table.ts` says why). Here a fixed number of places
 * has a short list each, and what is taken out is held by nothing.
 */
export class KeyTable<V> {
  readonly #places = new Array<Entry<V> | undefined>(places).fill(undefined)

  get(key: string): V | undefined {
    for (let entry = this.#places[placeOf(key)]; entry; entry = entry.next) if (entry.key === key) return entry.value
    return undefined
  }

  /** @param key  one that is not in it */
  set(key: string, value: V): void {
    const place = placeOf(key)
    this.#places[place] = { key, value, next: this.#places[place] }
  }

  delete(key: string): void {
    const place = placeOf(key)
    let before: Entry<V> | undefined
    for (let entry = this.#places[place]; entry; entry = entry.next) {
      if (entry.key === key) {
        if (before) before.next = entry.next
        else this.#places[place] = entry.next
        return
      }
      before = entry
    }
  }
}

interface Entry<V> {
  readonly key: string
  readonly value: V
  next: Entry<V> | undefined
}

/** A power of two: some thousands are in progress at most. */
const places = 4096

function placeOf(key: string): number {
  let hash = 0
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193)
  return (hash ^ (hash >>> 15)) & (places - 1)
}
