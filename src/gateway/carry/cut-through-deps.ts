/** What carrying a transaction needs of the gateway: for `cut-through`, `staging` and `judging`, made by `cut-through-deps-maker` once for each load of the settings. */
import type { Clock } from '../../base/clock.ts'
import type { IpAddress } from '../../base/ip.ts'
import type { Log } from '../../base/log.ts'
import type { Delivery } from '../../delivery/delivery.ts'
import type { HostName } from '../../dns/name.ts'
import type { Recipient } from '../../mail/message.ts'
import type { Reply } from '../../mail/reply.ts'
import type { Route } from '../../routing/backend.ts'
import type { Balancer } from '../../routing/balance.ts'
import type { StepLimits } from '../../smtp/client/step-limits.ts'
import type { Backends } from '../backends/backends.ts'
import type { Endpoints } from '../backends/endpoints.ts'
import type { Budgets } from '../settings.ts'
import type { ToldSparingly } from '../told-sparingly.ts'
import type { LiveFirst } from './live-first.ts'
import type { WaitingPlaces } from './waiting-places.ts'

export interface CutThroughDeps {
  readonly clock: Clock
  readonly log: Log
  /** For what every recipient meets anew. */
  readonly sparingly: ToldSparingly
  readonly delivery: Delivery
  readonly backends: Backends
  readonly endpoints: Endpoints
  readonly balancer: (route: Route) => Balancer
  readonly hostname: HostName
  readonly budgets: Budgets
  /** The most that one backend may take of them, step by step. */
  readonly steps: StepLimits
  /** With sessions that wait for their senders. */
  readonly waitingPlaces: WaitingPlaces
  /** Hears while senders wait, so that the drain lets them go first. */
  readonly live: LiveFirst
  /** Hears what backends say of recipients, but not at a replay: it was learnt the first time. */
  readonly onAnswer?: LearnFromAnswers | undefined
}

export interface LearnFromAnswers {
  /** A message was taken for it. */
  delivered(recipient: Recipient): void
  /** At RCPT, for this client; and in the end no message was taken for it. */
  accepted(recipient: Recipient, client: IpAddress): void
  /** Any reply but 2yz that is about the recipient. */
  refused(recipient: Recipient, route: Route, said: Reply): void
}
