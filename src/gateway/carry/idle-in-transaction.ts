/** How long the sender lets the session of one transaction wait between what it says: a second at a time, and then the session serves others. For `cut-through`. */
import type { CutThroughDeps } from './cut-through-deps.ts'
import type { Stay, Waiting } from './waiting-places.ts'

export class IdleInTransaction {
  readonly #session: Waiting
  readonly #deps: Pick<CutThroughDeps, 'clock' | 'waitingPlaces' | 'budgets'>
  #sumMs = 0
  #fromMs = 0
  #stay: Stay | undefined

  constructor(session: Waiting, deps: Pick<CutThroughDeps, 'clock' | 'waitingPlaces' | 'budgets'>) {
    this.#session = session
    this.#deps = deps
  }

  /** It waits from now on. */
  begin(): void {
    this.#fromMs = this.#deps.clock.monotonicMs()
    this.#stay = this.#deps.waitingPlaces.begin(this.#session, this.#fromMs)
  }

  /** What it waited for has come, or will not. */
  end(): void {
    if (this.#stay) this.#deps.waitingPlaces.end(this.#stay)
    this.#stay = undefined
  }

  /** The same, and the session has been kept all the while. @param nowMs  on the monotonic clock */
  endKept(nowMs: number): void {
    this.#sumMs += nowMs - this.#fromMs
    this.end()
  }

  /** Recipients that trickle in keep a session as surely as a slow body does. */
  get isTooLong(): boolean {
    return this.#sumMs > 2 * this.#deps.budgets.sessionIdleInTransactionMs
  }
}
