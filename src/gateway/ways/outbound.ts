/**
 * Where mail of our own goes: a notification to a declared domain takes its route, one to any other goes to `outbound.via` or to the exchangers
 * of the domain, and what would come back to us goes to `postmaster:` (`endpoints`). Filed under lanes of its own, which name the domain; what
 * they lead to follows the configuration. Used by `notices` and `drain`.
 */
import type { HostName } from '../../dns/name.ts'
import type { Mailbox } from '../../mail/address.ts'
import type { Lane } from '../../queue/queue.ts'
import type { Route } from '../../routing/backend.ts'
import { neverHold } from '../../routing/hold-policy.ts'
import { createBackend, defaultBackendOptions } from '../../routing/parse-backend.ts'
import type { GatewaySettings } from '../settings.ts'
import { type Way, wayOf, wayOfDomain } from './lanes.ts'

/** No route has this name (`config/whole`). */
const prefix = 'outbound '

type Where = Pick<GatewaySettings, 'destinations' | 'postmaster' | 'outbound'>

/** Whether mail of our own to a domain that was none of ours when it was written is filed here. */
export const isOutbound = (lane: Lane): boolean => lane.startsWith(prefix)

/** @returns undefined where there is no way to the recipient: a literal without `outbound.via` */
export function ownMailLane(recipient: Mailbox, { destinations, postmaster, outbound }: Where): Lane | undefined {
  // A notice goes where its sender says: what no sender could reach through us, our own mail does not reach either.
  const { kind } = destinations.find(recipient)
  if (kind === 'relay-syntax' || kind === 'unknown-recipient') return undefined
  const declared = wayOf(recipient, destinations, postmaster)
  if (declared) return declared.lane
  return recipient.domain !== undefined || outbound.via ? outboundLane(recipient) : undefined
}

/** The same of a domain that is none of ours, before anybody has looked whether it leads anywhere. */
export function outboundLane({ domain, literal }: Mailbox): Lane | undefined {
  if (domain !== undefined) return `${prefix}${domain}` as Lane
  return literal === undefined ? undefined : (`${prefix}[${literal}]` as Lane)
}

/** Where such a lane leads today, or undefined where nowhere. */
export function outboundWay(lane: Lane, { destinations, postmaster, outbound }: Where): Way | undefined {
  const name = lane.slice(prefix.length)
  const policy = neverHold
  if (name.startsWith('[')) return outbound.via && { lane, route: outbound.via, domain: undefined, policy }
  const domain = name as HostName
  // It may have become ours since.
  const declared = wayOfDomain(domain, destinations, postmaster)
  if (declared) return { ...declared, lane }
  return { lane, route: outbound.via ?? exchangersOf(domain), domain, policy }
}

/** A stranger's exchangers: at public addresses only, by the door's `dsn`. */
function exchangersOf(domain: HostName): Route {
  const made = createBackend(
    { protocol: 'mx', domain, isForOwnMail: true },
    { ...defaultBackendOptions, connections: 2 },
  )
  const backend = { ...made, key: `${prefix}${made.key}` }
  return {
    id: prefix.trim(),
    entries: [{ backend, preference: 10, weight: 1 }],
    balance: 'round-robin',
    onDefer: 'pass',
  }
}
