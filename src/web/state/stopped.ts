/** Drains that wait for a person, by backend: read of the hold now and then, because that takes a look into the store. */
import type { WebDeps } from '../deps.ts'

const everyMs = 5_000

/** @returns what is known of it now; who asks has it looked up again for the next time */
export function createStopped({
  clock,
  gateway,
}: Pick<WebDeps, 'clock' | 'gateway'>): () => ReadonlyMap<string, string> {
  let known: ReadonlyMap<string, string> = new Map()
  let lookedMs = Number.NEGATIVE_INFINITY

  async function look(): Promise<void> {
    try {
      const stats = await gateway.heldMail?.operations.stats(0)
      known = new Map(stats?.stopped.map(({ backend, why }) => [backend, why]) ?? [])
    } catch {
      // A store that fails is told by who needs it; what was known stays.
    }
  }

  return () => {
    const nowMs = clock.monotonicMs()
    if (nowMs - lookedMs >= everyMs) {
      lookedMs = nowMs
      void look()
    }
    return known
  }
}
