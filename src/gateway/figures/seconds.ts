/** The last minute, second by second: live rates. For `figures`. */
import type { MessageVerdict } from '../events.ts'
import { type ByVerdict, noVerdicts } from './by-verdict.ts'

export interface Second extends ByVerdict {
  /** Wall clock of its beginning. */
  readonly atMs: number
  readonly drained: number
}

export interface Seconds {
  /** @param atMs  wall clock */
  message(verdict: MessageVerdict, atMs: number): void
  drained(atMs: number): void
  /** The last 60 whole ones before this moment, oldest first. */
  list(nowMs: number): readonly Second[]
}

const secondsKept = 60

interface Counts extends Record<MessageVerdict, number> {
  /** Since 1970; its place in the ring is what is left of it. */
  number: number
  drained: number
}

export function createSeconds(): Seconds {
  const ring: Counts[] = Array.from({ length: secondsKept + 1 }, () => nothingIn(-1))

  function at(number: number): Counts {
    const place = number % ring.length
    const found = ring[place]
    if (found?.number === number) return found
    const made = nothingIn(number)
    ring[place] = made
    return made
  }

  return {
    message: (verdict, atMs) => void at(Math.floor(atMs / 1000))[verdict]++,
    drained: (atMs) => void at(Math.floor(atMs / 1000)).drained++,
    list(nowMs) {
      const now = Math.floor(nowMs / 1000)
      return Array.from({ length: secondsKept }, (_, index) => {
        const found = ring[(now - secondsKept + index) % ring.length]
        const wanted = now - secondsKept + index
        const { number, ...counts } = found?.number === wanted ? found : nothingIn(wanted)
        return { ...counts, atMs: number * 1000 }
      })
    },
  }
}

const nothingIn = (number: number): Counts => ({ ...noVerdicts(), number, drained: 0 })
