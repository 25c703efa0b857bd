/**
 * Moments and spans as people read them, moments in UTC. Of spans: what was chosen is said exactly (`spanText`), what has lasted in two units (`lengthText`),
 * what stands in a column by its largest unit (`shortLengthText`), what is about so long rounded (`roughSpanText`).
 */

/** RFC 3339 in UTC, to the second: machines of several zones mean the same by it. @param ms  since 1970 */
export const timeText = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`

/** When something ends or may be done: RFC 3339, to the minute, and never too early. @param ms  since 1970 */
export const comingTimeText = (ms: number): string => minuteText(Math.ceil(ms / 60_000))

/** When something was done: the minute in which it was, so that it is never to come. @param ms  since 1970 */
export const pastTimeText = (ms: number): string => minuteText(Math.floor(ms / 60_000))

const minuteText = (minutes: number) => `${new Date(minutes * 60_000).toISOString().slice(0, 16).replace('T', ' ')} UTC`

/** `1 min 30 s`, `1 h 30 min`, `2 d`. */
export function spanText(seconds: number): string {
  const units = [
    ['d', 86_400],
    ['h', 3_600],
    ['min', 60],
    ['s', 1],
  ] as const
  const parts: string[] = []
  let left = seconds
  for (const [unit, size] of units) {
    if (left >= size && parts.length < 2) parts.push(`${Math.floor(left / size)} ${unit}`)
    left %= size
  }
  return parts.join(' ') || '0 s'
}

/** `45 s`, `12 min`, `3 h 5 min`, `2 d 4 h`. */
export function lengthText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 120) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 120) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`
  const days = Math.floor(hours / 24)
  return hours % 24 === 0 ? `${days} d` : `${days} d ${hours % 24} h`
}

const unitsMs: readonly (readonly [number, string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
]

/** `3 d`, `5 h`, `12 min`, `40 s`, `0 s`: never more than it is. */
export function shortLengthText(ms: number): string {
  const [unitMs, unit] = unitsMs.find(([each]) => ms >= each) ?? [1_000, 's']
  return `${Math.floor(Math.max(0, ms) / unitMs)} ${unit}`
}

/** `90 s`, `12 min`, `30 h`. @param seconds  a whole number */
export function roughSpanText(seconds: number): string {
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  return `${Math.round(seconds / 3600)} h`
}
