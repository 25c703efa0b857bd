/**
 * The drain of one lane: held tasks are fetched, oldest first, and attempted, so many at once as `pace` allows; what came of each,
 * `settle-attempt` writes down. It ends when nothing is left that may go now, or when it is enough for now (`LaneEnd`). Made by `lane-runs`, one a
 * run of the lane.
 */
import type { Recipient } from '../../mail/message.ts'
import { type Lane, StoreFailure, type Task } from '../../queue/queue.ts'
import type { Route } from '../../routing/backend.ts'
import type { WaitingPlaces } from '../carry/waiting-places.ts'
import { tellAttempt } from '../settle/tell-attempt.ts'
import type { Way } from '../ways/lanes.ts'
import { type AttemptDeps, type Attempted, attempt, type Hearing } from './attempt.ts'
import { type Enough, Pace } from './pace.ts'
import { routeOfTask } from './route-of-task.ts'
import { type SettleDeps, settleAttempt, settleCrash } from './settle-attempt.ts'
import type { UnderWay } from './under-way.ts'

export interface LaneDrainDeps extends SettleDeps {
  readonly attempting: AttemptDeps
  /** Where the lane leads today, or undefined where nowhere. */
  readonly way: () => Way | undefined
  /** Something is filed under a lane that leads nowhere. */
  readonly onNowhere: (lane: Lane, recipient: Recipient) => void
  /** Resolves when this lane may begin one more: live mail goes first, and all lanes take turns. Undefined: it may at once. */
  readonly turn: () => Promise<void> | undefined
  readonly turnOver: () => void
  /** Recipients that are being attempted, in whatever lane, and the end of that. */
  readonly underWay: UnderWay
  /** With backends that say nothing to MAIL and RCPT, or behind our dot. */
  readonly waitingPlaces: WaitingPlaces
  /** Ids of what cannot be written down, though the store can be written: never touched again while this process lives. */
  readonly avoided: Set<string>
  /** Resolves when rows are where they belong again; undefined where they are. */
  readonly gate: () => Promise<void> | undefined
  /** It may have changed when the next look is due. */
  readonly setAlarm: () => void
}

/**
 * `bound`: what is left may be with a backend that cannot be asked now, and nobody else is asked for it, or is of a network for which a backend is
 * slow; `failed`: the store cannot be read or written, or a fault of our own; nothing is known of the backends.
 */
export type LaneEnd = Enough | 'empty' | 'bound' | 'failed' | 'stopped'

const fetchedAtOnce = 128
/** When so few are left, the next ones are fetched, so that no session waits for them. */
const fetchedAhead = 64
/**
 * More of them than any number of sessions that can have broken off behind our dot; each fetching reads past all of them. Of those of a slow network
 * likewise.
 */
const mostBound = 1_000

/**
 * Of a message that is under way. `asking`: a backend is being asked about it; `mute`: no backend has answered at all for so long that others need
 * not wait for it; `writing`: it is being written down, and keeps no session.
 */
type Stage = 'asking' | 'mute' | 'writing'

const notSpoken = { outcome: 'deferred', possibleDuplicates: 0 } as const

export class LaneDrain {
  readonly #lane: Lane
  readonly #deps: LaneDrainDeps
  /** What is under way, by the message's id. */
  readonly #active = new Map<string, Stage>()
  /** How many of them are asking. */
  #asking = 0
  /** How many of them are mute. */
  #mute = 0
  /** What may be with a backend that could not be asked in this run. */
  readonly #bound = new Set<string>()
  /** What else could not go in this run, because a backend is slow for its network. */
  readonly #ofSlowNetworks = new Set<string>()
  #fetched: Task[] = []
  /** More of them, on their way. */
  #coming: Promise<void> | undefined
  /** The last fetching brought as many as it asked for. */
  #mayBeMore = true
  /** The last look left nothing out because it was being attempted. */
  #hasSeenAll = false
  /** Which fetching they are of: what is given back to another is not put in front of it. */
  #fetching = 0
  readonly #pace = new Pace()
  #delivered = 0
  #end: LaneEnd | undefined
  #why = ''
  #isStopping = false
  #whenOneLess: (() => void) | undefined

  constructor(lane: Lane, deps: LaneDrainDeps) {
    this.#lane = lane
    this.#deps = deps
  }

  /** Why nobody could be asked, for the log. */
  get why(): string {
    return this.#why
  }

  /** Messages that a backend has taken. */
  get delivered(): number {
    return this.#delivered
  }

  /** Runs until there is nothing more to do now. Never rejects. */
  async run(): Promise<LaneEnd> {
    try {
      while (!this.#isStopping && this.#end === undefined) {
        const gate = this.#deps.gate()
        if (gate) {
          this.forgetFetched()
          await gate
        } else if (this.#pace.isFull(this.#asking, this.#audible)) await this.#oneLess()
        else {
          const next = this.#next()
          const task = next instanceof Promise ? await next : next
          if (task) {
            const turn = this.#begin(task)
            if (turn) await turn
          } else if (this.#audible > 0) await this.#oneLess()
          // What was being attempted when the queue was asked may be ready again by the time that it has answered.
          else if (this.#hasSeenAll && !this.#deps.gate()) break
        }
      }
    } catch (error) {
      this.#endForFault(error)
    }
    // What is mute comes to its end without us: whatever becomes of it, its lane is looked at again then.
    while (this.#audible > 0) await this.#oneLess()
    this.#fetched = []
    if (this.#isStopping) return 'stopped'
    if (this.#end !== undefined) return this.#end
    if (this.#bound.size + this.#ofSlowNetworks.size === 0) return 'empty'
    this.#why =
      this.#bound.size > 0
        ? `${this.#bound.size} messages may be with a backend that cannot be asked`
        : `a backend is slow for the networks that ${this.#ofSlowNetworks.size} messages came from`
    return 'bound'
  }

  stop(): void {
    this.#isStopping = true
  }

  /** A person has changed something, or a backend is up: what was fetched ahead, or left aside, may not be as it was. */
  forgetFetched(): void {
    this.#fetching++
    this.#fetched = []
    this.#bound.clear()
    this.#ofSlowNetworks.clear()
  }

  /** Something of the lane may go that could not when it was looked for: that is not to wait for what is under way. */
  lookAgain(): void {
    this.#whenOneLess?.()
  }

  /** What is under way and not mute. */
  get #audible(): number {
    return this.#active.size - this.#mute
  }

  /** Resolves when an attempt has ended or gone mute, or something new may go; at once where none is under way. */
  #oneLess(): Promise<void> {
    if (this.#audible === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#whenOneLess = resolve
    })
  }

  /** Without waiting where one is here: each message would pay for the wait. */
  #next(): Task | undefined | Promise<Task | undefined> {
    if (this.#fetched.length <= fetchedAhead && this.#mayBeMore && !this.#coming) this.#fetch()
    if (this.#fetched.length > 0) return this.#fetched.shift()
    return (this.#coming ?? this.#fetch()).then(() => this.#fetched.shift())
  }

  /** Brings more behind those that are here already. */
  #fetch(): Promise<void> {
    const coming = this.#fetchOnce().finally(() => {
      this.#coming = undefined
    })
    this.#coming = coming
    // Where it fails and nobody waits for it, the next one fails too.
    coming.catch(() => undefined)
    return coming
  }

  async #fetchOnce(): Promise<void> {
    const { queue, gate } = this.#deps
    const fetching = this.#fetching
    const fetched = this.#fetched.map(({ message }) => message.id)
    // Also those that an earlier run has left behind.
    const underWay = this.#deps.underWay.inLane(this.#lane)
    const without = new Set([...this.#active.keys(), ...underWay, ...this.#deps.avoided, ...fetched])
    const seesAll = this.#audible === 0
    const [unknown, ready] = await Promise.all([
      // Other recipients of what is bound may be free to go.
      this.#bound.size < mostBound
        ? queue.nextUnknown(this.#lane, fetchedAtOnce, new Set([...without, ...this.#bound]))
        : [],
      queue.next(this.#lane, fetchedAtOnce, new Set([...without, ...this.#ofSlowNetworks])),
    ])
    // Rows were moved or changed meanwhile: these may not be what they were.
    if (gate()) return
    if (fetching !== this.#fetching) return await this.#fetchOnce()
    this.#hasSeenAll = seesAll
    this.#mayBeMore = unknown.length + ready.length >= fetchedAtOnce
    // Those whose dot nobody answered come first: they have waited longest. Of one message there may be both, one after the other.
    const ids = new Set(unknown.map(({ message }) => message.id))
    this.#fetched.push(...unknown, ...ready.filter(({ message }) => !ids.has(message.id)))
  }

  /** @returns undefined where it has its turn at once */
  #begin(task: Task): Promise<void> | undefined {
    const fetching = this.#fetching
    const turn = this.#deps.turn()
    if (turn) return turn.then(() => this.#beginNow(task, fetching))
    this.#beginNow(task, fetching)
    return undefined
  }

  #beginNow(task: Task, fetching: number): void {
    const { id } = task.message
    if (this.#isStopping || fetching !== this.#fetching) {
      this.#deps.turnOver()
      return
    }
    this.#enters(id, 'asking')
    const { waitingPlaces, clock } = this.#deps
    let wasMute = false
    const giveBack = () => {
      wasMute = true
      this.#becomesMute(id)
    }
    let silence = waitingPlaces.begin({ giveBack }, clock.monotonicMs())
    const hearing: Hearing = {
      heard: () => {
        waitingPlaces.end(silence)
        this.#heard(id)
      },
      dotLeft() {
        silence = waitingPlaces.begin({ giveBack }, clock.monotonicMs())
      },
    }
    void this.#serve(task, hearing).finally(() => {
      waitingPlaces.end(silence)
      this.#enters(id, undefined)
      this.#deps.turnOver()
      this.#whenOneLess?.()
      // This run may have ended without it.
      if (wasMute) this.#deps.onHeld(this.#lane)
    })
  }

  /**
   * Its place goes to others: a session on which nobody answers must not keep a lane for the minutes that RFC 5321 gives it. They are fewer then, because
   * a backend that is silent to all of them is not to be handed the whole queue.
   */
  #becomesMute(id: string): void {
    this.#pace.narrow()
    this.#enters(id, 'mute')
    this.#whenOneLess?.()
  }

  /** A backend has spoken, so the message counts again. */
  #heard(id: string): void {
    if (this.#active.get(id) === 'mute') this.#enters(id, 'asking')
  }

  /** @param next  undefined: it is under way no more */
  #enters(id: string, next: Stage | undefined): void {
    const before = this.#active.get(id)
    if (before === 'asking') this.#asking--
    else if (before === 'mute') this.#mute--
    if (next === 'asking') this.#asking++
    else if (next === 'mute') this.#mute++
    if (next) this.#active.set(id, next)
    else this.#active.delete(id)
  }

  /** Never rejects: a fault of one message must not reach the others. */
  async #serve(task: Task, hearing: Hearing): Promise<void> {
    const other = this.#deps.underWay.of(task)
    // It was another lane's a moment ago, and is being attempted there; afterwards the rows say what is left of it.
    if (other) return await other
    const over = this.#deps.underWay.begin(task)
    try {
      await this.#attempt(task, hearing)
    } catch (error) {
      const routeId = () => this.#deps.way()?.route.id ?? ''
      await settleCrash(task, error, routeId, this.#deps).catch((again: unknown) => this.#endForFault(again))
      this.#deps.setAlarm()
    } finally {
      over()
    }
  }

  async #attempt(task: Task, hearing: Hearing): Promise<void> {
    const { clock, writeDown, onNowhere } = this.#deps
    const way = this.#deps.way()
    if (!way) {
      this.#endWith('route-out', 'the route is gone')
      for (const { recipient } of task.recipients.slice(0, 1)) onNowhere(this.#lane, recipient)
      return
    }
    const mayWrite = writeDown.whenWritable()
    if (!(typeof mayWrite === 'boolean' ? mayWrite : await mayWrite)) return
    const fromMs = clock.monotonicMs()
    const fetching = this.#fetching
    const { route, bound } = routeOfTask(task, this.#unstopped(way), clock.now())
    const attempted = await attempt(task, way, route, this.#deps.attempting, hearing)
    // That one backend is away, or slow for one network, says nothing of the others: it waits for that, as it is, and what is behind it goes on.
    if (attempted.kind === 'slow-for-it' || (bound !== undefined && attempted.kind === 'route-out')) {
      this.#leaveAside(task, attempted.why)
      return
    }
    const tookMs = clock.monotonicMs() - fromMs
    const enough = this.#pace.learn(attempted, tookMs, this.#asking)
    if (enough) this.#endWith(enough, attempted.why)
    const { kind } = attempted
    if (kind === 'spoken' && attempted.delivered > 0) this.#delivered++
    if (kind !== 'busy' && kind !== 'gone' && kind !== 'corrupt') this.#tell(task, way, attempted, tookMs)
    // Its session serves the next one while the disk is at work.
    if (this.#active.get(task.message.id) === 'asking') this.#enters(task.message.id, 'writing')
    this.#whenOneLess?.()
    try {
      if (kind !== 'busy') await settleAttempt(task, way, attempted, this.#deps)
      else if (fetching === this.#fetching) this.#fetched.unshift(task)
    } catch (error) {
      // A store that cannot be written until the end, or a bug that would deliver it again and again.
      if (!(error instanceof StoreFailure)) this.#avoid(task, error)
      else this.#endForFault(error)
    }
    // What waits has its own time, which may come before this run is over.
    const isDelivered = kind === 'spoken' && attempted.delivered === task.recipients.length
    if (!isDelivered) this.#deps.setAlarm()
  }

  #leaveAside({ message: { id }, recipients }: Task, why: string): void {
    // Other recipients of what is unknown may be free to go.
    const isUnknown = recipients.some(({ state }) => state === 'unknown')
    if (isUnknown) this.#bound.add(id)
    else if (this.#ofSlowNetworks.add(id).size >= mostBound) this.#endWith('bound', why)
  }

  #tell(task: Task, way: Way, attempted: Attempted, tookMs: number): void {
    const { message, recipients } = task
    const about = { id: message.id, message, recipients, route: way.route.id, tookMs, isLate: false }
    const endpoint = 'endpoint' in attempted ? attempted.endpoint : undefined
    const { outcome, possibleDuplicates } = attempted.kind === 'spoken' ? attempted : notSpoken
    tellAttempt({ ...about, endpoint, outcome, possibleDuplicates }, this.#deps)
  }

  #avoid({ message: { id } }: Task, error: unknown): void {
    this.#deps.avoided.add(id)
    this.#deps.log.alert('outcome cannot be written down, the message is left alone', { id, error })
  }

  #endWith(end: LaneEnd, why: string): void {
    this.#end = end
    this.#why = why
  }

  #endForFault(error: unknown): void {
    const isOfStore = error instanceof StoreFailure
    this.#deps.log.error(isOfStore ? 'drain stopped by the store' : 'drain failed', { lane: this.#lane, error })
    this.#endWith('failed', isOfStore ? 'the store cannot be read or written' : 'a fault of our own')
  }

  /** Without the backends whose drains are stopped. */
  #unstopped({ route }: Way): Route {
    const entries = route.entries.filter(({ backend }) => !this.#deps.guard.isStopped(backend.url))
    return entries.length === route.entries.length ? route : { ...route, entries }
  }
}
