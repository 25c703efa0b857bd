/**
 * The hold of a gateway, put together: what keeps messages (`hold`), what delivers them (`drain`), what becomes of those that are refused
 * (`after-hold`), and the ways of lanes as the configuration has them now. Made by `gateway`.
 */

import type { Clock } from '../base/clock.ts'
import { inNetwork } from '../base/ip.ts'
import { createRateCounter } from '../base/limits.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import type { Resolver } from '../dns/resolver.ts'
import type { Recipient } from '../mail/message.ts'
import type { Reply } from '../mail/reply.ts'
import type { MessageIds } from '../mail/trace.ts'
import type { KnownRecipients } from '../queue/known-recipients.ts'
import type { Lane } from '../queue/queue.ts'
import type { Route } from '../routing/backend.ts'
import { type Destinations, declaredDomain, type MailDomain } from '../routing/destinations.ts'
import { patientSteps } from '../smtp/client/step-limits.ts'
import type { CutThroughDeps, LearnFromAnswers } from './carry/cut-through-deps.ts'
import type { LiveFirst } from './carry/live-first.ts'
import { createDrain, type Drain } from './drain/drain.ts'
import { createDrainGuard, type DrainGuard } from './drain/drain-guard.ts'
import { readStoppedDrains, writeStoppedDrains } from './drain/stopped-drains.ts'
import type { Tell } from './events.ts'
import { isAboutRecipient } from './hold/about-recipient.ts'
import { createHold } from './hold/hold.ts'
import type { Holding } from './hold/holding.ts'
import { createLateWatch } from './hold/late-watch.ts'
import { createWriteDown } from './hold/write-down.ts'
import { createAfterHold } from './notices/after-hold.ts'
import { createExpiry, type Expiry } from './notices/expiry.ts'
import { createHeldProofs } from './notices/held-proofs.ts'
import { createNotices } from './notices/notices.ts'
import { createSenderProofs } from './notices/sender-proof.ts'
import { createSuccesses } from './notices/successes.ts'
import { createQueueOperations, type QueueOperations } from './operate/queue-operations.ts'
import type { Running } from './operate/queue-operations-deps.ts'
import { createQueueTransfer, type QueueTransfer } from './operate/queue-transfer.ts'
import type { Keeping } from './receive/hand-over.ts'
import type { Budgets, GatewaySettings } from './settings.ts'
import type { ToldOnce } from './told-once.ts'
import { laneOf } from './ways/lanes.ts'
import { createWays, type Ways } from './ways/ways.ts'

export interface Kept {
  readonly keeping: Keeping
  readonly drain: Drain
  readonly guard: DrainGuard
  readonly expiry: Expiry
  readonly ways: Ways
  /** What a person may do with it. */
  readonly forPeople: HeldMail
  /** Tries backends that are down, by their keys, and what is held in these lanes. */
  readonly probeAndDrain: (backends: ReadonlySet<string>, lanes: ReadonlySet<Lane>) => void
  start(): Promise<void>
  /** Rows are filed under the ways of today. */
  routesChanged(): Promise<void>
  stop(): Promise<void>
}

/** Held mail in a person's hands: `waypost queue`. */
export interface HeldMail {
  readonly operations: QueueOperations
  readonly transfer: QueueTransfer
}

export interface KeptDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly once: ToldOnce
  readonly tell?: Tell | undefined
  readonly holding: Holding
  readonly settings: () => GatewaySettings
  readonly ids: MessageIds
  readonly resolver: () => Resolver
  /** What carries a transaction now, with the budgets of a sender who waits. */
  readonly carrying: () => CutThroughDeps
  /** Whose senders wait now: held mail lets them go first. */
  readonly live: LiveFirst
  /** Tries the backends with these keys at once where they are down. */
  readonly hurry: (backends: ReadonlySet<string>) => void
}

/**
 * Where nobody waits there is time for each step of RFC 5321 §4.5.3.2 at one backend, and more. Opening a session stays short (`openLimits`): it
 * decides for everybody whether the backend is up.
 */
const patientBudgets: Partial<Budgets> = {
  connectMs: 60_000,
  // One that is silent at MAIL leaves as long for the next.
  mailMs: 2 * patientSteps.mailMs,
  // From MAIL on.
  rcptMs: patientSteps.mailMs + patientSteps.rcptMs,
  dotMs: 900_000,
  bodyReserveMs: 600_000,
  // Where live mail takes all sessions, so long for one of those that are the hold's.
  sessionMs: 5_000,
}

/** Made once for each load of the settings, and asked for at each attempt. */
function createPatient(): (carrying: CutThroughDeps) => CutThroughDeps {
  let last: { readonly of: CutThroughDeps; readonly made: CutThroughDeps } | undefined
  return (of) => {
    if (last?.of !== of) {
      const budgets = { ...of.budgets, ...patientBudgets }
      // What a refusal at the drain teaches, a sender's own transaction teaches too; and a server that came back empty must teach nothing.
      last = { of, made: { ...of, budgets, steps: patientSteps, onAnswer: undefined } }
    }
    return last.made
  }
}

export function createKept(deps: KeptDeps): Kept {
  const { clock, random, log, tell, holding, settings } = deps
  const declared = (recipient: Recipient) => declaredDomain(settings().destinations, recipient)
  const { queue, known, whenWritable } = holding
  const patient = createPatient()
  const proofs = createSenderProofs({
    clock,
    resolver: deps.resolver,
    hostname: () => settings().hostname,
    trusted: () => settings().trusted,
  })
  const heldProofs = createHeldProofs({ clock, log, queue, proofs })
  const notices = createNotices({ clock, random, ids: deps.ids, proofs, settings })
  const afterHold = createAfterHold({
    clock,
    random,
    log,
    tell,
    declared,
    queue,
    notices,
    policyOf: (held) => ways.policyOf(held),
    hostname: () => settings().hostname,
    onHeld: (lane) => drain.noticed(lane),
  })
  const successes = createSuccesses({
    log,
    queue,
    notices,
    known: ({ client, envelope }) => proofs.known(client, envelope.sender),
    hostname: () => settings().hostname,
    now: () => clock.now(),
    policyOf: (filed) => ways.policyOf(filed),
    onHeld: (lane) => drain.noticed(lane),
  })
  const writeDown = createWriteDown({ clock, log, whenWritable })
  const lateWatch = createLateWatch({
    clock,
    random,
    log,
    tell,
    declared,
    queue,
    writeDown,
    afterHold,
    successes,
    onHeld: (lane) => drain.noticed(lane),
  })
  let writing = Promise.resolve()
  /** Everything is to be filed anew, and that has not begun. */
  let isMisfiled = false
  const guard = createDrainGuard({
    clock,
    log,
    tell,
    keep(stopped) {
      // One after the other: the file is replaced as a whole.
      writing = writing
        .then(() => writeStoppedDrains(settings().state, stopped))
        .catch((error: unknown) => log.error('stopped drains not written down', { error }))
    },
  })
  const ways = createWays(settings)
  const drain = createDrain({
    clock,
    random,
    log,
    tell,
    declared,
    queue,
    guard,
    isAnyGood: (recipient) => saysWhoExists(recipient, settings().destinations) === 'any',
    afterHold,
    lateWatch,
    successes,
    writeDown,
    live: deps.live,
    wayOfLane: ways.ofLane,
    onNowhere(lane, recipient) {
      if (ways.ofRecipient(recipient, lane) !== lane) misfiled()
    },
    attempting: {
      clock,
      random,
      queue,
      get carrying() {
        return patient(deps.carrying())
      },
    },
  })
  const tellsOfDelay = () => settings().destinations.domains.some(({ hold }) => hold.delayNoticeMs !== undefined)
  const { ofLane: wayOfLane, policyOf } = ways
  const isDrainStopped = (backend: string) => guard.isStopped(backend)
  const expiry = createExpiry({
    ...{ clock, log, tell, queue, drain, notices },
    ...{ isDrainStopped, wayOfLane, policyOf, tellsOfDelay },
  })
  const strangers = createRateCounter(clock, 60_000)
  const hold = createHold({
    clock,
    once: deps.once,
    queue,
    known,
    strangers,
    isTrusted: (address) => settings().trusted.some((network) => inNetwork(address, network)),
    senders: { known: proofs.known, held: heldProofs.held },
    laneOf: ways.ofRecipient,
    onHeld: (lane) => drain.noticed(lane),
    onMisfiled: misfiled,
  })

  /** A session began before a reload, or rows were filed in the middle of one: what lies under a way that is not its own is filed anew, at once. */
  function misfiled(): void {
    if (isMisfiled) return
    isMisfiled = true
    void writeDown.soon({ work: 'lanes of held mail' }, () => {
      // What is filed wrongly from now on may be behind the one that looks.
      isMisfiled = false
      return relane()
    })
  }

  async function relane(): Promise<void> {
    const { moved, withoutRoute } = await drain.pauseWhile(() => queue.relane(ways.ofRecipient))
    if (moved > 0) log.info('held mail goes another way now', { recipients: moved })
    if (withoutRoute > 0) log.alert('held mail has no route', { recipients: withoutRoute })
    drain.start()
  }

  const running: Running = { drain, expiry, hurry, isOut }
  const personal = { clock, log, tell, queue, guard, settings, ways, running }

  function hurry(wanted: ReadonlySet<Lane>): void {
    const entries = [...wanted].flatMap((lane) => ways.ofLane(lane)?.route.entries ?? [])
    deps.hurry(new Set(entries.map(({ backend }) => backend.key)))
  }

  /** What nobody has met yet may be up. */
  function isOut(lane: Lane): boolean {
    const { backends } = deps.carrying()
    const met = backends.list()
    const entries = ways.ofLane(lane)?.route.entries ?? []
    return entries.every(({ backend }) => {
      const states = met.flatMap(({ endpoint, state }) => (endpoint.backend.key === backend.key ? [state] : []))
      if (states.length === 0) return backends.out.has(backend.url)
      return states.every((state) => state === 'down' || state === 'out' || state === 'slow')
    })
  }

  function onHeld(recipient: Recipient, lane: Lane): void {
    const today = ways.ofRecipient(recipient, lane)
    if (today === undefined) misfiled()
    else drain.noticed(today)
  }

  return {
    probeAndDrain(backends, lanes) {
      deps.hurry(backends)
      drain.kick(lanes)
    },
    forPeople: { operations: createQueueOperations(personal), transfer: createQueueTransfer(personal) },
    keeping: { random, hold, queue, writeDown, lateWatch, afterHold, successes, onHeld },
    drain,
    guard,
    expiry,
    ways,
    // It may take a while with a million messages, and new mail need not wait for it.
    async start() {
      guard.restore(await readStoppedDrains(settings().state))
      expiry.start()
      void writeDown.soon({ work: 'lanes of held mail' }, relane)
    },
    // The new settings are in force, whatever the store says.
    async routesChanged() {
      await writeDown.soon({ work: 'lanes of held mail' }, relane)
    },
    async stop() {
      await expiry.stop()
      heldProofs.stop()
      writeDown.stop()
      await known
        .flush()
        .catch((error: unknown) => log.error('what backends said of recipients is not kept', { error }))
      await writing
    },
  }
}

/**
 * What backends say of recipients is remembered for the time when they cannot be asked. Where the configuration says who exists, or that everybody does
 * (`recipients: any`, for a backend that accepts anything), nobody asks for it then, and it would only take the place of others.
 */
export const learner = (known: KnownRecipients, destinations: Destinations): LearnFromAnswers => ({
  accepted(recipient) {
    if (isAsked(recipient, destinations)) known.accepted(recipient)
  },
  refused(recipient: Recipient, route: Route, said: Reply) {
    if (isAboutRecipient(said, recipient) && isAsked(recipient, destinations))
      known.refused(recipient, laneOf(route, recipient.domain), { code: said.code, text: said.text.join(' ') })
  },
})

const isAsked = (recipient: Recipient, destinations: Destinations) => saysWhoExists(recipient, destinations) === 'ask'

function saysWhoExists(recipient: Recipient, destinations: Destinations): MailDomain['recipients'] | undefined {
  const found = destinations.find(recipient)
  return 'domain' in found ? found.domain.recipients : undefined
}
