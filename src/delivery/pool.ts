/**
 * The sessions of one endpoint: at most so many, reused while they are good, given to those who wait by key in turn; how many one key may have, `shares.ts` says.
 * Used by `create.ts`; what is said on a session is `smtp.ts`.
 */
import { Cancel } from '../base/cancel.ts'
import type { Clock } from '../base/clock.ts'
import type { ClientSession } from '../smtp/client/session.ts'
import { IdleSessions } from './idle-sessions.ts'
import { OurEnds } from './our-ends.ts'
import type { Fault } from './outcome.ts'
import { PooledSession } from './pooled-session.ts'
import { mayHaveOneMore, mostOfOne, partyOf, type Share, theHold } from './shares.ts'
import { heldEvery, senderHasGone, type Taken, type Waiter, WaitingLine, type Wish } from './waiting-line.ts'

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
  readonly #idle: IdleSessions
  /** All of them, until their connections are lost. */
  readonly #sessions = new Set<PooledSession>()
  readonly #line: WaitingLine
  #busy = 0
  readonly #opening = new Set<Share>()
  /** What the server itself allows, as it seems, and until when that is believed. */
  #room = Number.POSITIVE_INFINITY
  #roomUntilMs = 0
  /** Sessions in use that serve the hold. */
  #fromHold = 0
  /** Sessions in use that wait for a word behind a dot that nobody waits for any more, the oldest first: how each is let go. */
  readonly #listening = new Set<() => void>()
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
    this.#idle = new IdleSessions(clock, () => this.#checkEmpty())
    this.#line = new WaitingLine(clock)
    this.#ends = ends
  }

  get counts(): { readonly busy: number; readonly idle: number; readonly waiting: number } {
    return { busy: this.#used, idle: this.#idle.size, waiting: this.#line.size }
  }

  /** An idle session, or a new one, or the next that becomes free until `sessionUntilMs`. */
  take(wish: Wish): Taken | Promise<Taken> {
    if (this.#isClosed) return closedTaken
    if (wish.cancel?.isCancelled) {
      // We may have been made for this one.
      this.#checkEmpty()
      return senderHasGone
    }
    if (wish.isFromHold && !this.#mayServeHold(wish.key)) return { kind: 'busy' }
    // Nobody passes by who waits, but where that one has had its share.
    if (this.#line.size > 0 || !this.#mayHave(wish)) return this.#wait(wish)
    const pooled = wish.fresh ? undefined : this.#idle.take()
    if (pooled) return this.#handOut(pooled, wish)
    return this.#makeRoom() ? this.#openUnlessCancelled(wish) : this.#wait(wish)
  }

  /**
   * Takes a session back between transactions.
   * @param state  `untouched`: nothing was said on it; `open`: MAIL was said, no message went, so RSET comes first; `done`
   */
  give(pooled: PooledSession, state: 'untouched' | 'open' | 'done'): void {
    const isOpen = state === 'open'
    const { party } = pooled
    this.#unuse(pooled)
    if (state !== 'untouched') pooled.served++
    if (isOpen) pooled.empty++
    if (this.#isClosed || pooled.isWorn) {
      pooled.session.quit()
      this.#placeFreed()
      return
    }
    // RSET goes on without whoever gives; until it is answered the session is still of his share.
    if (isOpen) pooled.party = party
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
    const opened = await this.#openOne(readyUntilMs, () => this.#busy + this.#idle.size > 0, undefined)
    if (!(opened instanceof PooledSession)) {
      this.#openFailed(opened)
      return { kind: 'failed', fault: opened }
    }
    this.#unuse(opened)
    // Who is opening one may just be told that there is one too many.
    if (this.#line.size > 0 || this.#opening.size > 0) this.#serve(opened)
    else {
      opened.session.quit()
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
    this.#idle.endAll()
    for (const pooled of this.#sessions) if (pooled.isInUse) pooled.session.abandon()
    this.#line.endAll(closedTaken)
  }

  /** In use and being opened. */
  get #used(): number {
    return this.#busy + this.#opening.size
  }

  /** Those that wait, or open one, are counted as if they had one, so that whose turn it is may take it. */
  #mayServeHold(key: string): boolean {
    const most = Math.max(1, Math.floor(this.#most / 2))
    const mostOfKey = Math.max(1, Math.floor(this.#most / heldEvery))
    const opening = [...this.#opening].filter(({ party }) => party === theHold).length
    return this.#fromHold + opening + this.#line.heldSize < most && this.#line.heldOf(key) < mostOfKey
  }

  /** Whether one more would leave the others what is theirs; sessions are counted only where few are left. */
  #mayHave(wish: Wish): boolean {
    const most = mostOfOne(this.#mostNow)
    return this.#used < most || mayHaveOneMore(partyOf(wish), most, this.#sessions, this.#opening)
  }

  #handOut(pooled: PooledSession, wish: Wish): Taken {
    this.#busy++
    this.#use(pooled, wish)
    return { kind: 'taken', pooled }
  }

  #use(pooled: PooledSession, wish: Wish | undefined): void {
    pooled.isInUse = true
    pooled.party = wish && partyOf(wish)
    pooled.isFromHold = wish?.isFromHold === true
    if (pooled.isFromHold) this.#fromHold++
  }

  #unuse(pooled: PooledSession): void {
    if (pooled.isInUse && pooled.isFromHold) this.#fromHold--
    pooled.isInUse = false
    pooled.party = undefined
  }

  /** In turn; what listens beyond its quarter makes room. */
  #wait(wish: Wish): Promise<Taken> {
    const taken = this.#line.wait(wish)
    this.#serveWaiting()
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
    return this.#room < this.#most && this.#clock.monotonicMs() < this.#roomUntilMs ? this.#room : this.#most
  }

  /** Makes room for one more session, of an idle one where it must. @returns whether there is */
  #makeRoom(): boolean {
    const most = this.#mostNow
    if (this.#used + this.#idle.size < most) return true
    if (this.#used >= most) return false
    this.#idle.endOldest()
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
    const looking = () => [...this.#opening].filter(({ party }) => party === undefined).length
    const others = () => this.#busy + this.#idle.size + looking()
    const opened = await this.#openOne(wish.readyUntilMs, () => others() > 0, wish, breakOff)
    if (opened instanceof PooledSession) return { kind: 'taken', pooled: opened }
    if (isFull(opened) && others() > 0) {
      // The server has had enough of us, not of mail: whoever wanted one more session waits for one of those that are there.
      this.#room = others()
      this.#roomUntilMs = this.#clock.monotonicMs() + fullMs
      this.#placeFreed(false)
      return this.take(wish)
    }
    // What was broken off says nothing to the others.
    if (breakOff.isCancelled) this.#placeFreed(false)
    else this.#openFailed(opened)
    return { kind: 'failed', fault: opened }
  }

  /** @param wish  whose it is; undefined: nobody's. @returns the session, in use, or why there is none: its place is free */
  async #openOne(
    readyUntilMs: number,
    hasOthers: () => boolean,
    wish: Wish | undefined,
    breakOff?: Cancel,
  ): Promise<PooledSession | Fault> {
    const share = { party: wish && partyOf(wish) }
    this.#opening.add(share)
    try {
      const opened = await this.#open(readyUntilMs, hasOthers, breakOff)
      // In one go: else its place would be free for a moment, and we perhaps empty.
      this.#opening.delete(share)
      if (opened.kind === 'failed') return opened.fault
      if (!this.#isClosed) return this.#enters(opened.session, wish)
      opened.session.abandon()
      return stopping
    } catch (error) {
      // A bug of ours takes nobody's place: who waits for it would wait to the end of its time.
      this.#opening.delete(share)
      this.#placeFreed(false)
      throw error
    }
  }

  /** One that has just been opened, in use. */
  #enters(session: ClientSession, wish: Wish | undefined): PooledSession {
    this.#busy++
    const pooled = new PooledSession(session)
    this.#use(pooled, wish)
    this.#sessions.add(pooled)
    if (pooled.ends) this.#ends.add(pooled.ends)
    session.connection.onGone = () => this.#gone(pooled)
    session.connection.onLost = () => this.#forget(pooled)
    return pooled
  }

  /** Where no session is left at all, those who wait for one would only fail one after the other. */
  #openFailed(fault: Fault): void {
    if (this.#used > 0) {
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
    this.#busy--
    pooled.party = undefined
    this.#idle.add(pooled)
    this.#serveWaiting()
  }

  /** A place is free. @param wasBusy  it was that of a session in use */
  #placeFreed(wasBusy = true): void {
    if (wasBusy) this.#busy--
    this.#serveWaiting()
    this.#checkEmpty()
  }

  /** Whoever waits and may be served is served, in turn, as far as there is something to be had. */
  #serveWaiting(): void {
    while (this.#line.size > 0 && !this.#isClosed) {
      const hasIdle = this.#idle.hasOne()
      const isFull = this.#used >= this.#mostNow
      if (isFull && !hasIdle) return
      let mayHold: boolean | undefined
      const waiter = this.#line.next((each) => {
        if (isFull && each.fresh) return false
        if (!each.isFromHold) return this.#mayHave(each)
        // Whatever the lane.
        mayHold ??= this.#mayHave(each)
        return mayHold
      })
      if (!waiter) return
      const pooled = waiter.fresh ? undefined : this.#idle.take()
      if (pooled) waiter.settle(this.#handOut(pooled, waiter))
      else if (this.#makeRoom()) this.#openForWaiter(waiter)
    }
  }

  #openForWaiter(waiter: Waiter): void {
    waiter.leave()
    this.#openUnlessCancelled(waiter).then(waiter.settle, () => waiter.settle(closedTaken))
  }

  /** The server has closed; while in use the transaction sees it itself. */
  #gone(pooled: PooledSession): void {
    if (this.#idle.remove(pooled)) this.#checkEmpty()
  }

  /** Its connection is no more. */
  #forget(pooled: PooledSession): void {
    this.#sessions.delete(pooled)
    if (pooled.ends) this.#ends.delete(pooled.ends)
  }

  #checkEmpty(): void {
    if (this.#used + this.#idle.size + this.#line.size > 0) return
    this.#idle.endAll()
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
