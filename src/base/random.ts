/** Chance, handed in, so that a test can say what it brings. */
import { randomBytes } from 'node:crypto'

export interface Random {
  /** 0 ≤ n < 1. */
  number(): number
  /** Unpredictable octets, for ids and query ids. */
  bytes(count: number): Buffer
}

/** Chance from Node: `bytes` are fit for secrets, `number` is not. */
export const systemRandom: Random = {
  number: () => Math.random(),
  bytes: (count) => randomBytes(count),
}

/** A new array with the same elements in an order that is uniform over all orders (Fisher–Yates). */
export function shuffle<T>(elements: readonly T[], random: Random): T[] {
  const result = [...elements]
  for (let last = result.length - 1; last > 0; last--) {
    const chosen = Math.floor(random.number() * (last + 1))
    const held = result[last] as T
    result[last] = result[chosen] as T
    result[chosen] = held
  }
  return result
}

/** `value` moved by a random part of up to `fraction` of it either way: jitter(1000, 0.2) is 800–1200. */
export function jitter(value: number, fraction: number, random: Random): number {
  return value * (1 + (random.number() * 2 - 1) * fraction)
}

/** Random numbers that repeat for a seed (mulberry32): for tests and rehearsals, never for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const number = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return { number, bytes: (count) => Buffer.from(Array.from({ length: count }, () => Math.floor(number() * 256))) }
}
