/**
 * Whether mail can be kept now: the hold says so of itself, and a message that it could not keep lately may have been longer than what is left. A domain
 * without a backend is failing then, and not holding. Asked by `everything.ts` and `/readyz`.
 */
import type { Clock } from '../../base/clock.ts'
import { type GatewayEvent, heardAlerts } from '../../gateway/events.ts'

export interface CanKeep {
  tell(event: GatewayEvent): void
  /** In words for people; undefined where mail can be kept as far as is known. */
  whyNot(): string | undefined
}

/** Without another try this is no longer known: nobody sends, or a balancer that heard `/readyz` sends elsewhere. */
const knownForMs = 2 * 60_000

/** @param whyNotKept  `Holding.whyNotKept` */
export function createCanKeep(clock: Clock, whyNotKept: () => string | undefined): CanKeep {
  let failed: { readonly why: string; readonly atMs: number } | undefined
  return {
    tell(event) {
      if (event.kind === 'held' || event.kind === 'unknown') failed = undefined
      if (event.kind !== 'alert' || event.event !== heardAlerts.messageNotHeld) return
      // Of one domain's share alone, or of one client's of that: others are kept.
      if (event.about.why === 'domain' || event.about.why === 'network') return
      failed = { why: words[event.about.why ?? ''] ?? 'the store cannot be written', atMs: clock.monotonicMs() }
    },
    whyNot() {
      if (failed && clock.monotonicMs() - failed.atMs > knownForMs) failed = undefined
      return whyNotKept() ?? failed?.why
    },
  }
}

const words: Readonly<Record<string, string>> = {
  hold: 'the hold is full',
  disk: 'the disk has no room for more',
}
