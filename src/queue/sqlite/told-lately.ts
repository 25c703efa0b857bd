/**
 * What was told of recipients a short while ago: to tell it again would only move an end that is days away, and costs a look in here. For `known.ts`.
 */
import type { Clock } from '../../base/clock.ts'
import { apartMs, type KnownKind, kinds } from './known-tables.ts'

interface Told {
  readonly atMs: number
  readonly kind: KnownKind
  /** Of its row. */
  readonly key: string
}

const mostFresh = 50_000

export class ToldLately {
  readonly #clock: Clock
  /** By the name of what was told; the oldest stand first. */
  readonly #told = new Map<string, Told>()
  /** Those names, by the key of the row. */
  readonly #names = new Map<string, string>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  has(name: string, kind: KnownKind): boolean {
    const told = this.#told.get(name)
    if (!told || (told.kind !== kind && kind === kinds.delivered)) return false
    const agoMs = this.#clock.now() - told.atMs
    // A clock that went back makes everything stale, which is harmless.
    return agoMs >= 0 && agoMs < apartMs
  }

  note(name: string, key: string, kind: KnownKind): void {
    this.#told.delete(name)
    this.#told.set(name, { atMs: this.#clock.now(), kind, key })
    this.#names.set(key, name)
    const [oldest] = this.#told
    if (this.#told.size > mostFresh && oldest) this.forget(oldest[1].key)
  }

  /** @param key  of a row that is there no more */
  forget(key: string): void {
    const name = this.#names.get(key)
    if (name === undefined) return
    this.#names.delete(key)
    this.#told.delete(name)
  }
}
