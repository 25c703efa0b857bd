/** Whose turn it is to be checked: one domain after the other, in an order that is shuffled once. For `rounds`. */
import { type Random, shuffle } from '../base/random.ts'
import type { WatchedDomain } from './settings.ts'

export class RoundOrder {
  #domains: readonly WatchedDomain[] = []
  #next = 0
  #isFirstRound = true

  /** A round goes on where it was: what stays keeps its place, what is new comes last, what left is left out. */
  renew(domains: readonly WatchedDomain[], random: Random): void {
    const now = new Map(domains.map((domain) => [domain.name, domain]))
    const stayed = (before: readonly WatchedDomain[]) => before.flatMap(({ name }) => now.get(name) ?? [])
    const [done, due] = [stayed(this.#domains.slice(0, this.#next)), stayed(this.#domains.slice(this.#next))]
    const before = new Set(this.#domains.map(({ name }) => name))
    const added = [...now.values()].filter(({ name }) => !before.has(name))
    this.#domains = [...done, ...due, ...shuffle(added, random)]
    this.#next = done.length < this.#domains.length ? done.length : 0
  }

  get size(): number {
    return this.#domains.length
  }

  get names(): ReadonlySet<string> {
    return new Set(this.#domains.map(({ name }) => name))
  }

  /** Not every domain has had its turn since the start. */
  get isFirstRound(): boolean {
    return this.#isFirstRound
  }

  get next(): WatchedDomain | undefined {
    return this.#domains[this.#next]
  }

  advance(): void {
    this.#next++
    if (this.#next < this.#domains.length) return
    this.#next = 0
    this.#isFirstRound = false
  }
}
