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
  /** The last whole ones before this moment, oldest first. @param most  60 at most */
  list(nowMs: number, most: number): readonly Second[]
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
    list(nowMs, most) {
      const length = Math.min(most, secondsKept)
      const first = Math.floor(nowMs / 1000) - length
      return Array.from({ length }, (_, index) => {
        const wanted = first + index
        const found = ring[wanted % ring.length]
        const { number, ...counts } = found?.number === wanted ? found : nothingIn(wanted)
        return { ...counts, atMs: number * 1000 }
      })
    },
  }
}

const nothingIn = (number: number): Counts => ({ ...noVerdicts(), number, drained: 0 })
