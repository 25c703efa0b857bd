/**
 * A set of texts in 16 octets for each, whatever their length: which domains an earlier run has done, for a million of them. Two texts with the
 * same 64 bits of SHA-256 would be taken for one; with a million that happens in one of 36 million runs.
 */
import { createHash } from 'node:crypto'

export interface Fingerprints {
  add(text: string): void
  has(text: string): boolean
  readonly size: number
}

export function createFingerprints(): Fingerprints {
  let slots = new BigUint64Array(1024)
  let size = 0

  const place = (table: BigUint64Array, print: bigint): number => {
    const mask = table.length - 1
    let at = Number(print & BigInt(mask))
    while (table[at] !== 0n && table[at] !== print) at = (at + 1) & mask
    return at
  }
  const grow = (): void => {
    const larger = new BigUint64Array(slots.length * 2)
    for (const print of slots) if (print !== 0n) larger[place(larger, print)] = print
    slots = larger
  }

  return {
    add(text) {
      const print = printOf(text)
      const at = place(slots, print)
      if (slots[at] === print) return
      slots[at] = print
      size++
      if (size * 2 > slots.length) grow()
    },
    has: (text) => {
      const print = printOf(text)
      return slots[place(slots, print)] === print
    },
    get size() {
      return size
    },
  }
}

/** Never 0, which is an empty slot. */
function printOf(text: string): bigint {
  const print = createHash('sha256').update(text).digest().readBigUInt64LE(0)
  return print === 0n ? 1n : print
}
