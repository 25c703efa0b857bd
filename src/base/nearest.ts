/** The word that was probably meant: for errors about unknown keys and values, and for host names with a typing error. */

/**
 * @returns the candidate at the smallest edit distance (insertion, deletion, replacement, swap of neighbours), or undefined where
 * none is near enough to be meant
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = word.slice(0, maxLength).toLowerCase()
  let best: string | undefined
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1
  for (const candidate of candidates) {
    const distance = editDistance(wanted, candidate.slice(0, maxLength).toLowerCase(), bestDistance - 1)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** The candidate that `didYouMean` names, where it names one. */
export function meantBy(word: string, candidates: Iterable<string>): string | undefined {
  const all = [...candidates]
  const near = nearest(word, all)
  if (near !== undefined) return near
  const longer = longerThan(word, all)
  return longer.length === 1 ? longer[0] : undefined
}

/** `; did you mean "deliver"?`, or `; there are dane-absent, dane-mismatch` where the word is a part of several, or nothing. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const all = [...candidates]
  const meant = meantBy(word, all)
  if (meant !== undefined) return `; did you mean "${meant}"?`
  const longer = longerThan(word, all)
  if (longer.length === 0) return ''
  const more = longer.length > mostLonger ? `, and ${longer.length - mostLonger} more` : ''
  return `; there are ${longer.slice(0, mostLonger).join(', ')}${more}`
}

const mostLonger = 8

/** Those that the word is a part of. */
const longerThan = (word: string, candidates: readonly string[]) =>
  word.length < 3 ? [] : candidates.filter((candidate) => candidate.includes(word.toLowerCase()))

const maxLength = 60

/**
 * Insertions, deletions, replacements and swaps of neighbours that make `b` of `a` (optimal string alignment, three rows).
 * @param most  more than this need not be counted: the answer is then anything above it, and most words cost a few steps
 */
export function editDistance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1
  let before: number[] = []
  let last: number[] = []
  for (let j = 0; j <= Math.min(b.length, most); j++) last.push(j)
  let lastLeast = 0
  for (let i = 1; i <= a.length; i++) {
    // Nothing further than `most` from the diagonal can come back to it in time.
    const from = Math.max(1, i - most)
    const to = Math.min(b.length, i + most)
    const row: number[] = []
    row[from - 1] = from === 1 ? i : most + 1
    let rowLeast = from === 1 ? i : most + 1
    for (let j = from; j <= to; j++) {
      const same = a[i - 1] === b[j - 1]
      let least = Math.min((last[j] ?? most) + 1, (row[j - 1] ?? most) + 1, (last[j - 1] ?? most + 1) + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, (before[j - 2] ?? most) + 1)
      row[j] = least
      rowLeast = Math.min(rowLeast, least)
    }
    // A swap looks back two rows, so one row beyond the limit does not end it.
    if (rowLeast > most && lastLeast > most) return most + 1
    lastLeast = rowLeast
    before = last
    last = row
  }
  return last[b.length] ?? most + 1
}
