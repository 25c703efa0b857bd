/**
 * Whether mail can be kept now: the last time that it was tried it could not, because there was no room or the store failed. A domain without a backend is
 * failing then, and not holding. Told by the gateway's events; asked by `now.ts` and `/readyz`.
 */
import type { Clock } from '../../base/clock.ts'
import type { GatewayEvent } from '../../gateway/events.ts'

export interface Keeping {
  tell(event: GatewayEvent): void
  /** In words for people; undefined where mail can be kept as far as is known. */
  whyNot(): string | undefined
}

/** Without another try this is no longer known: nobody sends, or a balancer that heard `/readyz` sends elsewhere. */
const knownForMs = 2 * 60_000

export function createKeeping(clock: Clock): Keeping {
  let failed: { readonly why: string; readonly atMs: number } | undefined
  return {
    tell(event) {
      if (event.kind === 'held' || event.kind === 'unknown') failed = undefined
      if (event.kind !== 'alert' || event.event !== 'message not held') return
      // Of one domain's share alone: others are kept.
      if (event.about.why === 'domain') return
      failed = { why: words[event.about.why ?? ''] ?? 'the store cannot be written', atMs: clock.monotonicMs() }
    },
    whyNot() {
      if (failed && clock.monotonicMs() - failed.atMs > knownForMs) failed = undefined
      return failed?.why
    },
  }
}

const words: Readonly<Record<string, string>> = {
  hold: 'the hold is full',
  disk: 'the disk has no room for more',
}
