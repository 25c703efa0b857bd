/**
 * The way in for mail, as every format draws it: exchangers by preference with the share of mail that each gets, and for each address its
 * network and the state of DNS, port 25 and TLS. Pure.
 */
import { networkKey } from '../../base/ip.ts'
import { keywordsOf } from '../../smtp/probe-facts.ts'
import type { Checked } from '../check-domain.ts'
import type { ExchangerAddress, ExchangerFacts, Facts, View } from '../facts.ts'
import type { Finding, Outcome, Severity } from '../finding.ts'
import { mailShares } from '../mail-share.ts'
import { reachabilityOf } from '../reachability.ts'
import { directs, isNullMx, plainName, readingOf } from '../read-facts.ts'
import { sessionThatCounts } from '../read-sessions.ts'

/** `unknown`: not looked at, or it could not be told. */
export interface Light {
  readonly state: 'good' | 'odd' | 'bad' | 'unknown'
  /** One to three words, safe to print. */
  readonly text: string
}

export interface AddressInWay {
  readonly address: string
  /** `192.0.2.0/24`, `2001:db8:1::/48`. */
  readonly network: string
  readonly port25: Light
  readonly tls: Light
}

export interface ExchangerInWay {
  /** As the record has it, safe to print. */
  readonly name: string
  readonly preferences: readonly number[]
  readonly isImplicit: boolean
  /** Share of senders that try it first, and of mail that it gets, 0–1. */
  readonly tries: number
  readonly gets: number
  readonly dns: Light
  readonly addresses: readonly AddressInWay[]
}

export interface ZoneInWay {
  readonly name: string
  readonly nameServers: number
  readonly addresses: number
  readonly light: Light
  readonly dnssec: Light
}

export interface WayIn {
  /** The port that exchangers were asked at: 25, or that of a laboratory. */
  readonly smtpPort: number
  readonly exchangers: readonly ExchangerInWay[]
  /** That of the domain first, then those of the exchangers. */
  readonly zones: readonly ZoneInWay[]
}

export function wayIn({ facts, outcomes }: Checked): WayIn {
  const shares = isNullMx(facts) ? [] : mailShares(facts)
  return {
    smtpPort: facts.examination.smtpPort,
    exchangers: shares.map(({ exchanger, tries, gets }) => ({
      name: plainName(exchanger.name),
      preferences: exchanger.preferences,
      isImplicit: exchanger.isImplicit,
      tries,
      gets,
      dns: worsened(dnsLight(exchanger), outcomes, (one) => isAboutNames(one) && isOf(one, exchanger)),
      addresses: exchanger.addresses.map((at) => addressInWay(exchanger, at, facts, outcomes)),
    })),
    zones: facts.zones.map((zone) => zoneInWay(zone, outcomes)),
  }
}

function addressInWay(
  exchanger: ExchangerFacts,
  at: ExchangerAddress,
  facts: Facts,
  outcomes: readonly Outcome[],
): AddressInWay {
  const isHere = (one: Finding) =>
    one.subject.kind === 'address' ? one.subject.address === at.address && isOf(one, exchanger) : isOf(one, exchanger)
  return {
    address: at.address,
    network: networkKey(at.address),
    port25: worsened(portLight(at, facts), outcomes, (one) => isAboutSmtp(one) && isHere(one)),
    tls: worsened(tlsLight(at), outcomes, (one) => isAboutTls(one) && isHere(one)),
  }
}

const isAboutTls = ({ id }: Finding) => /^(?:tls|dane|caa)-|starttls/.test(id)
const isAboutSmtp = ({ id }: Finding) => /^(?:smtp|open|accepts|backup)-/.test(id) && !id.includes('starttls')
const isAboutNames = ({ id }: Finding) => /^(?:mx-target|address|ptr|aaaa|exchanger-zone)-/.test(id)

function isOf({ subject }: Finding, exchanger: ExchangerFacts): boolean {
  const name = plainName(exchanger.name)
  if (subject.kind === 'address') return subject.exchanger === name
  return subject.kind === 'exchanger' && subject.name === name
}

/** A finding that speaks of this place is seen in the picture too. */
function worsened(light: Light, outcomes: readonly Outcome[], concerns: (one: Finding) => boolean): Light {
  const severities = outcomes.flatMap((one): Severity[] =>
    one.kind === 'finding' && concerns(one) ? [one.severity] : [],
  )
  if (severities.includes('error')) return { ...light, state: 'bad' }
  return severities.includes('warning') && light.state !== 'bad' ? { ...light, state: 'odd' } : light
}

function dnsLight({ a, aaaa, addresses, host }: ExchangerFacts): Light {
  if (host === undefined) return bad('no host name')
  const views: readonly View[] = [a, aaaa]
  if (views.some(({ kind }) => kind === 'failed')) return bad('look-up fails')
  if (addresses.length === 0) {
    return views.every(({ kind }) => kind === 'not-examined') ? unknown('not asked') : bad('no address')
  }
  const answers = views.filter((view) => view.kind === 'answer')
  if (answers.some(({ aliases }) => aliases.length > 0)) return odd('alias')
  return answers.every(({ trust }) => trust === 'secure') ? good('signed') : good('found')
}

function portLight(at: ExchangerAddress, facts: Facts): Light {
  const reached = reachabilityOf(at, facts)
  if (reached.kind === 'unknown') return unknown(unknownWords[reached.reason] ?? 'not seen')
  if (reached.kind !== 'answers') return bad(reached.kind)
  const session = connectedSession(at)
  if (session?.greeting.kind !== 'reply')
    return session?.greeting.kind === 'failed' ? bad('no greeting') : unknown('not seen')
  const { code } = session.greeting.reply
  if (code === 220) return good('answers')
  return code < 500 ? odd(`says ${code}`) : bad(`says ${code}`)
}

const unknownWords: Readonly<Record<string, string>> = {
  'not-wanted': 'not asked',
  'not-applicable': 'not asked',
  'not-public': 'not public',
  'no-family': 'no way there',
  'port-25-blocked': 'blocked here',
  'rate-limited': 'rate limit',
  'budget-spent': 'out of time',
}

function tlsLight(at: ExchangerAddress): Light {
  const session = connectedSession(at)
  if (!session) return unknown('–')
  const { handshake, ehlo } = session
  if (handshake.kind === 'secured') return good(handshake.version.replace(/^TLSv/, ''))
  if (handshake.kind === 'failed') return bad('fails')
  if (ehlo.kind === 'reply' && !keywordsOf(ehlo).has('STARTTLS')) return odd('none')
  return unknown('not seen')
}

function connectedSession({ smtp }: ExchangerAddress) {
  const session = smtp.kind === 'probed' ? sessionThatCounts(smtp) : undefined
  return session?.connect.kind === 'connected' ? session : undefined
}

function zoneInWay(zone: Facts['zones'][number], outcomes: readonly Outcome[]): ZoneInWay {
  const name = plainName(zone.apex)
  const asked = zone.servers.filter(({ asked }) => asked.some(({ outcome }) => outcome.kind !== 'not-examined'))
  const answering = asked.filter((server) =>
    directs(server, {}).some((direct) => ['answer', 'no-data'].includes(readingOf(direct)?.kind ?? '')),
  )
  const all = asked.length
  const light =
    all === 0
      ? unknown('not asked')
      : answering.length === all
        ? good('all answer')
        : answering.length > 0
          ? odd(`${answering.length} of ${all} answer`)
          : bad('none answers')
  const concerns = ({ subject, id }: Finding) =>
    id.startsWith('ns-') &&
    ((subject.kind === 'zone' && subject.name === name) || (subject.kind === 'name-server' && subject.zone === name))
  return {
    name,
    nameServers: zone.nameServers.length,
    addresses: zone.servers.length,
    light: worsened(light, outcomes, concerns),
    dnssec: worsened(
      dnssecLight(zone),
      outcomes,
      ({ subject, id }) => id.startsWith('dnssec-') && 'name' in subject && subject.name === name,
    ),
  }
}

function dnssecLight({ ds, dnskey }: Facts['zones'][number]): Light {
  if (ds.kind === 'answer') return dnskey.kind === 'failed' ? bad('broken') : good('signed')
  return ds.kind === 'no-data' || ds.kind === 'no-such-name'
    ? { state: 'unknown', text: 'unsigned' }
    : unknown('not seen')
}

const good = (text: string): Light => ({ state: 'good', text })
const odd = (text: string): Light => ({ state: 'odd', text })
const bad = (text: string): Light => ({ state: 'bad', text })
const unknown = (text: string): Light => ({ state: 'unknown', text })
