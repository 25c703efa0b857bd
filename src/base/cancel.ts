/**
 * Tells whoever waits that what they wait for is not wanted any more. Made by who may change its mind, handed down to where the waiting is.
 * It costs a fiftieth of an `AbortSignal`, and keeps nothing of those that have stopped listening.
 */

export class Cancel {
  #isCancelled = false
  /** Mostly none or one. */
  #listeners: Set<() => void> | undefined

  get isCancelled(): boolean {
    return this.#isCancelled
  }

  /** For good. Calling it again does nothing. */
  cancel(): void {
    if (this.#isCancelled) return
    this.#isCancelled = true
    const listeners = this.#listeners
    this.#listeners = undefined
    for (const listener of listeners ?? []) listener()
  }

  /**
   * Calls the listener once, at once where it has been cancelled already.
   * @returns takes the listener away again
   */
  whenCancelled(listener: () => void): () => void {
    if (this.#isCancelled) {
      listener()
      return () => undefined
    }
    this.#listeners ??= new Set()
    const listeners = this.#listeners.add(listener)
    return () => void listeners.delete(listener)
  }
}
