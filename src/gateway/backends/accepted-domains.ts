/** Which backends have ever accepted a recipient of which domain (see `about-us.ts`). For `backends`. */

/** Pairs of backend and domain that are remembered; beyond it all are forgotten. A lost pair costs one careful 451. */
const mostPairs = 100_000

export class AcceptedDomains {
  /** By the backend's key. */
  readonly #domains = new Map<string, Set<string>>()
  #count = 0

  has(backend: string, domain: string): boolean {
    return this.#domains.get(backend)?.has(domain) ?? false
  }

  add(backend: string, domain: string): void {
    const domains = this.#domains.get(backend)
    if (domains?.has(domain)) return
    if (domains) domains.add(domain)
    else this.#domains.set(backend, new Set([domain]))
    if (++this.#count <= mostPairs) return
    this.#domains.clear()
    this.#count = 0
  }
}
