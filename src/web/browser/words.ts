/** Numbers, times and sizes as people read them. */

/** `1,234`, and below ten `1.5`. By hand: the first number by a locale costs a browser more than a whole page of them. @param value  not negative */
export const number = (value: number): string =>
  value < 10 ? String(Math.round(value * 10) / 10) : String(Math.round(value)).replace(/\B(?=(?:\d{3})+$)/g, ',')

export const count = (value: number, what: string): string => `${number(value)} ${what}${value === 1 ? '' : 's'}`

export function size(octets: number): string {
  if (octets < 1024) return `${octets} B`
  const units = ['KiB', 'MiB', 'GiB', 'TiB']
  let value = octets
  let unit = 'B'
  for (const next of units) {
    if (value < 1024) break
    value /= 1024
    unit = next
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`
}

/** `3 s`, `12 min`, `5 h`, `3 days` */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 90) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 90) return `${minutes} min`
  const hours = Math.round(minutes / 60)
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`
}

export const ago = (atMs: number, nowMs = Date.now()): string =>
  nowMs - atMs < 2_000 ? 'just now' : `${duration(nowMs - atMs)} ago`

/** `in 5 min`, `now`, `overdue` is never said: what is due waits for its turn. */
export const until = (atMs: number, nowMs = Date.now()): string =>
  atMs - nowMs < 1_000 ? 'now' : `in ${duration(atMs - nowMs)}`

const two = (value: number) => String(value).padStart(2, '0')

/** `2026-11-30`, by the reader's own clock, as all below: the log and the command line say UTC. */
export function day(atMs: number): string {
  const at = new Date(atMs)
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
}

/** `23:41` */
export function minuteOfDay(atMs: number): string {
  const at = new Date(atMs)
  return `${two(at.getHours())}:${two(at.getMinutes())}`
}

/** `23:41:29` */
export const timeOfDay = (atMs: number): string => `${minuteOfDay(atMs)}:${two(new Date(atMs).getSeconds())}`

/** `2026-11-30 23:41:29 GMT+1`: one form for everybody, which sorts and is the log's. */
export const moment = (atMs: number): string => `${day(atMs)} ${timeOfDay(atMs)} ${zone(atMs)}`

/** The same with UTC beside it, for who points at it. */
export const momentAndUtc = (atMs: number): string =>
  `${moment(atMs)} = ${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`

let zoneFormat: Intl.DateTimeFormat | undefined

/** The zone of the reader's clock at that moment: `GMT+1`. */
export function zone(atMs: number): string {
  // Each one that is made costs more than a hundred that are written with it.
  zoneFormat ??= new Intl.DateTimeFormat(undefined, { timeZoneName: 'short' })
  return zoneFormat.formatToParts(atMs).find(({ type }) => type === 'timeZoneName')?.value ?? ''
}

/** The time of an element that a program can read too. */
export const machineTime = (atMs: number): string => new Date(atMs).toISOString()
