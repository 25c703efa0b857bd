/** By which name and port a link calls the dashboard: one that its certificate is likely to have, where the name leads there. Pure, for `web.ts`. */
import type { ListenAddress } from '../../base/listen-address.ts'
import { isLoopback } from '../../base/loopback.ts'
import { hostText } from './guard.ts'

/** @param name  the first of `web.hosts`, with or without a port */
export function calledBy({ address, port }: ListenAddress, name: string | undefined): string {
  // The name leads to another place than this machine's own: through a proxy, maybe, at a port that is not ours.
  if (isLoopback(address)) return `${hostText(address)}:${port}`
  if (name !== undefined) return /:\d+$/.test(name) ? name : `${name}:${port}`
  const isEverywhere = address === '0.0.0.0' || address === '::'
  return `${isEverywhere ? 'localhost' : hostText(address)}:${port}`
}
