/** Whether there is room for one more message: the quotas of `../quota.ts`, with what is on its way to the disk counted in. For `queue.ts` beside. */

import type { FreeSpace } from '../../base/free-space.ts'
import type { IpAddress } from '../../base/ip.ts'
import type { Counters } from '../counters.ts'
import { shareBucket } from '../network-shares.ts'
import type { AskedRoom, HoldOutcome, NewHeld } from '../queue.ts'
import { crowdedFrom, domainLimit, freeLimit, type HoldLimits, heldCost, holdLimit, networkLimit } from '../quota.ts'

type WhyFull = Extract<HoldOutcome, { kind: 'full' }>['why']

export interface Admission {
  /** Takes room for the message, to be given back by `done`; or says why there is none. */
  admit(message: NewHeld): Promise<WhyFull | undefined>
  done(message: NewHeld): void
  /** Why there would be none, as far as is known now. */
  whyNot(asked: AskedRoom): WhyFull | undefined
  /** Octets that the hold may have in all. */
  readonly limit: number
}

export interface AdmissionDeps {
  limits(): HoldLimits
  readonly space: FreeSpace
  readonly counters: Pick<Counters, 'totals' | 'liveCost' | 'share'>
}

export function createAdmission({ limits, space, counters }: AdmissionDeps): Admission {
  const atStart = { freeBytes: space.freeBytes, heldBytes: counters.totals.cost }
  let pendingBytes = 0
  const pendingByDomain = new Map<string, number>()
  const pendingByBucket = new Map<number, number>()

  const limit = () => holdLimit(limits(), atStart.freeBytes, atStart.heldBytes)
  const isDiskShort = (size: number) => space.freeBytes - pendingBytes - size < freeLimit(limits(), space.totalBytes)

  /** @param client  of whose network the share is; undefined: it may have all that is the domain's */
  function whichQuota(size: number, domains: Iterable<string>, client: IpAddress | undefined): WhyFull | undefined {
    const { cost, keptCost } = counters.totals
    const most = limit()
    if (cost - keptCost + pendingBytes + size > most) return 'hold'
    for (const domain of domains) {
      const used = counters.liveCost(domain) + (pendingByDomain.get(domain) ?? 0)
      if (used + size > domainLimit(most)) return 'domain'
      if (client === undefined || used < crowdedFrom(most)) continue
      const bucket = shareBucket(domain, client)
      if (counters.share(bucket) + (pendingByBucket.get(bucket) ?? 0) + size > networkLimit(most)) return 'network'
    }
    return undefined
  }

  function pend(message: NewHeld, sign: 1 | -1): void {
    const change = sign * costOf(message)
    pendingBytes += change
    for (const domain of domainsOf(message)) {
      addTo(pendingByDomain, domain, change)
      if (message.client) addTo(pendingByBucket, shareBucket(domain, message.client.address), change)
    }
  }

  return {
    async admit(message) {
      space.refresh()
      // The last look may be of a moment ago: nobody is turned away for what is free again.
      if (isDiskShort(costOf(message))) {
        await space.look()
        if (isDiskShort(costOf(message))) return 'disk'
      }
      const why = whichQuota(costOf(message), domainsOf(message), sharerOf(message))
      if (why === undefined) pend(message, 1)
      return why
    },
    done: (message) => pend(message, -1),
    whyNot({ size, recipients, domains, client }) {
      space.refresh()
      const cost = heldCost(size, recipients)
      return isDiskShort(cost) ? 'disk' : whichQuota(cost, domains, client)
    },
    get limit() {
      return limit()
    },
  }
}

const costOf = ({ body, recipients }: NewHeld) => heldCost(body.size, recipients.length)
const domainsOf = (message: NewHeld) => new Set(message.recipients.map(({ recipient }) => recipient.domain ?? ''))

/** Whose network may have its share alone. */
const sharerOf = ({ client, isTrusted }: NewHeld): IpAddress | undefined => (isTrusted ? undefined : client?.address)

function addTo<Key>(pending: Map<Key, number>, key: Key, change: number): void {
  const sum = (pending.get(key) ?? 0) + change
  if (sum > 0) pending.set(key, sum)
  else pending.delete(key)
}
