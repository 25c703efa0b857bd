/**
 * Looking through held mail, which takes the store's reading thread for a while: few at once, some wait for their turn, and who comes beyond that is asked to come
 * again. So people who search and count never keep the drain from reading. Used by `queue.ts`.
 */
import type { Answered } from '../site.ts'

export type Scan = <Value>(work: () => Promise<Answered<Value>>) => Promise<Answered<Value>>

const atOnce = 2
const mostWaiting = 10

export function createScans(): Scan {
  const waiting: (() => void)[] = []
  let running = 0
  return async (work) => {
    if (running >= atOnce) {
      if (waiting.length >= mostWaiting)
        return { kind: 'no', status: 503, why: 'others are searching; come again in a moment' }
      await new Promise<void>((go) => waiting.push(go))
    } else running++
    try {
      return await work()
    } finally {
      // Its place goes to the next, who does not count anew.
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }
}
