/**
 * The sessions of one endpoint: at most so many, reused while they are good, given to those who wait by key in turn.
 * Used by `create.ts`; what is said on a session is `smtp.ts`.
 */
import { Cancel } from '../base/cancel.ts'
import type { Clock, Timer } from '../base/clock.ts'
import type { ClientSession } from '../smtp/client/session.ts'
import { OurEnds } from './our-ends.ts'
import type { Fault } from './outcome.ts'
import { PooledSession } from './pooled-session.ts'
import { heldEvery, senderHasGone, type Taken, type Waiter, WaitingLine, type Wish } from './waiting-line.ts'

const idleMs = 5_000
/** How long a server that had no room for one more session is taken at its word. */
const fullMs = 60_000

/**
 * @param hasOthers  whether the endpoint has other sessions of ours when the attempt is over: then a busy greeting tells of a limit, not of ill health
 * @param cancel  breaks it off
 */
export type OpenOne = (
  readyUntilMs: number,
  hasOthers: () => boolean,
  cancel?: Cancel,
) => Promise<
  { readonly kind: 'open'; readonly session: ClientSession } | { readonly kind: 'failed'; readonly fault: Fault }
>

export class Pool {
  readonly #most: number
  readonly #open: OpenOne
  readonly #clock: Clock
  readonly #emptied: () => void
  readonly #ends: OurEnds
  /** The one that was used last is used next, so that a quiet pool shrinks. */
  readonly #idle: PooledSession[] = []
  /** All of them, until their connections are lost. */
  readonly #sessions = new Set<PooledSession>()
  readonly #line: WaitingLine
  #busy = 0
  #opening = 0
  /** Those of them that are for nobody. */
  #looking = 0
  /** What the server itself allows, as it seems, and until when that is believed. */
  #room = Number.POSITIVE_INFINITY
  #roomUntilMs = 0
  /** Sessions in use that serve the hold. */
  #fromHold = 0
  /** Sessions in use that wait for a word behind a dot that nobody waits for any more, the oldest first: how each is let go. */
  readonly #listening = new Set<() => void>()
  #sweep: Timer | undefined
  #isClosed = false

  /**
   * @param most  sessions at once, in use and idle
   * @param emptied  called when nothing is left here
   * @param ends  of the sessions of all pools
   */
  constructor(most: number, open: OpenOne, clock: Clock, emptied: () => void, ends = new OurEnds()) {
    this.#most = most
    this.#open = open
    this.#clock = clock
    this.#emptied = emptied
    this.#line = new WaitingLine(clock)
    this.#ends = ends
  }

  get counts(): { readonly busy: number; readonly idle: number; readonly waiting: number } {
    return { busy: this.#busy + this.#opening, idle: this.#idle.length, waiting: this.#line.size }
  }

  /** An idle session, or a new one, or the next that becomes free until `sessionUntilMs`. */
  take(wish: Wish): Taken | Promise<Taken> {
    if (this.#isClosed) return closedTaken
    if (wish.cancel?.isCancelled) return senderHasGone
    if (wish.isFromHold && !this.#mayServeHold(wish.key)) return { kind: 'busy' }
    // What is held passes by nobody.
    if (wish.isFromHold && this.#line.size > 0) return this.#wait(wish)
    const pooled = wish.fresh ? undefined : this.#takeIdle()
    if (pooled) {
      this.#busy++
      this.#use(pooled, wish.isFromHold)
      return { kind: 'taken', pooled }
    }
    return this.#hasRoom() ? this.#openUnlessCancelled(wish) : this.#wait(wish)
  }

  /**
   * Takes a session back between transactions.
   * @param state  `untouched`: nothing was said on it; `open`: MAIL was said, no message went, so RSET comes first; `done`
   */
  give(pooled: PooledSession, state: 'untouched' | 'open' | 'done'): void {
    const isOpen = state === 'open'
    this.#unuse(pooled)
    if (state !== 'untouched') pooled.served++
    if (isOpen) pooled.empty++
    if (this.#isClosed || pooled.isWorn) {
      pooled.session.quit()
      this.#placeFreed()
      return
    }
    // RSET goes on without whoever gives.
    if (isOpen) void pooled.session.reset().then((isFit) => (isFit ? this.#serve(pooled) : this.#placeFreed()))
    else this.#serve(pooled)
  }

  /**
   * Whether one more session may be kept for a late word: at most a quarter of them, so that the others serve. Where they are too few for that, one may,
   * for as long as nobody waits for a session.
   * @param letGo  ends it; it may be called at any time
   */
  keepListening(pooled: PooledSession, letGo: () => void): boolean {
    const most = this.#line.size > 0 ? this.#mostListening : Math.max(1, this.#mostListening)
    if (this.#isClosed || this.#listening.size >= most) return false
    this.#listening.add(letGo)
    // Nor does it take the place of what else is held.
    if (pooled.isFromHold) this.#fromHold--
    pooled.isFromHold = false
    return true
  }

  stopListening(letGo: () => void): void {
    this.#listening.delete(letGo)
  }

  /**
   * Opens a session for nobody, to see whether the endpoint answers. Mail that comes meanwhile waits for it where the server allows no other.
   * @returns the fault is abandoned, where we are closed
   */
  async look(
    readyUntilMs: number,
  ): Promise<{ readonly kind: 'up' } | { readonly kind: 'failed'; readonly fault: Fault }> {
    if (this.#isClosed) return { kind: 'failed', fault: stopping }
    this.#looking++
    const opened = await this.#openOne(readyUntilMs, () => this.#busy + this.#idle.length > 0).finally(
      () => this.#looking--,
    )
    if (opened.kind === 'failed') {
      this.#openFailed(opened.fault)
      return opened
    }
    const pooled = this.#enters(opened.session, false)
    // Who is opening one may just be told that there is one too many.
    if (this.#line.size > 0 || this.#opening > 0) this.#serve(pooled)
    else {
      pooled.session.quit()
      this.#placeFreed()
    }
    return { kind: 'up' }
  }

  /** The session has ended, or must. */
  lose(pooled: PooledSession): void {
    pooled.session.destroy()
    this.#unuse(pooled)
    this.#placeFreed()
  }

  /** The end: idle sessions are closed, those in use are broken off, waiters hear it. */
  close(): void {
    this.#isClosed = true
    this.#sweep?.cancel()
    for (const pooled of this.#idle.splice(0)) pooled.session.quit()
    for (const pooled of this.#sessions) if (pooled.isInUse) pooled.session.abandon()
    this.#line.endAll(closedTaken)
  }

  /** Those that wait are counted as if they had one, so that whose turn it is may take it. */
  #mayServeHold(key: string): boolean {
    const most = Math.max(1, Math.floor(this.#most / 2))
    const mostOfKey = Math.max(1, Math.floor(this.#most / heldEvery))
    return this.#fromHold + this.#line.heldSize < most && this.#line.heldOf(key) < mostOfKey
  }

  #use(pooled: PooledSession, isFromHold: boolean): void {
    pooled.isInUse = true
    pooled.isFromHold = isFromHold
    if (isFromHold) this.#fromHold++
  }

  #unuse(pooled: PooledSession): void {
    if (pooled.isInUse && pooled.isFromHold) this.#fromHold--
    pooled.isInUse = false
  }

  #takeIdle(): PooledSession | undefined {
    for (let pooled = this.#idle.pop(); pooled; pooled = this.#idle.pop()) {
      const isFresh = this.#clock.monotonicMs() - pooled.idleSinceMs < idleMs
      if (isFresh && pooled.session.isQuiet) return pooled
      // It ended, or said something that nobody asked for (a 421 most likely), while nobody looked.
      if (pooled.session.isQuiet) pooled.session.quit()
      else pooled.session.destroy()
    }
    return undefined
  }

  /** In turn; what listens beyond its quarter makes room. */
  #wait(wish: Wish): Promise<Taken> {
    const taken = this.#line.wait(wish)
    for (const letGo of this.#listening) {
      if (this.#line.size === 0 || this.#listening.size <= this.#mostListening) break
      letGo()
    }
    return taken
  }

  get #mostListening(): number {
    return Math.floor(this.#mostNow / 4)
  }

  /** As many as the server itself allows, where it has said so lately. */
  get #mostNow(): number {
    return this.#clock.monotonicMs() < this.#roomUntilMs ? Math.min(this.#most, this.#room) : this.#most
  }

  /** Whether one more session may be opened; an idle one makes room for it. */
  #hasRoom(): boolean {
    const used = this.#busy + this.#opening
    const most = this.#mostNow
    if (used + this.#idle.length < most) return true
    if (used >= most) return false
    this.#idle.shift()?.session.quit()
    return true
  }

  /** Opens a session for the wish. Where nobody wants it any more, it goes to whoever waits, and is broken off where nobody does. */
  #openUnlessCancelled(wish: Wish): Promise<Taken> {
    const { cancel } = wish
    const breakOff = new Cancel()
    const opened = this.#openFor(wish, breakOff)
    if (!cancel) return opened
    return new Promise((settle, fail) => {
      let hasLeft = false
      const stopListening = cancel.whenCancelled(() => {
        hasLeft = true
        settle(senderHasGone)
        if (this.#line.size === 0) breakOff.cancel()
      })
      opened.then((taken) => {
        stopListening()
        if (hasLeft && taken.kind === 'taken') {
          this.#unuse(taken.pooled)
          this.#serve(taken.pooled)
        }
        settle(taken)
      }, fail)
    })
  }

  async #openFor(wish: Wish, breakOff: Cancel): Promise<Taken> {
    const others = () => this.#busy + this.#idle.length + this.#looking
    const opened = await this.#openOne(wish.readyUntilMs, () => others() > 0, breakOff)
    if (opened.kind === 'failed' && isFull(opened.fault) && others() > 0) {
      // The server has had enough of us, not of mail: whoever wanted one more session waits for one of those that are there.
      this.#room = others()
      this.#roomUntilMs = this.#clock.monotonicMs() + fullMs
      return this.take(wish)
    }
    if (opened.kind === 'failed') {
      // What was broken off says nothing to the others.
      if (breakOff.isCancelled) this.#placeFreed(false)
      else this.#openFailed(opened.fault)
      return opened
    }
    return { kind: 'taken', pooled: this.#enters(opened.session, wish.isFromHold) }
  }

  async #openOne(...asked: Parameters<OpenOne>): ReturnType<OpenOne> {
    this.#opening++
    return await this.#open(...asked)
      .finally(() => this.#opening--)
      .catch((error: unknown) => {
        // A bug of ours takes nobody's place: who waits for it would wait to the end of its time.
        this.#placeFreed(false)
        throw error
      })
  }

  /** One that has just been opened, in use. */
  #enters(session: ClientSession, isFromHold: boolean): PooledSession {
    this.#busy++
    const pooled = new PooledSession(session)
    this.#use(pooled, isFromHold)
    this.#sessions.add(pooled)
    if (pooled.ends) this.#ends.add(pooled.ends)
    session.connection.onGone = () => this.#gone(pooled)
    session.connection.onLost = () => this.#forget(pooled)
    return pooled
  }

  /** Where no session is left at all, those who wait for one would only fail one after the other. */
  #openFailed(fault: Fault): void {
    if (this.#busy > 0 || this.#opening > 0) {
      this.#placeFreed(false)
      return
    }
    this.#line.endAll({ kind: 'failed', fault })
    this.#checkEmpty()
  }

  /** A session is free: for the next who waits, else to be kept. */
  #serve(pooled: PooledSession): void {
    if (this.#isClosed || !pooled.session.isQuiet) {
      if (pooled.session.isQuiet) pooled.session.quit()
      else pooled.session.destroy()
      this.#placeFreed()
      return
    }
    const waiter = this.#line.next()
    if (!waiter) {
      this.#busy--
      pooled.idleSinceMs = this.#clock.monotonicMs()
      this.#idle.push(pooled)
      this.#sweep ??= this.#clock.after(idleMs, () => this.#sweepIdle())
      return
    }
    if (!waiter.fresh) {
      this.#use(pooled, waiter.isFromHold)
      waiter.settle({ kind: 'taken', pooled })
      return
    }
    pooled.session.quit()
    this.#busy--
    this.#openForWaiter(waiter)
  }

  /** A place is free. @param wasBusy  it was that of a session in use */
  #placeFreed(wasBusy = true): void {
    if (wasBusy) this.#busy--
    const isServed = !this.#isClosed && this.#line.size > 0 && this.#hasRoom()
    const waiter = isServed ? this.#line.next() : undefined
    if (waiter) this.#openForWaiter(waiter)
    else this.#checkEmpty()
  }

  #openForWaiter(waiter: Waiter): void {
    waiter.leave()
    this.#openUnlessCancelled(waiter).then(waiter.settle, () => waiter.settle(closedTaken))
  }

  /** The server has closed; while in use the transaction sees it itself. */
  #gone(pooled: PooledSession): void {
    const at = this.#idle.indexOf(pooled)
    if (at < 0) return
    this.#idle.splice(at, 1)
    pooled.session.destroy()
    this.#checkEmpty()
  }

  /** Its connection is no more. */
  #forget(pooled: PooledSession): void {
    this.#sessions.delete(pooled)
    if (pooled.ends) this.#ends.delete(pooled.ends)
  }

  #sweepIdle(): void {
    this.#sweep = undefined
    const nowMs = this.#clock.monotonicMs()
    // The oldest stand first. Timers may be a millisecond early.
    while (this.#idle[0] && nowMs - this.#idle[0].idleSinceMs >= idleMs - 1) this.#idle.shift()?.session.quit()
    const oldest = this.#idle[0]
    if (oldest) this.#sweep = this.#clock.after(oldest.idleSinceMs + idleMs - nowMs, () => this.#sweepIdle())
    else this.#checkEmpty()
  }

  #checkEmpty(): void {
    if (this.#busy + this.#opening + this.#idle.length + this.#line.size > 0) return
    this.#sweep?.cancel()
    this.#sweep = undefined
    this.#emptied()
  }
}

/** A greeting of 4yz: the server is up, and takes no more connections now (Postfix and others, for a limit a client). */
export const isFull = (fault: Fault): boolean =>
  fault.kind === 'rejected' && fault.step === 'greeting' && (fault.reply?.code ?? 0) < 500

/** What is heard once we are closed: nobody was asked. */
export const stopping: Fault = {
  kind: 'abandoned',
  step: 'connect',
  reply: undefined,
  detail: 'the gateway is stopping',
}

const closedTaken: Taken = { kind: 'failed', fault: stopping }
