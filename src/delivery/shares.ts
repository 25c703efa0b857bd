/**
 * How the sessions of a pool are shared where few are left: one client with many slow messages leaves an eighth of them to the others, and so do it and
 * what is held together. Pure; asked by `pool.ts`.
 */

/** What a session, or one that is being opened, is for. */
export interface Share {
  /** The key of live mail, or the hold; undefined: nobody. */
  readonly party: string | undefined
}

/** What is held is one party, whatever its lanes. No key of live mail is empty. */
export const theHold = ''

export const partyOf = (of: { readonly key: string; readonly isFromHold: boolean }): string =>
  of.isFromHold ? theHold : of.key

/** How many of the sessions may serve one party. Of fewer than four none is kept for others: it would cost too much of the rest. */
export function mostOfOne(most: number): number {
  return most < 4 ? most : most - Math.max(1, Math.floor(most / 8))
}

/**
 * Whether the party may have one more session: no key has more than `most` together with the hold. One that has none may always; what is kept for others is
 * for such as this one.
 * @param shares  of the sessions, in use or not, and of those that are being opened
 */
export function mayHaveOneMore(party: string, most: number, ...shares: readonly Iterable<Share>[]): boolean {
  if (party === theHold) return mostBesideHold(shares) < most
  let own = 0
  let held = 0
  for (const each of shares)
    for (const share of each) {
      if (share.party === party) own++
      else if (share.party === theHold) held++
    }
  return own === 0 || own + held < most
}

/** What the hold has, together with the key that has most. */
function mostBesideHold(shares: readonly Iterable<Share>[]): number {
  const counts = new Map<string, number>()
  for (const each of shares)
    for (const { party } of each) if (party !== undefined) counts.set(party, (counts.get(party) ?? 0) + 1)
  const held = counts.get(theHold) ?? 0
  counts.delete(theHold)
  return held + Math.max(0, ...counts.values())
}
