/**
 * Serial numbers of zones: which of two is newer (RFC 1982), and which one comes next in the manner in which the zone has counted so far.
 * Used by whoever changes a zone.
 */

/** How a zone counts: `2026112401`, seconds since 1970, or one by one. */
export type SerialStyle = 'date' | 'time' | 'count'

const half = 2 ** 31

/** RFC 1982 §3.2. Not for serials that are 2^31 apart: neither is newer than the other. */
export function isNewerSerial(serial: number, than: number): boolean {
  const distance = (serial - than) >>> 0
  return distance > 0 && distance < half
}

/** @param nowMs  since 1970 */
export function serialStyle(serial: number, nowMs: number): SerialStyle {
  if (isDate(Math.floor(serial / 100))) return 'date'
  // From 2001 on; what lies in the future was not made by a clock.
  return serial >= 1_000_000_000 && serial <= nowMs / 1000 + 86_400 ? 'time' : 'count'
}

export type NextSerial =
  | { readonly kind: 'serial'; readonly serial: number; readonly style: SerialStyle }
  | { readonly kind: 'stuck'; readonly why: string }

/**
 * The serial behind this one, newer by RFC 1982 and never 0, which some secondaries take for "none yet".
 * @param current  in the zone as it is kept, 0 to 2^32 − 1
 * @param nowMs  since 1970, for the styles that tell the time, in UTC
 * @param live  what the authoritative servers answer with, where that is known: the next one is newer than it, too
 */
export function nextSerial(current: number, nowMs: number, live = current): NextSerial {
  const style = serialStyle(current, nowMs)
  const byClock = style === 'date' ? dateSerial(nowMs) : style === 'time' ? Math.floor(nowMs / 1000) : current
  const newest = isNewerSerial(live, current) ? live : current
  const serial = isNewerSerial(byClock, newest) ? byClock : (newest + 1) % 2 ** 32 || 1
  if (isNewerSerial(serial, current) && isNewerSerial(serial, live)) return { kind: 'serial', serial, style }
  return {
    kind: 'stuck',
    why:
      `no serial is newer than both ${current} (in the zone) and ${live} (at the servers) by RFC 1982; ` +
      `set the zone's to ${(live + 1) % 2 ** 32 || 1} by hand`,
  }
}

/** `2026112400` of the day in UTC. */
export function dateSerial(nowMs: number): number {
  return Number(new Date(nowMs).toISOString().slice(0, 10).replaceAll('-', '')) * 100
}

/** Whether the number reads as the YYYYMMDD of a day that a zone's editor can have meant. */
function isDate(number: number): boolean {
  const [year, month, day] = [Math.floor(number / 10_000), Math.floor(number / 100) % 100, number % 100]
  if (year < 1987 || year > 2199 || month < 1 || month > 12) return false
  return day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate()
}
