/** Closed while rows are moved from lane to lane, which may be asked for again meanwhile: then one move follows the other. For `drain`. */
export interface Gate {
  /** Resolves when whoever closed it is done, undefined where it is open. Another may have closed it again. */
  closed(): Promise<void> | undefined
  closeWhile<T>(work: () => Promise<T>): Promise<T>
}

/** @param closes  called each time, before the work begins */
export function createGate(closes: () => void): Gate {
  let gate: Promise<void> | undefined
  return {
    closed: () => gate,
    async closeWhile(work) {
      const before = gate
      const { promise, resolve } = Promise.withResolvers<void>()
      gate = promise
      closes()
      try {
        await before
        return await work()
      } finally {
        if (gate === promise) gate = undefined
        resolve()
      }
    },
  }
}
