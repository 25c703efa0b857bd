/** Times on the command line: `30s`, `10m`, `1h`. For the commands that publish. */
import { InvalidArgumentError } from 'commander'

/** @returns milliseconds */
export function waitTime(text: string): number {
  const parts = /^(\d{1,5})(s|m|h)$/.exec(text)
  if (!parts) throw new InvalidArgumentError('It must be a time such as 30s, 10m or 1h.')
  return Number(parts[1]) * { s: 1_000, m: 60_000, h: 3_600_000 }[parts[2] as 's' | 'm' | 'h']
}

/** A TTL. @returns seconds */
export const seconds = (text: string): number => Math.max(1, waitTime(text) / 1000)
