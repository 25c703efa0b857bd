/**
 * Finds the entry of a name in the octets of a question, without making a string of them: half of the time of a `Map` look-up, which is
 * the largest part of an answer's cost beside the socket. Used by `query.ts`; filled by `zones.ts`.
 *
 * A hash over the folded octets is taken from the end of the name to its beginning, so that one pass has the hashes of all its parents
 * too: those are looked for where the name itself is not there. The table is in parts, so that none takes long to grow.
 */
import type { WireName } from '../wire-name.ts'

export interface Named {
  /** Folded. */
  readonly name: WireName
}

/** A name in a message: where its labels begin, and the hash of what stands from there on. */
export interface HashedName {
  /** Labels with the root: 1–128. */
  labels: number
  readonly starts: Int32Array
  readonly hashes: Int32Array
  /** Behind the root's octet. */
  end: number
}

const mostLabels = 128
const partBits = 8
const leastSlots = 8

interface Part<T> {
  slots: (T | undefined)[]
  hashes: Int32Array
  used: number
}

export interface NameTable<T extends Named> {
  /** Reads and hashes the name that begins there. @returns false where there is no whole uncompressed name */
  hash(bytes: Uint8Array, at: number, into: HashedName): boolean
  /** @param label  0: the whole name; 1: its parent, and so on */
  find(bytes: Uint8Array, name: HashedName, label: number): T | undefined
  /** @param name  folded */
  get(name: WireName): T | undefined
  /** Adds, or replaces what has this name. */
  set(entry: T): void
  delete(name: WireName): void
  readonly size: number
}

export function createHashedName(): HashedName {
  return { labels: 0, starts: new Int32Array(mostLabels), hashes: new Int32Array(mostLabels), end: 0 }
}

/** ASCII capitals as small letters, other octets as they are. Lengths of labels are below 64 and so no letters. */
const fold = Uint8Array.from({ length: 256 }, (_, octet) => (octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet))

/** @param seed  any number: with one that nobody knows, names cannot be chosen to collide */
export function createNameTable<T extends Named>(seed: number): NameTable<T> {
  const parts: Part<T>[] = Array.from({ length: 1 << partBits }, () => emptyPart(leastSlots))
  let size = 0

  const partOf = (hash: number) => parts[hash >>> (32 - partBits)] as Part<T>

  /** The name as octets, for the look-ups that are not in the way of an answer. */
  const scratch = new Uint8Array(256)
  const own = createHashedName()
  const hashText = (name: WireName): number => {
    for (let at = 0; at < name.length; at++) scratch[at] = name.charCodeAt(at)
    if (!hashName(seed, scratch.subarray(0, name.length), 0, own)) throw new TypeError('a name that is none')
    return own.hashes[0] ?? 0
  }

  /** Where the name is, or where it would be. */
  const slotOf = (part: Part<T>, name: WireName, hash: number): number => {
    const mask = part.slots.length - 1
    let slot = hash & mask
    for (let entry = part.slots[slot]; entry; entry = part.slots[slot]) {
      if (part.hashes[slot] === hash && entry.name === name) break
      slot = (slot + 1) & mask
    }
    return slot
  }

  return {
    hash: (bytes, at, into) => hashName(seed, bytes, at, into),

    find(bytes, name, label) {
      const hash = name.hashes[label] as number
      const part = partOf(hash)
      const mask = part.slots.length - 1
      for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
        const entry = part.slots[slot]
        if (entry === undefined) return undefined
        if (part.hashes[slot] === hash && isNamed(entry.name, bytes, name.starts[label] as number, name.end))
          return entry
      }
    },

    get(name) {
      const hash = hashText(name)
      const part = partOf(hash)
      return part.slots[slotOf(part, name, hash)]
    },

    set(entry) {
      const hash = hashText(entry.name)
      const part = partOf(hash)
      const slot = slotOf(part, entry.name, hash)
      if (part.slots[slot] === undefined) {
        size++
        part.used++
      }
      part.slots[slot] = entry
      part.hashes[slot] = hash
      if (part.used * 2 > part.slots.length) grow(part)
    },

    delete(name) {
      const hash = hashText(name)
      const part = partOf(hash)
      const slot = slotOf(part, name, hash)
      if (part.slots[slot] === undefined) return
      close(part, slot)
      part.used--
      size--
    },

    get size() {
      return size
    },
  }
}

/** See `NameTable.hash`. */
function hashName(seed: number, bytes: Uint8Array, at: number, into: HashedName): boolean {
  const { starts, hashes } = into
  let labels = 0
  let place = at
  for (;;) {
    if (place >= bytes.length || labels >= mostLabels) return false
    starts[labels++] = place
    const length = bytes[place] as number
    if (length === 0) break
    if (length > 63) return false
    place += length + 1
  }
  if (place - at > 254) return false
  into.end = place + 1
  into.labels = labels
  let hash = seed
  let octet = place
  for (let label = labels - 1; label >= 0; label--) {
    const start = starts[label] as number
    for (; octet >= start; octet--) hash = Math.imul(hash ^ (fold[bytes[octet] as number] as number), 0x01000193)
    hashes[label] = spread(hash)
  }
  return true
}

/** Folded on the one side, as it came on the other. */
function isNamed(name: WireName, bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start
  if (name.length !== length) return false
  for (let at = 0; at < length; at++) if (name.charCodeAt(at) !== fold[bytes[start + at] as number]) return false
  return true
}

/** Lets every bit of the hash depend on every octet (the finaliser of MurmurHash3). */
function spread(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) | 0
}

function emptyPart<T>(slots: number): Part<T> {
  return { slots: new Array<T | undefined>(slots).fill(undefined), hashes: new Int32Array(slots), used: 0 }
}

function grow<T>(part: Part<T>): void {
  const larger = emptyPart<T>(part.slots.length * 2)
  const mask = larger.slots.length - 1
  part.slots.forEach((entry, from) => {
    if (entry === undefined) return
    const hash = part.hashes[from] as number
    let slot = hash & mask
    while (larger.slots[slot] !== undefined) slot = (slot + 1) & mask
    larger.slots[slot] = entry
    larger.hashes[slot] = hash
  })
  part.slots = larger.slots
  part.hashes = larger.hashes
}

/** Empties a slot, and moves back what stands behind it, so that every entry is found from its own place without a gap. */
function close<T>(part: Part<T>, slot: number): void {
  const mask = part.slots.length - 1
  let gap = slot
  for (let at = (slot + 1) & mask; part.slots[at] !== undefined; at = (at + 1) & mask) {
    const home = (part.hashes[at] as number) & mask
    // Whether the entry's own place lies cyclically behind the gap: then it must stay.
    if (((at - home) & mask) < ((at - gap) & mask)) continue
    part.slots[gap] = part.slots[at]
    part.hashes[gap] = part.hashes[at] as number
    gap = at
  }
  part.slots[gap] = undefined
}
