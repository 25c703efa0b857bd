/** What the figures and the watch hear of an attempt of held mail. Called by `lane-drain` and `settle-attempt`, and by `late-watch` for a late word. */
import type { Clock } from '../../base/clock.ts'
import type { HeldMessage, HeldRecipient } from '../../queue/queue.ts'
import { backendFields, type Endpoint } from '../../routing/backend.ts'
import { type AttemptEvent, type Declared, domainsOf, type Tell } from '../events.ts'

export interface TellAttemptDeps {
  readonly clock: Clock
  readonly tell?: Tell | undefined
  readonly declared?: Declared | undefined
}

export interface AttemptToTell extends Pick<AttemptEvent, 'outcome' | 'isLate'> {
  /** Default: none. */
  readonly possibleDuplicates?: number
  readonly id: string
  /** Undefined where it could not be read. */
  readonly message: Pick<HeldMessage, 'size' | 'receivedMs'> | undefined
  /** Those of the message that it was about. */
  readonly recipients: readonly HeldRecipient[]
  /** Its id. */
  readonly route: string
  readonly endpoint: Endpoint | undefined
  readonly tookMs: number
}

export function tellAttempt(attempt: AttemptToTell, { clock, tell, declared }: TellAttemptDeps): void {
  const { id, message, recipients, route, endpoint, outcome, tookMs, isLate, possibleDuplicates = 0 } = attempt
  const place = endpoint && backendFields(endpoint)
  const nowMs = clock.now()
  const addressed = recipients.map(({ recipient }) => recipient)
  tell?.({
    kind: 'attempt',
    outcome,
    atMs: nowMs,
    id,
    domains: declared ? domainsOf(addressed, declared) : [],
    route,
    backend: place?.backend,
    endpoint: place?.endpoint,
    bytes: message?.size ?? 0,
    heldMs: message ? nowMs - message.receivedMs : 0,
    ms: Math.round(tookMs),
    isLate,
    possibleDuplicates,
  })
}
