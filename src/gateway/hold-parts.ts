/**
 * The hold of a gateway, put together: what keeps messages (`hold`), what delivers them (`drain`), what becomes of those that are refused
 * (`after-hold`), and the ways of lanes as the configuration has them now. Made by `gateway`.
 */
import type { Clock } from '../base/clock.ts'
import type { IpAddress } from '../base/ip.ts'
import { createRateCounter } from '../base/limits.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import type { Resolver } from '../dns/resolver.ts'
import type { Recipient } from '../mail/message.ts'
import type { MessageIds } from '../mail/trace.ts'
import type { Lane } from '../queue/queue.ts'
import { declaredDomain, whoExists } from '../routing/destinations.ts'
import type { CutThroughDeps } from './carry/cut-through-deps.ts'
import type { LiveFirst } from './carry/live-first.ts'
import { createDrain, type Drain } from './drain/drain.ts'
import { createDrainGuard, type DrainGuard } from './drain/drain-guard.ts'
import { createRefile } from './drain/refile.ts'
import { createStoppedDrains } from './drain/stopped-drains.ts'
import type { Declared, Tell } from './events.ts'
import { createExpiry } from './expiry/expiry.ts'
import { createHold } from './hold/hold.ts'
import type { HoldForSenders } from './hold/hold-for-senders.ts'
import type { Holding } from './hold/holding.ts'
import { createAfterHold } from './notices/after-hold.ts'
import { createHeldProofs } from './notices/held-proofs.ts'
import { createNotices } from './notices/notices.ts'
import { createSenderProofs } from './notices/sender-proof.ts'
import { createSuccesses } from './notices/successes.ts'
import { createQueueOperations, type QueueOperations } from './operate/queue-operations.ts'
import { createQueueTransfer, type QueueTransfer } from './operate/queue-transfer.ts'
import { createRunning } from './operate/running.ts'
import { type GatewaySettings, isTrusted } from './settings.ts'
import { createLateWatch } from './settle/late-watch.ts'
import { createWriteDown } from './settle/write-down.ts'
import type { ToldSparingly } from './told-sparingly.ts'
import { createWays, type Ways } from './ways/ways.ts'

export interface HoldParts {
  readonly forSenders: HoldForSenders
  readonly drain: Drain
  readonly guard: DrainGuard
  readonly ways: Ways
  /** What a person may do with it. */
  readonly forPeople: HoldForPeople
  /** Tries backends that are down, by their keys, and what is held in these lanes. */
  readonly probeAndDrain: (backends: ReadonlySet<string>, lanes: ReadonlySet<Lane>) => void
  start(): Promise<void>
  /** Rows are filed under the ways of today. */
  routesChanged(): Promise<void>
  stop(): Promise<void>
}

/** Held mail in a person's hands: `waypost queue`. */
export interface HoldForPeople {
  readonly operations: QueueOperations
  readonly transfer: QueueTransfer
}

export interface HoldPartsDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly sparingly: ToldSparingly
  readonly tell?: Tell | undefined
  readonly holding: Holding
  readonly settings: () => GatewaySettings
  readonly ids: MessageIds
  readonly resolver: () => Resolver
  /** What carries a held message now, with the budgets of a delivery that nobody waits for. */
  readonly cutThroughDeps: () => CutThroughDeps
  /** Whose senders wait now: held mail lets them go first. */
  readonly live: LiveFirst
  /** Tries the backends with these keys at once where they are down. */
  readonly hurry: (backends: ReadonlySet<string>) => void
}

export function createHoldParts(deps: HoldPartsDeps): HoldParts {
  const { clock, random, log, sparingly, tell, holding, settings, cutThroughDeps } = deps
  const { queue, known } = holding
  const ways = createWays(settings)
  const onHeld = (lane: Lane) => drain.noticed(lane)
  const toSenders = createNoticesToSenders(deps, ways, onHeld)
  const { proofs, heldProofs, afterHold, successes } = toSenders
  const delivering = createDelivering(deps, ways, toSenders, onHeld)
  const { drain, guard, refile, expiry, lateWatch, writeDown, stoppedDrains } = delivering

  // What takes mail into the hold.
  const hold = createHold({
    ...{ clock, sparingly, queue, known, onHeld },
    isTrusted: trustsNow(settings),
    takenUnknown: createRateCounter(clock, 60_000),
    senders: { known: proofs.known, held: heldProofs.held },
    laneOf: ways.ofRecipient,
    onMisfiled: refile.misfiled,
  })

  const running = createRunning({ drain, expiry, ways, backends: () => cutThroughDeps().backends, hurry: deps.hurry })
  const personal = { clock, log, tell, queue, guard, settings, ways, running }

  return {
    probeAndDrain(backends, lanes) {
      deps.hurry(backends)
      drain.kick(lanes)
    },
    forPeople: { operations: createQueueOperations(personal), transfer: createQueueTransfer(personal) },
    forSenders: {
      ...{ random, hold, queue, writeDown, lateWatch, afterHold, successes },
      mayGo(recipient, lane) {
        const today = ways.ofRecipient(recipient, lane)
        if (today === undefined) refile.misfiled()
        else drain.noticed(today)
      },
    },
    drain,
    guard,
    ways,
    // It may take a while with a million messages, and new mail need not wait for it.
    async start() {
      guard.restore(await stoppedDrains.read())
      expiry.start()
      void refile.all()
    },
    // The new settings are in force, whatever the store says.
    routesChanged: refile.all,
    async stop() {
      await expiry.stop()
      heldProofs.stop()
      writeDown.stop()
      await known
        .flush()
        .catch((error: unknown) => log.error('what backends said of recipients is not kept', { error }))
      await stoppedDrains.written()
    },
  }
}

/** What delivers what is held, or ends its time. */
function createDelivering(
  deps: HoldPartsDeps,
  ways: Ways,
  { afterHold, successes, notices }: ReturnType<typeof createNoticesToSenders>,
  onHeld: (lane: Lane) => void,
) {
  const { clock, random, log, sparingly, tell, settings, cutThroughDeps, live } = deps
  const { queue, whenWritable } = deps.holding
  const { ofLane: wayOfLane, policyOf } = ways
  const declared = declaredOf(settings)
  const writeDown = createWriteDown({ clock, log, whenWritable })
  const lateWatch = createLateWatch({
    ...{ clock, random, log, sparingly, tell, declared, queue, writeDown, afterHold, successes, onHeld },
    onDelivered: (recipient) => cutThroughDeps().onAnswer?.delivered(recipient),
  })
  const stoppedDrains = createStoppedDrains(() => settings().state, log)
  const guard = createDrainGuard({ clock, log, tell, keep: stoppedDrains.keep })
  const drain = createDrain({
    ...{ clock, random, log, tell, declared, queue, live, wayOfLane },
    ...{ guard, afterHold, lateWatch, successes, writeDown },
    isAnyGood: (recipient) => whoExists(settings().destinations, recipient) === 'any',
    onNowhere(lane, recipient) {
      if (ways.ofRecipient(recipient, lane) !== lane) refile.misfiled()
    },
    attempting: { clock, random, queue, cutThroughDeps },
  })
  const refile = createRefile({ log, queue, drain, ways, writeDown })
  const expiry = createExpiry({
    ...{ clock, log, tell, declared, queue, drain, notices, wayOfLane, policyOf },
    isDrainStopped: guard.isStopped,
    tellsOfDelay: () => settings().destinations.domains.some(({ hold }) => hold.delayNoticeMs !== undefined),
  })
  return { writeDown, lateWatch, stoppedDrains, guard, drain, refile, expiry }
}

/** What senders are told of held mail, and what has to be known of them for that. */
function createNoticesToSenders(deps: HoldPartsDeps, { policyOf }: Ways, onHeld: (lane: Lane) => void) {
  const { clock, random, log, tell, settings, ids, resolver } = deps
  const { queue } = deps.holding
  const declared = declaredOf(settings)
  const hostname = () => settings().hostname
  const proofs = createSenderProofs({ clock, resolver, hostname, isTrusted: trustsNow(settings) })
  const heldProofs = createHeldProofs({ clock, log, queue, proofs })
  const notices = createNotices({ clock, random, ids, proofs, settings })
  const afterHold = createAfterHold({
    ...{ clock, random, log, tell, declared },
    ...{ queue, notices, policyOf, hostname, onHeld },
  })
  const successes = createSuccesses({
    ...{ log, queue, notices, policyOf, hostname, onHeld },
    now: () => clock.now(),
    known: ({ client, envelope }) => proofs.known(client, envelope.sender),
  })
  return { proofs, heldProofs, notices, afterHold, successes }
}

const trustsNow = (settings: () => GatewaySettings) => (address: IpAddress) => isTrusted(settings(), address)

const declaredOf =
  (settings: () => GatewaySettings): Declared =>
  (recipient: Recipient) =>
    declaredDomain(settings().destinations, recipient)
