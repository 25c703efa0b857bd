/** The sessions of a pool that serve nobody, until they have been idle for 5 s or their server ends them. For `pool.ts`. */
import type { Clock, Timer } from '../base/clock.ts'
import type { PooledSession } from './pooled-session.ts'

const idleMs = 5_000

export class IdleSessions {
  readonly #clock: Clock
  readonly #emptied: () => void
  /** The one that was used last is used next, so that a quiet pool shrinks. */
  readonly #sessions: PooledSession[] = []
  #sweep: Timer | undefined

  /** @param emptied  called when the last one's time is over */
  constructor(clock: Clock, emptied: () => void) {
    this.#clock = clock
    this.#emptied = emptied
  }

  get size(): number {
    return this.#sessions.length
  }

  add(pooled: PooledSession): void {
    pooled.idleSinceMs = this.#clock.monotonicMs()
    this.#sessions.push(pooled)
    this.#sweep ??= this.#clock.after(idleMs, () => this.#endOld())
  }

  /** Whether there is one to be taken; those that are not fit for it are ended. */
  hasOne(): boolean {
    for (let pooled = this.#sessions.at(-1); pooled; pooled = this.#sessions.at(-1)) {
      const isFresh = this.#clock.monotonicMs() - pooled.idleSinceMs < idleMs
      if (isFresh && pooled.session.isQuiet) return true
      this.#sessions.pop()
      // It ended, or said something that nobody asked for (a 421 most likely), while nobody looked.
      if (pooled.session.isQuiet) pooled.session.quit()
      else pooled.session.destroy()
    }
    return false
  }

  take(): PooledSession | undefined {
    return this.hasOne() ? this.#sessions.pop() : undefined
  }

  endOldest(): void {
    this.#sessions.shift()?.session.quit()
  }

  /** Its server has closed. @returns whether it was here */
  remove(pooled: PooledSession): boolean {
    const at = this.#sessions.indexOf(pooled)
    if (at < 0) return false
    this.#sessions.splice(at, 1)
    pooled.session.destroy()
    return true
  }

  endAll(): void {
    this.#sweep?.cancel()
    this.#sweep = undefined
    for (const pooled of this.#sessions.splice(0)) pooled.session.quit()
  }

  #endOld(): void {
    this.#sweep = undefined
    const nowMs = this.#clock.monotonicMs()
    // The oldest stand first. Timers may be a millisecond early.
    while (this.#sessions[0] && nowMs - this.#sessions[0].idleSinceMs >= idleMs - 1) this.endOldest()
    const oldest = this.#sessions[0]
    if (oldest) this.#sweep = this.#clock.after(oldest.idleSinceMs + idleMs - nowMs, () => this.#endOld())
    else this.#emptied()
  }
}
