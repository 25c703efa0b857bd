/**
 * Response rate limiting: so that nobody can be flooded with our answers by queries in its name. Counts answers by the network that they
 * go to and by their kind; of those beyond the limit some are sent as nothing but "ask by TCP" (TC), so that who really asks is served.
 * There is no RFC; the manner is that of BIND and NSD. Used by `answer.ts` for UDP alone.
 */
import type { Clock } from '../../base/clock.ts'

export interface RateLimitOptions {
  /** Answers a second for one network and kind, 0: no limit. */
  readonly perSecond: number
  /** Of the answers beyond it every so many-th is sent with TC; 0: none is, 1: all are. */
  readonly slip: number
}

export type Limited = 'send' | 'truncate' | 'drop'

/** What is counted apart. `signed`: of whatever kind, to who signed the question with a key of ours. */
export type LimitedKind = 'positive' | 'referral' | 'no-data' | 'no-such-name' | 'error' | 'signed'

export interface RateLimiter {
  /** @param address  the client's, as text */
  count(address: string, kind: LimitedKind): Limited
}

/** A power of two. At 24 octets each the table takes 1.5 MiB, and never more. */
const slotsInAll = 65_536
/** A network is looked for in so many neighbouring slots; the one that is idle for longest makes room. */
const neighbours = 4
/** What may be sent in one go after some idle time, in seconds' worth. */
const burstSeconds = 1

const kindSalt: Readonly<Record<LimitedKind, number>> = {
  positive: 0x1b873593,
  referral: 0x2545f491,
  'no-data': 0x3c6ef372,
  'no-such-name': 0x52dce729,
  error: 0x68e31da4,
  signed: 0x7f4a7c15,
}

/** @param seed  any number that others do not know, or they could choose who shares a slot */
export function createRateLimiter(options: RateLimitOptions, seed: number, clock: Clock): RateLimiter {
  const { perSecond, slip } = options
  const burst = Math.max(1, perSecond * burstSeconds)
  const tags = new Int32Array(slotsInAll)
  const tokens = new Float32Array(slotsInAll).fill(burst)
  const seenMs = new Float64Array(slotsInAll).fill(Number.NEGATIVE_INFINITY)
  const over = new Uint32Array(slotsInAll)

  function slotOf(tag: number): number {
    const first = tag & (slotsInAll - neighbours)
    let idlest = first
    for (let slot = first; slot < first + neighbours; slot++) {
      if (tags[slot] === tag) return slot
      if ((seenMs[slot] as number) < (seenMs[idlest] as number)) idlest = slot
    }
    tags[idlest] = tag
    tokens[idlest] = burst
    over[idlest] = 0
    seenMs[idlest] = Number.NEGATIVE_INFINITY
    return idlest
  }

  return {
    count(address, kind) {
      if (perSecond === 0) return 'send'
      const slot = slotOf(mix(networkHash(address, seed) ^ kindSalt[kind]))
      const nowMs = clock.monotonicMs()
      const idleMs = nowMs - (seenMs[slot] as number)
      seenMs[slot] = nowMs
      const left = Math.min(burst, (tokens[slot] as number) + (idleMs * perSecond) / 1000)
      if (left >= 1) {
        tokens[slot] = left - 1
        return 'send'
      }
      tokens[slot] = left
      const count = ((over[slot] as number) + 1) >>> 0
      over[slot] = count
      return slip > 0 && count % slip === 0 ? 'truncate' : 'drop'
    },
  }
}

/** A hash of the IPv4 /24 or the IPv6 /56, from the text as the system writes it: made for every answer, so nothing is parsed. */
export function networkHash(address: string, seed: number): number {
  let hash = seed
  const dot = address.lastIndexOf('.')
  if (dot >= 0 && !address.includes(':')) {
    for (let at = 0; at < dot; at++) hash = Math.imul(hash ^ address.charCodeAt(at), 0x01000193)
    return mix(hash)
  }
  const [head = '', tail] = address.split('::')
  const before = wordsIn(head)
  const after = tail === undefined ? [] : wordsIn(tail)
  for (let index = 0; index < 4; index++) {
    const fromEnd = index - (8 - after.length)
    let word = before[index] ?? (tail === undefined || fromEnd < 0 ? 0 : (after[fromEnd] ?? 0))
    if (index === 3) word &= 0xff00
    hash = Math.imul(hash ^ word, 0x01000193)
  }
  return mix(hash)
}

const wordsIn = (text: string) => (text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16)))

function mix(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
