/**
 * What a plan would do to mail, judged: a change that would hurt is refused by a rule with a name, which a person may allow; the rest is worth
 * a word. Pure; called by `examine.ts` with the plan and what `prospect.ts` found. Not checked is not "does not work": it is told, and stops
 * nothing. No counts and no percentages: two MX records of three hundred can be all the mail there is.
 */
import { printable } from '../../base/printable.ts'
import { comingTimeText, spanText } from '../../base/time-text.ts'
import { type HostName, withoutDoubledOrigin } from '../../dns/name.ts'
import { typeCodes } from '../../dns/types.ts'
import { hostFromName } from '../../dns/wire-name.ts'
import { isCoveredBySts } from '../../records/mta-sts.ts'
import { sameContent, sameRecords, setText } from '../sets/record-set.ts'
import type { ExchangerProspect } from './ask-exchangers.ts'
import type { PlannedSet, ZonePlan } from './plan.ts'
import { changesTheWay, hostsOf, type Prospect } from './prospect.ts'

/** The rules that refuse; `--allow` takes their names. */
export const refusals = {
  'no-exchanger': 'a domain that takes mail is left without MX records',
  'null-mx': 'a null MX takes the place of exchangers',
  'no-working-exchanger': 'none of the exchangers would work',
  'ttl-wait': 'the exchangers are exchanged while caches still hold records with the TTL of before',
  'mta-sts': 'a new exchanger is not in the MTA-STS policy that senders enforce',
  unproven: 'whether new exchangers take mail could not be checked, and old ones would go',
} as const

export type RefusalRule = keyof typeof refusals

export const refusalRules = Object.keys(refusals) as RefusalRule[]

export type WarningRule =
  /** They do not, and nothing of this plan is why. */
  | 'no-working-exchanger'
  | 'exchanger-unresolved'
  | 'exchanger-alias'
  | 'exchanger-silent'
  | 'exchanger-refuses'
  | 'doubled-name'
  | 'old-ttl'
  | 'mta-sts-testing'
  | 'not-checked'

export type Concern = Refusal | Warning

/** It is not done, unless its rule is allowed. */
export interface Refusal extends ConcernWords {
  readonly severity: 'refuse'
  readonly rule: RefusalRule
}

/** Worth a word, and done. */
export interface Warning extends ConcernWords {
  readonly severity: 'warn'
  readonly rule: WarningRule
}

interface ConcernWords {
  readonly domain: HostName
  /** Printable, as all words of a concern are. */
  readonly why: string
  readonly remedy: string
}

export interface Circumstances {
  readonly prospects: readonly Prospect[]
  /** Until when caches may hold this set as it was before an earlier change of ours, since 1970. */
  readonly cachedUntilMs: (set: PlannedSet) => number | undefined
  /** Why that cannot be told of every set; undefined: it can. */
  readonly cachedUnread: string | undefined
  /** Since 1970. */
  readonly nowMs: number
}

/** Longer than this, and the old records are worth a word (seconds). */
const longTtlSeconds = 3_600

export function consequences(plan: ZonePlan, circumstances: Circumstances): Concern[] {
  const exchangers = plan.sets.filter((set) => set.code === typeCodes.MX && set.domains.length > 0)
  return exchangers.flatMap((set) => {
    const domain = hostFromName(set.name)
    if (domain === undefined) return []
    const prospect = circumstances.prospects.find((each) => each.domain === domain)
    return [
      ...(sameContent(set.before, set.after) ? [] : ofChange(set, domain, circumstances)),
      ...(prospect ? ofProspect(prospect, leadsElsewhere(set, plan)) : []),
    ]
  })
}

function ofChange(set: PlannedSet, domain: HostName, circumstances: Circumstances): Concern[] {
  const { cachedUntilMs, cachedUnread, nowMs } = circumstances
  const { before, after } = set
  const old = hostsOf(before)
  const next = hostsOf(after)
  const refuse = (rule: RefusalRule, why: string, remedy: string): Concern[] => [
    { severity: 'refuse', rule, domain, why, remedy },
  ]
  const warn = (rule: WarningRule, why: string, remedy: string): Concern[] => [
    { severity: 'warn', rule, domain, why, remedy },
  ]
  if (old.length > 0 && after === undefined)
    return refuse(
      'no-exchanger',
      `${domain} would have no MX records: its mail would go to the address of ${domain} itself, if that has one (RFC 5321 §5.1)`,
      'Declare its exchangers, or "exchangers: none" where it shall take no mail.',
    )
  if (old.length > 0 && next.length === 0)
    return refuse(
      'null-mx',
      `${domain} takes mail at ${old.join(', ')} and would take none: every sender would bounce at once (RFC 7505)`,
      'Declare its exchangers, if it takes mail.',
    )
  if (!before || sameRecords(before.data, after?.data ?? [])) return []
  const cached = cachedUntilMs(set)
  const isCut = old.length > 0 && !old.some((host) => next.includes(host))
  // Within the TTL that it has now, going back and forth is as safe as it was.
  if (isCut && cached !== undefined && cached > nowMs + before.ttlSeconds * 1000)
    return refuse(
      'ttl-wait',
      `caches may hold ${setText(set)} with its longer TTL of before until ${comingTimeText(cached)}, so that a lowered one helps nobody yet`,
      `Apply this at ${comingTimeText(cached)} or later.`,
    )
  if (isCut && cachedUnread !== undefined)
    return warn(
      'not-checked',
      `whether caches still hold ${setText(set)} with a longer TTL of before is not known: ${printable(cachedUnread, 300)}`,
      'Plan as the user to whom the state folder belongs; "ttl-wait" is not looked at otherwise.',
    )
  if (before.ttlSeconds <= longTtlSeconds || old.length === 0) return []
  return warn(
    'old-ttl',
    `senders may go on to use ${old.filter((host) => !next.includes(host)).join(', ') || 'the old preferences'} for ${spanText(before.ttlSeconds)}, the TTL that the old records have`,
    'Keep the old exchangers working so long, or lower the TTL first and wait.',
  )
}

/** Another TTL alone makes nothing worse than it is, and is what people want while their exchangers are down. */
const leadsElsewhere = (set: PlannedSet, plan: ZonePlan): boolean =>
  changesTheWay(set, plan, (before, after) => sameRecords(before?.data ?? [], after?.data ?? []))

function ofProspect({ domain, exchangers, policy }: Prospect, isElsewhere: boolean): Concern[] {
  const each = exchangers.flatMap((exchanger) => ofExchanger(domain, exchanger))
  const uncovered =
    policy.kind === 'policy'
      ? exchangers.filter(({ host, isNew }) => isNew && !isCoveredBySts(policy.policy, host)).map(({ host }) => host)
      : []
  return [...each, ...ofAll(domain, exchangers, isElsewhere), ...ofPolicy(domain, policy, uncovered)]
}

function ofExchanger(domain: HostName, { host, addresses, smtp }: ExchangerProspect): Concern[] {
  // Why it could not be asked is said of its addresses where it has none.
  const isSaid = smtp.kind === 'not-checked' && addresses.kind !== 'addresses'
  const found = [ofName(domain, host), ofAddresses(host, addresses), isSaid ? undefined : ofSession(domain, host, smtp)]
  return found
    .filter((each) => each !== undefined)
    .map(([rule, why, remedy]) => ({ severity: 'warn', rule, domain, why, remedy }))
}

type Doubt = readonly [rule: WarningRule, why: string, remedy: string]

function ofName(domain: HostName, host: HostName): Doubt | undefined {
  const undoubled = withoutDoubledOrigin(host, domain)
  if (undoubled === undefined) return undefined
  return ['doubled-name', `${host} ends in ${domain} twice`, `Write the host as it is, such as ${undoubled}.`]
}

function ofAddresses(host: HostName, addresses: ExchangerProspect['addresses']): Doubt | undefined {
  switch (addresses.kind) {
    case 'none':
      return [
        'exchanger-unresolved',
        `${host} does not resolve: ${addresses.why}`,
        'Give it an address ("addresses:"), or mend its name.',
      ]
    case 'not-checked':
      return [
        'not-checked',
        `${host} could not be looked up: ${printable(addresses.why, 200)}`,
        'Look at the resolver that is asked.',
      ]
    case 'addresses':
      if (addresses.alias === undefined) return undefined
      return [
        'exchanger-alias',
        `${host} is an alias of ${addresses.alias}, which an exchanger must not be (RFC 2181 §10.3)`,
        `Name ${addresses.alias} itself.`,
      ]
  }
}

function ofSession(domain: HostName, host: HostName, smtp: ExchangerProspect['smtp']): Doubt | undefined {
  switch (smtp.kind) {
    case 'takes':
    case 'not-wanted':
      return undefined
    case 'silent':
      return ['exchanger-silent', `${host} answers no SMTP: ${smtp.why}`, 'Have it run before mail is led there.']
    case 'refuses':
      return [
        'exchanger-refuses',
        `${host} takes no mail for ${domain}: ${printable(smtp.reply, 200)}`,
        'Add the domain there first.',
      ]
    case 'not-checked':
      return [
        'not-checked',
        `whether ${host} takes mail was not checked: ${printable(smtp.why, 200)}`,
        'This is no fault. Where its address is private, --private asks it; where port 25 is closed from here, plan from elsewhere.',
      ]
  }
}

function ofAll(domain: HostName, exchangers: readonly ExchangerProspect[], isElsewhere: boolean): Concern[] {
  if (exchangers.length === 0 || !exchangers.every(isDead)) return []
  // Nobody was asked whether they work where none has an address to ask.
  const isUnresolved = exchangers.every(({ addresses }) => addresses.kind === 'none')
  const why =
    exchangers.length === 1
      ? `the only exchanger of ${domain} does not ${isUnresolved ? 'resolve' : 'work'}`
      : `none of the ${exchangers.length} exchangers of ${domain} ${isUnresolved ? 'resolves' : 'works'}`
  const rule = 'no-working-exchanger'
  const remedy = 'Mend what is said of each above, and plan again.'
  return [{ severity: isElsewhere ? 'refuse' : 'warn', rule, domain, why, remedy }]
}

const isDead = ({ addresses, smtp }: ExchangerProspect) =>
  addresses.kind === 'none' || smtp.kind === 'silent' || smtp.kind === 'refuses'

function ofPolicy(domain: HostName, policy: Prospect['policy'], uncovered: readonly HostName[]): Concern[] {
  if (policy.kind === 'not-checked')
    return [
      {
        ...{ severity: 'warn', rule: 'not-checked', domain },
        why: `${domain} announces an MTA-STS policy, which could not be read: ${printable(policy.why, 200)}`,
        remedy: 'Senders may have kept it: make sure that it lists the new exchangers.',
      },
    ]
  if (policy.kind === 'none' || uncovered.length === 0 || policy.policy.mode === 'none') return []
  const enforced = policy.policy.mode === 'enforce'
  return [
    {
      ...(enforced
        ? ({ severity: 'refuse', rule: 'mta-sts' } as const)
        : ({ severity: 'warn', rule: 'mta-sts-testing' } as const)),
      domain,
      why: `the MTA-STS policy of ${domain} does not list ${uncovered.join(', ')}: senders that keep it ${enforced ? 'would not deliver there' : 'would report it'} (RFC 8461 §5)`,
      remedy: 'Publish a policy that lists old and new exchangers and a new id, wait a day, and apply then.',
    },
  ]
}
