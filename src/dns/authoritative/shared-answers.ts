/** One piece of memory for answers that are the same but for their questions: `prepare.ts` asks it for each that it makes. */
import type { Prepared } from './prepared.ts'

/** Finds an answer that is the same as another. */
export interface Shared {
  find(prepared: Prepared): Prepared
}

/** Longer answers are rarely the same as others. */
const longestShared = 600
const mostShared = 10_000

/**
 * Of many domains with the same exchangers, the answers are the same but for the question: one for each length of name then serves them
 * all, and takes neither memory nor a place in the processor's cache for each of them.
 */
export function createShared(): Shared {
  const known = new Map<string, Prepared>()
  return {
    find(prepared) {
      const { body, kind, flags, rcode, nameOctets, answers, requiredEnd, stamp, hosts } = prepared
      if (body.length > longestShared) return prepared
      const numbers = [kind, flags, rcode, nameOctets, answers, requiredEnd, stamp, ...hosts.map(({ id }) => id)]
      const key = `${numbers.join(' ')} ${body.toString('latin1')}`
      const same = known.get(key)
      if (same) return same
      if (known.size >= mostShared) known.clear()
      known.set(key, prepared)
      return prepared
    },
  }
}
