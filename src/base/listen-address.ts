/** Reads where something listens, as it stands in waypost.yaml. Used by the options of rooms that listen. */
import { isIP } from 'node:net'
import { type IpAddress, parseIp } from './ip.ts'
import type { Read } from './option.ts'

export interface ListenAddress {
  readonly address: IpAddress
  readonly port: number
}

const highestPort = 65535

/** Reads `0.0.0.0:25` or `[::]:25`. */
export function readListenAddress(input: string): Read<ListenAddress> {
  const parts = /^(?:\[([^[\]]*)\]|([^:[\]]*)):(\d+)$/.exec(input)
  if (!parts) {
    if (isIP(input) !== 0) return { kind: 'no', why: 'has no port' }
    if (/^\d+$/.test(input))
      return Number(input) > highestPort
        ? { kind: 'no', why: 'is a number alone, and above 65535, the highest port' }
        : {
            kind: 'no',
            why: `is a port alone: write "0.0.0.0:${input}", or "127.0.0.1:${input}" for this machine alone`,
          }
    return { kind: 'no', why: isIP(input.replace(/:\d+$/, '')) === 6 ? 'wants "[" and "]" around the address' : '' }
  }
  const address = parseIp(parts[1] ?? parts[2] ?? '')
  const port = Number(parts[3])
  if (address === undefined) return { kind: 'no', why: 'has no IP address before the port' }
  if (port > highestPort) return { kind: 'no', why: 'has a port above 65535' }
  return { kind: 'value', value: { address, port } }
}
