/** Whether there is room for one more message: the quotas of `../quota.ts`, with what is on its way to the disk counted in. For `queue.ts` beside. */
import type { FreeSpace } from '../../store/file-system.ts'
import type { Counters } from '../counters.ts'
import type { AskedRoom, HoldOutcome, NewHeld } from '../queue.ts'
import { domainLimit, freeLimit, type HoldLimits, heldCost, holdLimit } from '../quota.ts'

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
  readonly counters: Pick<Counters, 'totals' | 'liveCost'>
}

export function createAdmission({ limits, space, counters }: AdmissionDeps): Admission {
  const atStart = { freeBytes: space.freeBytes, heldBytes: counters.totals.cost }
  let pendingBytes = 0
  const pendingByDomain = new Map<string, number>()

  const limit = () => holdLimit(limits(), atStart.freeBytes, atStart.heldBytes)
  const isDiskShort = (size: number) => space.freeBytes - pendingBytes - size < freeLimit(limits(), space.totalBytes)

  function whichQuota(size: number, domains: Iterable<string>): WhyFull | undefined {
    const { cost, keptCost } = counters.totals
    const most = limit()
    if (cost - keptCost + pendingBytes + size > most) return 'hold'
    for (const domain of domains) {
      const used = counters.liveCost(domain) + (pendingByDomain.get(domain) ?? 0)
      if (used + size > domainLimit(most)) return 'domain'
    }
    return undefined
  }

  function pend(message: NewHeld, sign: 1 | -1): void {
    const change = sign * costOf(message)
    pendingBytes += change
    for (const domain of domainsOf(message)) {
      const pending = (pendingByDomain.get(domain) ?? 0) + change
      if (pending > 0) pendingByDomain.set(domain, pending)
      else pendingByDomain.delete(domain)
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
      const why = whichQuota(costOf(message), domainsOf(message))
      if (why === undefined) pend(message, 1)
      return why
    },
    done: (message) => pend(message, -1),
    whyNot({ size, recipients, domains }) {
      space.refresh()
      const cost = heldCost(size, recipients)
      return isDiskShort(cost) ? 'disk' : whichQuota(cost, domains)
    },
    get limit() {
      return limit()
    },
  }
}

const costOf = ({ body, recipients }: NewHeld) => heldCost(body.size, recipients.length)
const domainsOf = (message: NewHeld) => new Set(message.recipients.map(({ recipient }) => recipient.domain ?? ''))
