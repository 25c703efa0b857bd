/**
 * How many messages of a lane are brought before its backends at once: one until one is delivered, then more, fewer again where a backend has enough
 * or becomes slow; and when it is time to leave the lane alone for a while. For `lane-drain`; one a run.
 */
import type { Attempted } from './attempt.ts'

/** Why a lane is left alone: `unable`: there is a backend, and it could not take one message after the other. */
export type Enough = 'route-out' | 'unable' | 'busy'

const widest = 50
const slowMs = 2_000
/** So many sessions in a row that ended in the middle are no accident of the messages. */
const brokenInARow = 3
/**
 * So many messages in a row that a backend said it cannot take. One that says so is asked about the next one, because three messages that it always
 * says so of would stop all others; but a queue of a million is not brought before a backend that says so of everything.
 */
const unableInARow = 50

/** With those that are being written down. A process that dies knows nothing of them, so they are few. */
const mostOpenOf = (atOnce: number) => 3 * atOnce

export class Pace {
  #window = 1
  /** How much wider it becomes with each delivery: by one while the backend's limit is not known, then carefully. */
  #step = 1
  /** Milliseconds that a delivery took lately. */
  #usualMs: number | undefined
  #unable = 0
  #broken = 0

  /**
   * @param asking  what backends are being asked about
   * @param open  those, and what is being written down
   */
  isFull(asking: number, open: number): boolean {
    const atOnce = Math.max(1, Math.floor(this.#window))
    return asking >= atOnce || open >= mostOpenOf(atOnce)
  }

  /**
   * Learns from an attempt that has ended.
   * @param asking  as above, with this one
   * @returns why it is enough for now; undefined where it goes on
   */
  learn(attempted: Attempted, tookMs: number, asking: number): Enough | undefined {
    switch (attempted.kind) {
      case 'route-out':
        return 'route-out'
      case 'unable':
      case 'broken':
        this.narrow()
        this.#unable++
        this.#broken = attempted.kind === 'broken' ? this.#broken + 1 : 0
        return this.#unable >= unableInARow || this.#broken >= brokenInARow ? 'unable' : undefined
      case 'busy':
        this.#window = Math.max(1, Math.min(this.#window, asking) - 1)
        this.#step = 1 / (4 * this.#window)
        return asking <= 1 ? 'busy' : undefined
      case 'spoken':
        this.#unable = 0
        this.#broken = 0
        if (attempted.delivered > 0) this.#widen(tookMs)
        return undefined
      case 'slow-for-it':
      case 'gone':
      case 'corrupt':
        return undefined
    }
  }

  /** A backend has enough, or says nothing for so long that it may have. */
  narrow(): void {
    this.#window = Math.max(1, this.#window / 2)
  }

  #widen(tookMs: number): void {
    const isSlow = tookMs > slowMs && tookMs > 4 * (this.#usualMs ?? tookMs)
    this.#usualMs = this.#usualMs === undefined ? tookMs : this.#usualMs * 0.9 + tookMs * 0.1
    this.#window = isSlow ? Math.max(1, this.#window / 2) : Math.min(widest, this.#window + this.#step)
  }
}
