/** Moments and spans as people read them, in UTC. */

/** When something ends or may be done: RFC 3339, to the minute, and never too early. @param ms  since 1970 */
export const timeText = (ms: number): string => minuteText(Math.ceil(ms / 60_000))

/** When something was done: the minute in which it was, so that it is never to come. @param ms  since 1970 */
export const pastTimeText = (ms: number): string => minuteText(Math.floor(ms / 60_000))

const minuteText = (minutes: number) => `${new Date(minutes * 60_000).toISOString().slice(0, 16).replace('T', ' ')} UTC`

/** `90 s`, `1 h 30 min`, `2 d`. */
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
