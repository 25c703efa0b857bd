/** Work that takes turns: so many of one key at once, the others wait in order. A key that nobody waits for takes no memory. */

export type QueueByKey = <T>(key: string, work: () => Promise<T>) => Promise<T>

/** @param atOnce  of one key, at least 1 */
export function createQueueByKey(atOnce = 1): QueueByKey {
  const queues = new Map<string, { running: number; readonly waiting: (() => void)[] }>()

  return async (key, work) => {
    const queue = queues.get(key) ?? { running: 0, waiting: [] }
    queues.set(key, queue)
    // Who leaves hands its place on, so that nobody who comes later takes it.
    if (queue.running >= atOnce) await new Promise<void>((resolve) => queue.waiting.push(resolve))
    else queue.running++
    try {
      return await work()
    } finally {
      const next = queue.waiting.shift()
      if (next) next()
      else if (--queue.running === 0) queues.delete(key)
    }
  }
}
