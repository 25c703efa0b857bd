/**
 * One domain in a sentence or two: whether its mail arrives, and what it would take to stop that. Pure; every format opens with it. It says no
 * more than was tried: where SMTP was left out, nobody knows whether the servers take mail.
 */
import { isDeepStrictEqual } from 'node:util'
import { printable } from '../../base/printable.ts'
import type { Checked } from '../check-domain.ts'
import type { ExchangerAddress, Facts } from '../facts.ts'
import type { Outcome, Severity } from '../finding.ts'
import { isDead, type Reachability, reachabilityOf } from '../reachability.ts'
import { addressSubject, everyAddress, isNullMx } from '../read-facts.ts'
import type { RuleId } from '../rule-ids.ts'
import { pointName, singlePoints } from '../single-points.ts'

/**
 * - `arrives`: an exchanger answered over SMTP, and nothing was found by which mail is lost today
 * - `arrives-in-part`: for some senders it fails now
 * - `does-not-arrive`: for all of them
 * - `way-in-order`: as far as DNS tells; SMTP was not tried, or could not be
 * - `takes-no-mail`: a null MX says so (RFC 7505)
 * - `unknown`: the domain could not be examined
 */
export type State =
  | 'arrives'
  | 'arrives-in-part'
  | 'does-not-arrive'
  | 'way-in-order'
  | 'takes-no-mail'
  | 'no-such-domain'
  | 'unknown'

export interface Counts {
  readonly error: number
  readonly warning: number
  readonly notice: number
  readonly notChecked: number
}

export interface Summary {
  readonly state: State
  /** One machine, network or name server that fails would stop the mail; undefined where no rule that knows was asked. */
  readonly isOneFaultAway: boolean | undefined
  /** Whole sentences, safe to print. */
  readonly headline: string
  readonly counts: Counts
}

/** Findings of at least a warning by these say that one fault is enough. */
const fragile: readonly RuleId[] = [
  'single-exchanger',
  'single-point-of-failure',
  'exchangers-same-address',
  'exchangers-same-network',
  'ns-too-few',
]

/** Errors by these say that no sender finds where the mail goes. */
const fatal: readonly RuleId[] = ['domain-not-found', 'domain-lookup-fails', 'dnssec-bogus', 'no-mail-host']

/** @param asked  the rules that were asked, so that silence of others is not taken for good news */
export function summarize({ facts, outcomes }: Checked, asked: ReadonlySet<RuleId>): Summary {
  const counts = countOutcomes(outcomes)
  const state = stateOf(facts, outcomes)
  const isDelivered = state === 'arrives' || state === 'arrives-in-part' || state === 'way-in-order'
  const isAsked = isDelivered && fragile.some((id) => asked.has(id))
  const fragility = isAsked ? fragilityOf(facts, outcomes) : undefined
  const headline = headlineOf(facts, state, fragility, counts)
  return { state, isOneFaultAway: isAsked ? fragility !== undefined : undefined, headline, counts }
}

/**
 * What one fault would take everything away: nothing to say where a warning below says it, else the name of what fails; undefined: none.
 * A provider that fails is mostly back before mail is lost; a machine or a network that fails waits for its owner.
 */
function fragilityOf(facts: Facts, outcomes: readonly Outcome[]): string | undefined {
  if (outcomes.some((one) => one.kind === 'finding' && one.severity !== 'notice' && fragile.includes(one.id))) return ''
  const point = singlePoints(facts).find(
    ({ kind, delivered }) => delivered === 'none' && (kind === 'host' || kind === 'network'),
  )
  return point && `: ${printable(pointName(point), 200)} is all that is left`
}

export function countOutcomes(outcomes: readonly Outcome[]): Counts {
  const of = (severity: Severity) =>
    outcomes.filter((one) => one.kind === 'finding' && one.severity === severity).length
  return {
    error: of('error'),
    warning: of('warning'),
    notice: of('notice'),
    notChecked: outcomes.filter(({ kind }) => kind === 'not-checked').length,
  }
}

function stateOf(facts: Facts, outcomes: readonly Outcome[]): State {
  const { mx } = facts
  const errors = outcomes.flatMap((one) => (one.kind === 'finding' && one.severity === 'error' ? [one.id] : []))
  if (mx.kind === 'no-such-name') return 'no-such-domain'
  const isLost = errors.some((id) => fatal.includes(id))
  // A look-up that failed here and that no rule holds against the domain is our own trouble.
  if (mx.kind === 'not-examined' || (mx.kind === 'failed' && !isLost)) return 'unknown'
  if (isNullMx(facts)) return 'takes-no-mail'
  if (isLost) return 'does-not-arrive'
  const addresses = everyAddress(facts)
  // What the resolver of this machine alone shows as such is not among them.
  const notPublic = outcomes.flatMap((one) =>
    one.kind === 'finding' && one.id === 'address-not-public' ? [one.subject] : [],
  )
  const hasUnknownAddresses = facts.exchangers.some(({ a, aaaa }) => isUnknown(a) || isUnknown(aaaa))
  if (addresses.length === 0) return hasUnknownAddresses ? 'unknown' : 'does-not-arrive'
  const reached = addresses.map(({ at }) => reachabilityOf(at, facts))
  const isClosed = addresses.map(({ exchanger, at }, index) => {
    const subject = addressSubject(exchanger, at.address)
    return isDead(reached[index] ?? noWord) || notPublic.some((one) => isDeepStrictEqual(one, subject))
  })
  if (!hasUnknownAddresses && isClosed.every(Boolean)) return 'does-not-arrive'
  if (isUngreeted(facts)) {
    const takesNone = addresses.every(({ at }, index) => isClosed[index] || isGarbled(at))
    return !hasUnknownAddresses && takesNone ? 'does-not-arrive' : 'unknown'
  }
  if (errors.length > 0) return 'arrives-in-part'
  return reached.some(({ kind }) => kind === 'answers') ? 'arrives' : 'way-in-order'
}

const noWord: Reachability = { kind: 'unknown', reason: 'no-answer', why: '' }

/** Some took a connection, and none of them greeted as one that takes mail (RFC 5321 §4.3.1). */
function isUngreeted(facts: Facts): boolean {
  const sessions = everyAddress(facts).flatMap(({ at }) => (at.smtp.kind === 'probed' ? at.smtp.sessions : []))
  return (
    sessions.some(({ connect }) => connect.kind === 'connected') &&
    !sessions.some(({ greeting }) => greeting.kind === 'reply' && greeting.reply.code === 220)
  )
}

/** What stands there speaks no SMTP to anybody. A refusal or a hang-up may be meant for us alone. */
const isGarbled = ({ smtp }: ExchangerAddress) =>
  smtp.kind === 'probed' &&
  smtp.sessions.some(({ greeting }) => greeting.kind === 'failed' && greeting.fault.kind === 'garbage')

const isUnknown = ({ kind }: { readonly kind: string }) => kind === 'failed' || kind === 'not-examined'

function headlineOf(facts: Facts, state: State, fragility: string | undefined, counts: Counts): string {
  const { domain } = facts
  const { warning, notice } = counts
  const worries =
    warning > 0 ? ` ${counted(warning, 'warning')}.` : notice > 0 ? ` ${counted(notice, 'thing')} to notice.` : ''
  const more = fragility === undefined ? worries : ` One fault away from failing${fragility}.`
  switch (state) {
    case 'arrives':
      return `Mail for ${domain} arrives.${more || (counts.notChecked > 0 ? '' : ' Everything is in order.')}`
    case 'arrives-in-part':
      return `Mail for ${domain} fails for some senders now.${fragility === undefined ? '' : ` And it is one fault away from failing for all${fragility}.`}`
    case 'does-not-arrive':
      return `Mail for ${domain} does not arrive.`
    case 'way-in-order':
      return `Senders find where mail for ${domain} goes; whether the servers take it was not seen.${more}`
    case 'takes-no-mail':
      return `${domain} takes no mail, and says so.${counts.error > 0 ? ` ${counted(counts.error, 'error')}.` : worries}`
    case 'no-such-domain':
      return `${domain} does not exist, so no mail for it arrives.`
    case 'unknown':
      return `It could not be told whether mail for ${domain} arrives${whyUnknown(facts)}.`
  }
}

function whyUnknown(facts: Facts): string {
  const { mx } = facts
  if (mx.kind === 'failed') return `: the look-up of its MX records failed (${mx.why})`
  if (mx.kind === 'not-examined') return `: ${mx.why.replace(/\.$/, '')}`
  return isUngreeted(facts)
    ? ': no exchanger that took a connection greeted as one that takes mail'
    : ': the addresses of its exchangers are not known'
}

/** `1 warning`, `2 warnings`. */
export const counted = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`
