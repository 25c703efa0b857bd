/**
 * Reading SMTP sessions: what the rules about exchangers' behaviour, TLS and DANE ask of them. What was not said, was told to wait or broke off
 * is told as not checked here, in one place, so that no rule takes it for a fault. Pure.
 */
import { parseIp } from '../base/ip.ts'
import { printable } from '../base/printable.ts'
import { type HostName, isHostName, parseName } from '../dns/name.ts'
import { isPermanent, isPositive, isTransient, type Reply } from '../mail/reply.ts'
import {
  type AskedRecipient,
  type ExtraHandshake,
  type Handshake,
  keywordsOf,
  lastHello,
  type NotSaid,
  type ProbedSession,
  type RecipientPurpose,
  type Said,
} from '../smtp/probe-facts.ts'
import type { ExchangerAddress, ExchangerFacts, Facts, SmtpFacts } from './facts.ts'
import { type Subject, type Undecided, type UndecidedReason, undecided, type Verdict } from './finding.ts'
import { addressSubject, domainSubject, everyAddress, plainName } from './read-facts.ts'

/** One address that was connected to. */
export interface Visit {
  readonly exchanger: ExchangerFacts
  readonly at: ExchangerAddress
  readonly subject: Subject
  /** `mx1.example.com (192.0.2.1)` */
  readonly who: string
  readonly smtp: Extract<SmtpFacts, { kind: 'probed' }>
  /** The session that tells most. */
  readonly session: ProbedSession
}

/** Every address that was connected to. */
export function visitsOf(facts: Facts): readonly Visit[] {
  return everyAddress(facts).flatMap(({ exchanger, at }) => visitOf(exchanger, at) ?? [])
}

function visitOf(exchanger: ExchangerFacts, at: ExchangerAddress): Visit | undefined {
  const { smtp, address } = at
  if (smtp.kind !== 'probed') return undefined
  const session = sessionThatCounts(smtp)
  if (session.connect.kind !== 'connected') return undefined
  const who = `${plainName(exchanger.name)} (${address})`
  return { exchanger, at, subject: addressSubject(exchanger, address), who, smtp, session }
}

/** A later session was held because the first was told to wait: it counts, unless it got less far. */
export function sessionThatCounts({ sessions }: Visit['smtp']): ProbedSession {
  const greeted = sessions.findLast(({ greeting }) => greeting.kind === 'reply' && !isTransient(greeting.reply))
  const connected = sessions.findLast(({ connect }) => connect.kind === 'connected')
  return greeted ?? connected ?? sessions.at(-1) ?? sessions[0]
}

/** RFC 5321 §4.2, §4.1.1.1: where a greeting and the answer to EHLO have the server's own name. Empty where nothing was said. */
export const ownWordIn = (said: Said): string =>
  said.kind === 'reply' ? (said.reply.text[0]?.split(/\s/)[0] ?? '') : ''

/** The host name that such a word is; undefined where it is none. */
export function ownNameIn(word: string): HostName | undefined {
  const parsed = /^[\x21-\x7e]{1,255}$/.test(word) ? parseName(word) : undefined
  return parsed?.kind === 'name' && isHostName(parsed.name) && !parseIp(parsed.name) ? parsed.name : undefined
}

/** Asks `examine` of each address with a connection; why there was none is told by whoever asked, once where it is the same everywhere. */
export function overVisits(facts: Facts, examine: (visit: Visit) => readonly Verdict[]): readonly Verdict[] {
  const verdicts = everyAddress(facts).map(({ exchanger, at }): readonly Verdict[] => {
    const visit = visitOf(exchanger, at)
    return visit ? examine(visit) : whyNoVisit(exchanger, at)
  })
  return onceForAll(facts, verdicts).map((verdict) =>
    verdict.kind === 'undecided' && verdict.why === noConnection
      ? { ...verdict, why: `There was no connection to ${placesOf(facts, verdict.subject)}.` }
      : verdict,
  )
}

const noConnection = 'There was no connection.'
const mostNamed = 3

/** The hosts that a subject stands for: one address, or those of all where it is the domain. */
function placesOf(facts: Facts, subject: Subject): string {
  const all = everyAddress(facts).filter(({ exchanger, at }) => {
    const one = addressSubject(exchanger, at.address)
    return (
      subject.kind !== 'address' ||
      (one.kind === 'address' && one.exchanger === subject.exchanger && one.address === subject.address)
    )
  })
  const named = all.slice(0, mostNamed).map(({ exchanger, at }) => `${plainName(exchanger.name)} (${at.address})`)
  return [...named, ...(all.length > mostNamed ? [`${all.length - mostNamed} more`] : [])].join(', ')
}

/** One verdict about the domain in place of the same "not checked" for every address. */
export function onceForAll(facts: Facts, verdicts: readonly (readonly Verdict[])[]): readonly Verdict[] {
  const [first, ...others] = verdicts.flat()
  if (first?.kind !== 'undecided' || others.length === 0 || others.length + 1 < verdicts.length) return verdicts.flat()
  const isSame = others.every(
    (other) => other.kind === 'undecided' && other.reason === first.reason && other.why === first.why,
  )
  return isSame ? [{ ...first, subject: domainSubject(facts) }] : verdicts.flat()
}

/** That it is our own way out which is broken has become "not examined" before (`collect/own-faults.ts`). */
function whyNoVisit(exchanger: ExchangerFacts, { address, smtp }: ExchangerAddress): readonly Undecided[] {
  const subject = addressSubject(exchanger, address)
  if (smtp.kind === 'not-examined') return smtp.reason === 'not-applicable' ? [] : [undecided(subject, smtp)]
  const { connect } = sessionThatCounts(smtp)
  if (connect.kind === 'forbidden') return [{ kind: 'undecided', subject, reason: 'not-public', why: connect.why }]
  if (connect.kind === 'not-said') return [undecidedSaid(subject, connect)]
  return [{ kind: 'undecided', subject, reason: 'no-answer', why: noConnection }]
}

/** Why what somebody said, or did not say, decides nothing. 4yz is a request for patience (RFC 5321 §4.2.1). */
export function undecidedSaid(subject: Subject, said: Said): Undecided {
  switch (said.kind) {
    case 'reply': {
      const isWait = isTransient(said.reply)
      const reason = isWait ? 'told-to-wait' : 'depends-on-failed'
      return { kind: 'undecided', subject, reason, why: `The server said "${printableReply(said.reply)}".` }
    }
    case 'failed':
      return { kind: 'undecided', subject, reason: 'no-answer', why: `${capital(said.fault.detail)}.` }
    case 'not-said':
      return { kind: 'undecided', subject, reason: reasonOf(said), why: said.why }
  }
}

const reasonOf = ({ reason }: NotSaid): UndecidedReason => (reason === 'not-reached' ? 'depends-on-failed' : reason)

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

/** `550 5.1.1 No such user`, on one line, safe to print. */
export function printableReply({ code, enhanced, text }: Reply): string {
  return printable(`${code} ${enhanced === undefined ? '' : `${enhanced} `}${text.join(' / ')}`, 300)
}

export const isAccepted = (said: Said): boolean => said.kind === 'reply' && isPositive(said.reply)
export const isRefused = (said: Said): boolean => said.kind === 'reply' && isPermanent(said.reply)
export const isToldToWait = (said: Said): boolean => said.kind === 'reply' && isTransient(said.reply)

/** The replies to EHLO and what stands before it, for rules about what EHLO offers: undefined where EHLO was not accepted. */
export function extensionsOf(session: ProbedSession): ReadonlyMap<string, string> | undefined {
  const hello = lastHello(session)
  return isAccepted(hello) ? keywordsOf(hello) : undefined
}

/** Whether STARTTLS is offered; undefined where EHLO brought no answer that could say it. */
export function offersStartTls({ ehlo }: ProbedSession): boolean | undefined {
  return isAccepted(ehlo) ? keywordsOf(ehlo).has('STARTTLS') : undefined
}

/** Why EHLO says nothing. */
export function undecidedHello({ subject, session }: Visit): Undecided {
  const step = isAccepted(session.greeting) || session.greeting.kind === 'not-said' ? session.ehlo : session.greeting
  return undecidedSaid(subject, step)
}

type Secured = Extract<Handshake, { kind: 'secured' }>

/** The handshake of the session, or why there is none: an empty list where STARTTLS is not offered, which is a finding of its own. */
export function securedOf(visit: Visit): Secured | readonly Undecided[] {
  const { session, subject } = visit
  const { handshake, startTls } = session
  if (handshake.kind === 'secured') return handshake
  const offers = offersStartTls(session)
  if (offers === undefined) return [undecidedHello(visit)]
  if (!offers) return []
  if (handshake.kind === 'failed')
    return [{ kind: 'undecided', subject, reason: 'depends-on-failed', why: 'The TLS handshake failed.' }]
  return [undecidedSaid(subject, startTls.kind === 'reply' && isAccepted(startTls) ? handshake : startTls)]
}

export const isSecured = (secured: Secured | readonly Undecided[]): secured is Secured => 'chain' in secured

export function extraOf({ session }: Visit, purpose: ExtraHandshake['purpose']): ExtraHandshake | undefined {
  return session.extras.find((extra) => extra.purpose === purpose)
}

/** Every chain that the address has served to us with SNI, each leaf once: that of the session, of TLS 1.2 and of the other kind of key. */
export function chainsOf(visit: Visit): readonly Secured[] {
  const { session } = visit
  const extras = session.extras.filter(({ purpose }) => purpose === 'tls-1.2' || purpose === 'other-key')
  const secured = [session.handshake, ...extras.map(({ handshake }) => handshake)].filter(
    (handshake) => handshake.kind === 'secured',
  )
  return secured.filter(
    ({ chain }, index) => secured.findIndex((other) => sameLeaf(other.chain, chain)) === index && chain.length > 0,
  )
}

const sameLeaf = (one: readonly Buffer[], other: readonly Buffer[]) =>
  one[0] === undefined || other[0] === undefined ? one[0] === other[0] : one[0].equals(other[0])

export function askedOf({ session }: Visit, purpose: RecipientPurpose): readonly AskedRecipient[] {
  return session.recipients.filter((recipient) => recipient.purpose === purpose)
}

/** What RCPT brought; where MAIL in front of it was not accepted, what that brought. */
export const verdictOn = (recipient: AskedRecipient): Said =>
  isAccepted(recipient.mail) ? recipient.said : recipient.mail

/**
 * Whether the server refuses us and not the recipients: one policy answer (5.7.x, RFC 3463 §3.8) to all that we asked, which does not speak of
 * relaying.
 */
export function refusesUs(session: ProbedSession): Reply | undefined {
  const answers = session.recipients.map(verdictOn)
  const replies = answers.flatMap((said) => (said.kind === 'reply' ? [said.reply] : []))
  const [first] = replies
  const isAll = replies.length > 1 && replies.length === answers.length
  return isAll && replies.every((reply) => isPolicy(reply) && !speaksOfRelaying(reply)) ? first : undefined
}

const isPolicy = (reply: Reply) => isPermanent(reply) && (reply.enhanced?.startsWith('5.7.') ?? false)

/** A server's way to say that it does not know the domain: 551, or the word that all of them use. */
export const speaksOfRelaying = (reply: Reply): boolean =>
  isPermanent(reply) && (reply.code === 551 || /\brelay/i.test(reply.text.join(' ')))

/** Whether what is told of `hit` holds for every address of every exchanger. */
export const hitsAll = (facts: Facts, hit: number): boolean => hit > 0 && hit === everyAddress(facts).length
