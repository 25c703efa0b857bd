/**
 * The SMTP sessions of a run, politely: one at a time with an address, a limit on hosts, and what a session has shown is used for every
 * domain that meets the same host within a minute, unless it is to be asked more. `smtp/probe.ts` holds a session.
 */
import type { Clock } from '../../base/clock.ts'
import type { Door } from '../../base/door.ts'
import { type IpAddress, whyNotPublic } from '../../base/ip.ts'
import { createQueueByKey } from '../../base/queue-by-key.ts'
import type { Random } from '../../base/random.ts'
import { createCache } from '../../dns/cache.ts'
import type { HostName } from '../../dns/name.ts'
import { isTransient } from '../../mail/reply.ts'
import { probe, type WantedRecipient } from '../../smtp/probe.ts'
import type { ExtraHandshake, ProbedSession } from '../../smtp/probe-facts.ts'
import type { SmtpFacts } from '../facts.ts'
import type { CheckOptions } from '../options.ts'
import { type Inquiry, notExamined } from './inquiry.ts'

export interface Sessions {
  /** @param host  the exchanger's name, for SNI */
  visit(address: IpAddress, host: HostName | undefined, wanted: Wanted, inquiry: Inquiry): Promise<SmtpFacts>
}

export interface Wanted {
  readonly domain: HostName
  readonly probe: 'full' | 'polite'
}

export interface SessionDeps {
  readonly clock: Clock
  readonly door: Door
  readonly random: Random
}

interface Kept {
  readonly domain: HostName
  readonly probe: 'full' | 'polite'
  readonly sessions: readonly [ProbedSession, ...ProbedSession[]]
}

const roomSessions = 5_000

export function createSessions(options: CheckOptions, deps: SessionDeps): Sessions {
  const kept = createCache<Kept>(roomSessions, deps.clock)
  const oneAtATime = createQueueByKey()
  const hosts = createQueueByKey(options.hostsAtOnce)

  const visitInTurn: Sessions['visit'] = async (address, host, wanted, inquiry) => {
    const key = `${address} ${options.smtpPort} ${host ?? ''}`
    const before = kept.get(key)
    // Who is asked in full hears as much whichever domain of the run came first.
    if (before && (before.probe === 'full' || wanted.probe === 'polite')) {
      const { sessions, domain, probe: asked } = before
      return { kind: 'probed', sessions, probe: asked, isShared: domain !== wanted.domain }
    }
    if (inquiry.clock.monotonicMs() >= inquiry.untilMs)
      return notExamined('budget-spent', 'The time for this domain was over before its turn came.')
    const visitOnce = () => hosts('', () => probeOnce(address, host, wanted, inquiry, options, deps))
    const first = await visitOnce()
    if (first.connect.kind === 'not-said')
      return notExamined('budget-spent', `${options.maxConnections} connections for one domain are the most.`)
    const again = wantsPatience(first) && (await hasPatience(inquiry, options)) ? [await visitOnce()] : []
    const sessions = [first, ...again.filter(({ connect }) => connect.kind !== 'not-said')] as const
    kept.set(key, { domain: wanted.domain, probe: wanted.probe, sessions }, options.reuseSessionMs, 1)
    return { kind: 'probed', sessions, probe: wanted.probe, isShared: false }
  }

  return {
    async visit(address, host, wanted, inquiry) {
      const why = options.isPrivate ? undefined : whyNotPublic(address)
      if (why) {
        const words = `${address} is ${why}, so no connection is tried; --private says that it is meant.`
        return notExamined('not-public', words)
      }
      const place = `${host ?? 'the exchanger'} at ${address}, port ${options.smtpPort}`
      return inquiry.during(place, () => oneAtATime(address, () => visitInTurn(address, host, wanted, inquiry)))
    },
  }
}

/** Silence may be a moment's, and 4yz says itself that it is (RFC 5321 §4.2.1). */
function wantsPatience(session: ProbedSession): boolean {
  const { connect, greeting, ehlo, startTls, mailFromNull, recipients } = session
  const said = [greeting, ehlo, startTls, mailFromNull, ...recipients.flatMap((one) => [one.mail, one.said])]
  return connect.kind === 'failed' || said.some((one) => one.kind === 'reply' && isTransient(one.reply))
}

/** Waits, where that was wanted and time is left. */
async function hasPatience({ clock, untilMs }: Inquiry, { retryAfterMs }: CheckOptions): Promise<boolean> {
  if (retryAfterMs === undefined || clock.monotonicMs() + retryAfterMs >= untilMs) return false
  await new Promise<void>((resolve) => clock.after(retryAfterMs, resolve))
  return true
}

function probeOnce(
  address: IpAddress,
  host: HostName | undefined,
  { domain, probe: howMuch }: Wanted,
  inquiry: Inquiry,
  options: CheckOptions,
  deps: SessionDeps,
): Promise<ProbedSession> {
  const leftMs = Math.max(1, inquiry.untilMs - deps.clock.monotonicMs())
  return probe(
    {
      address,
      port: options.smtpPort,
      hello: options.helo,
      serverName: host,
      recipients: recipientsFor(domain, howMuch, options, deps.random),
      extras: howMuch === 'full' ? everyExtra : [],
      injects: options.injects && howMuch === 'full',
      isPrivate: options.isPrivate,
      introduce: options.introduce,
      limits: { ...options.probeLimits, sessionMs: Math.min(leftMs, options.probeLimits.sessionMs ?? leftMs) },
    },
    { clock: deps.clock, door: deps.door, mayConnect: inquiry.mayConnect },
  )
}

const everyExtra: readonly ExtraHandshake['purpose'][] = ['without-sni', 'tls-1.2', 'old-tls', 'other-key']

function recipientsFor(
  domain: HostName,
  howMuch: 'full' | 'polite',
  options: CheckOptions,
  random: Random,
): readonly WantedRecipient[] {
  const polite: WantedRecipient[] = [
    { purpose: 'postmaster', address: `postmaster@${domain}`, sender: null },
    { purpose: 'bare-postmaster', address: 'Postmaster', sender: null },
    { purpose: 'abuse', address: `abuse@${domain}`, sender: null },
    ...options.recipients
      .filter((recipient) => recipient.domain === domain && !recipient.text.includes(' '))
      .map(({ text }): WantedRecipient => ({ purpose: 'known', address: text, sender: null })),
  ]
  if (howMuch === 'polite') return polite
  const nobody = () => `waypost-${random.bytes(6).toString('hex')}`
  const sender = options.from?.text ?? `postmaster@${options.helo}`
  const foreign = options.from?.domain ?? options.helo
  return [
    ...polite,
    { purpose: 'unknown', address: `${nobody()}@${domain}`, sender: null },
    { purpose: 'foreign', address: `relay-test@${foreign}`, sender },
    { purpose: 'foreign-disguised', address: `relay-test%${foreign}@${domain}`, sender },
    { purpose: 'foreign-disguised', address: `"relay-test@${foreign}"@${domain}`, sender },
    { purpose: 'foreign-disguised', address: `${foreign}!relay-test@${domain}`, sender },
    { purpose: 'foreign-disguised', address: `@${domain}:relay-test@${foreign}`, sender },
    { purpose: 'unknown-again', address: `${nobody()}@${domain}`, sender: null },
  ]
}
