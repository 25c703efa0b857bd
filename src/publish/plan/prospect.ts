/**
 * What would become of the mail if a plan were carried out: whether its exchangers resolve and answer SMTP for the domain, and what an MTA-STS
 * policy says of them. All I/O of it; `consequences.ts` judges. What could not be looked at is told apart from what does not work: our own
 * port 25 may be blocked.
 */
import type { Clock } from '../../base/clock.ts'
import type { Door } from '../../base/door.ts'
import { callHttp } from '../../base/http-client.ts'
import { type IpAddress, isIpv6, whyNotPublic } from '../../base/ip.ts'
import { mapAtOnce } from '../../base/map-at-once.ts'
import type { QueueByKey } from '../../base/queue-by-key.ts'
import type { HostName } from '../../dns/name.ts'
import type { Resolver } from '../../dns/resolver.ts'
import { typeCodes } from '../../dns/types.ts'
import { hostFromName, nameFromHost, sameName, type WireName } from '../../dns/wire-name.ts'
import { parseStsPolicy, type StsPolicy, selectStsRecord } from '../../records/mta-sts.ts'
import { txtText } from '../../records/txt.ts'
import { probe } from '../../smtp/probe.ts'
import type { ProbedSession, Said } from '../../smtp/probe-facts.ts'
import { sameContent } from '../sets/record-set.ts'
import type { PlannedSet, ZonePlan } from './plan.ts'

/** Of one domain whose exchangers would change. */
export interface Prospect {
  readonly domain: HostName
  readonly exchangers: readonly ExchangerProspect[]
  readonly policy: PolicyProspect
}

export interface ExchangerProspect {
  readonly host: HostName
  readonly isNew: boolean
  readonly addresses: AddressProspect
  readonly smtp: SmtpProspect
}

export type AddressProspect =
  | { readonly kind: 'addresses'; readonly addresses: readonly IpAddress[]; readonly alias: HostName | undefined }
  | { readonly kind: 'none'; readonly why: 'no such name' | 'no address' }
  | { readonly kind: 'not-checked'; readonly why: string }

export type SmtpProspect =
  /** It took the domain's postmaster as a recipient. */
  | { readonly kind: 'takes' }
  /** It answers, and takes no mail for the domain. `reply` is the server's text. */
  | { readonly kind: 'refuses'; readonly reply: string }
  | { readonly kind: 'silent'; readonly why: string }
  | { readonly kind: 'not-checked'; readonly why: string }
  /** Nobody wanted it asked. */
  | { readonly kind: 'not-wanted' }

export type PolicyProspect =
  | { readonly kind: 'none' }
  | { readonly kind: 'policy'; readonly policy: StsPolicy }
  | { readonly kind: 'not-checked'; readonly why: string }

export interface ProspectOptions {
  /** Ask exchangers by SMTP. */
  readonly asksSmtp: boolean
  /** Addresses that are not public are meant, too. */
  readonly isPrivate: boolean
  readonly smtpPort: number
  readonly httpsPort: number
  /** PEM, in place of the roots that everybody trusts, for who serves an MTA-STS policy. */
  readonly policyRoots?: string
  /** What we call ourselves. */
  readonly hello: string
  /** Addresses that the zone of a host has where it is kept, whatever the resolver sees of it. */
  readonly published?: ReadonlyMap<HostName, readonly IpAddress[]>
}

export interface ProspectDeps {
  readonly clock: Clock
  readonly door: Door
  readonly resolver: Resolver
  /** Has the sessions with one address take turns, over all zones that are looked at. */
  readonly exchangerTurns: QueueByKey
}

/** Hosts of a domain that are asked at once. */
const atOnce = 8

const probeLimits = { connectMs: 10_000, greetingMs: 30_000, commandMs: 20_000, sessionMs: 60_000 }

/** Of the domains of this plan whose exchangers, or their addresses, would change. */
export async function lookAhead(plan: ZonePlan, options: ProspectOptions, deps: ProspectDeps): Promise<Prospect[]> {
  const wanted = plan.sets.filter((set) => set.code === typeCodes.MX && set.domains.length > 0 && concerns(set, plan))
  const sessions = createSessions(options, deps)
  const prospects: Prospect[] = []
  for (const set of wanted) {
    const [domain] = set.domains
    const owner = hostFromName(set.name)
    if (domain === undefined || owner === undefined) continue
    const before = hostsOf(set.before)
    const hosts = hostsOf(set.after)
    const exchangers = await mapAtOnce(hosts, atOnce, async (host): Promise<ExchangerProspect> => {
      const isNew = !before.includes(host)
      const addresses = plannedAddresses(host, plan) ?? (await addressesOf(host, options, deps))
      return { host, isNew, addresses, smtp: await sessions.ask(owner, host, addresses) }
    })
    const policy = exchangers.some(({ isNew }) => isNew)
      ? await policyOf(owner, options, deps)
      : ({ kind: 'none' } as const)
    prospects.push({ domain: owner, exchangers: exchangers.map(sessions.judged), policy })
  }
  return prospects
}

/** Whether these hosts resolve and take mail for the domain, whatever the plan; all of them count as new. */
export async function askExchangers(
  domain: HostName,
  hosts: readonly HostName[],
  options: ProspectOptions,
  deps: ProspectDeps,
): Promise<ExchangerProspect[]> {
  const sessions = createSessions(options, deps)
  const asked = await mapAtOnce(hosts, atOnce, async (host): Promise<ExchangerProspect> => {
    const addresses = await addressesOf(host, options, deps)
    return { host, isNew: true, addresses, smtp: await sessions.ask(domain, host, addresses) }
  })
  return asked.map(sessions.judged)
}

/** Whether the set changes, or an address that it leads to does. */
function concerns(set: PlannedSet, plan: ZonePlan): boolean {
  if (!sameContent(set.before, set.after)) return true
  const hosts = hostsOf(set.after).map(nameFromHost)
  return plan.sets.some(
    (other) =>
      (other.code === typeCodes.A || other.code === typeCodes.AAAA) &&
      !sameContent(other.before, other.after) &&
      hosts.some((host) => sameName(host, other.name)),
  )
}

/** The exchangers of an MX set, without the "." of a null MX. */
export function hostsOf(set: PlannedSet['after']): HostName[] {
  return (set?.data ?? []).flatMap((data) => {
    const host = data.type === 'MX' && data.exchange !== '\0' ? hostFromName(data.exchange) : undefined
    return host === undefined ? [] : [host]
  })
}

/** What the plan itself says of the addresses of a host. Undefined: nothing. */
function plannedAddresses(host: HostName, plan: ZonePlan): AddressProspect | undefined {
  const name = nameFromHost(host)
  const sets = plan.sets.filter(
    (set) => (set.code === typeCodes.A || set.code === typeCodes.AAAA) && sameName(set.name, name),
  )
  if (sets.length < 2) return undefined
  const addresses = sets.flatMap((set) =>
    (set.after?.data ?? []).flatMap((data) => ('address' in data ? [data.address] : [])),
  )
  return addresses.length > 0 ? { kind: 'addresses', addresses, alias: undefined } : { kind: 'none', why: 'no address' }
}

/** Where the zone of the host is kept, if that is known, and else by the resolver. */
export async function addressesOf(
  host: HostName,
  { published }: ProspectOptions,
  { resolver }: Pick<ProspectDeps, 'resolver'>,
): Promise<AddressProspect> {
  const addresses = published?.get(host)
  return addresses ? { kind: 'addresses', addresses, alias: undefined } : resolvedAddresses(host, resolver)
}

/** Of a host, by the resolver. */
export async function resolvedAddresses(host: HostName, resolver: Resolver): Promise<AddressProspect> {
  const name = nameFromHost(host)
  const [four, six] = await Promise.all([resolver.resolve(name, 'A'), resolver.resolve(name, 'AAAA')])
  const addresses = [four, six].flatMap((answer) =>
    answer.kind === 'answer' ? answer.records.map((record) => record.data.address) : [],
  )
  const alias =
    four.kind !== 'failed' && four.aliases.length > 0 ? hostFromName(four.canonicalName as WireName) : undefined
  if (addresses.length > 0) return { kind: 'addresses', addresses, alias }
  const failed = [four, six].find((answer) => answer.kind === 'failed')
  if (failed?.kind === 'failed') return { kind: 'not-checked', why: `DNS: ${failed.why}` }
  return { kind: 'none', why: four.kind === 'no-such-name' ? 'no such name' : 'no address' }
}

/** Whether silence is ours: one connection that came about tells that port 25 is open to us. */
function createSessions(options: ProspectOptions, deps: ProspectDeps) {
  let reachedSomebody = false

  async function ask(domain: HostName, host: HostName, found: AddressProspect): Promise<SmtpProspect> {
    if (!options.asksSmtp) return { kind: 'not-wanted' }
    if (found.kind !== 'addresses') return { kind: 'not-checked', why: 'it has no address to ask' }
    const one = (six: boolean) => found.addresses.find((address) => isIpv6(address) === six)
    const addresses = [one(false), one(true)].filter((address) => address !== undefined)
    let worst: SmtpProspect = { kind: 'not-checked', why: 'it has no address to ask' }
    for (const address of addresses) {
      const said = await askAddress(domain, host, address)
      if (said.kind === 'takes' || said.kind === 'refuses') return said
      if (worst.kind === 'not-checked') worst = said
    }
    return worst
  }

  async function askAddress(domain: HostName, host: HostName, address: IpAddress): Promise<SmtpProspect> {
    const why = options.isPrivate ? undefined : whyNotPublic(address)
    if (why !== undefined) return { kind: 'not-checked', why: `${address} is ${why}` }
    const recipient = { purpose: 'postmaster', address: `postmaster@${domain}`, sender: null } as const
    const session = await deps.exchangerTurns(address, () =>
      probe(
        {
          ...{ address, port: options.smtpPort, hello: options.hello, serverName: host, recipients: [recipient] },
          ...{ extras: [], injects: false, isPrivate: options.isPrivate, limits: probeLimits },
        },
        { clock: deps.clock, door: deps.door, mayConnect: () => true },
      ),
    )
    if (session.connect.kind === 'connected') reachedSomebody = true
    return judge(session, address)
  }

  return {
    ask,
    /** Silence is a fault of theirs only where somebody was reached. */
    judged(found: ExchangerProspect): ExchangerProspect {
      if (found.smtp.kind !== 'silent' || reachedSomebody || !found.smtp.why.endsWith(timedOut)) return found
      const why = `${found.smtp.why}, nor did any other: our own way out on port ${options.smtpPort} may be closed`
      return { ...found, smtp: { kind: 'not-checked', why } }
    },
  }
}

const timedOut = 'did not answer in time'

function judge(session: ProbedSession, address: IpAddress): SmtpProspect {
  const { connect, greeting } = session
  if (connect.kind === 'failed') {
    const { kind, detail } = connect.fault
    if (kind === 'refused') return { kind: 'silent', why: `${address} takes no connection (${detail})` }
    if (kind === 'timeout') return { kind: 'silent', why: `${address} ${timedOut}` }
    // No way there is a matter of our own network.
    return { kind: 'not-checked', why: `there is no way from here to ${address} (${detail})` }
  }
  if (connect.kind !== 'connected') return { kind: 'not-checked', why: connect.why }
  if (greeting.kind === 'failed') return { kind: 'silent', why: `${address} connects and does not greet` }
  const recipient = session.recipients[0]
  if (recipient === undefined || recipient.said.kind === 'not-said') return judgeUnasked(greeting, address)
  const { said } = recipient
  if (said.kind === 'failed') return { kind: 'not-checked', why: `${address} ended the session before it said` }
  const { code } = said.reply
  if (code >= 200 && code < 300) return { kind: 'takes' }
  // A 4yz is patience that it asks for: greylisting, a rate limit.
  return code >= 500
    ? { kind: 'refuses', reply: rawReplyText(said) }
    : { kind: 'not-checked', why: `${address} asked to come again (${code})` }
}

function judgeUnasked(greeting: Said, address: IpAddress): SmtpProspect {
  if (greeting.kind === 'reply' && greeting.reply.code >= 500) return { kind: 'refuses', reply: rawReplyText(greeting) }
  return { kind: 'not-checked', why: `${address} was not asked to the end` }
}

/** As the server said it: whoever shows it makes it printable, unlike `replyText` of `mail/reply.ts`. */
export const rawReplyText = ({
  reply: { code, enhanced, text },
}: Pick<Extract<Said, { kind: 'reply' }>, 'reply'>): string =>
  [code, ...(enhanced === undefined ? [] : [enhanced]), ...text].join(' ')

/** RFC 8461 §3.3: what senders may have kept. */
export async function policyOf(
  domain: HostName,
  options: ProspectOptions,
  deps: ProspectDeps,
): Promise<PolicyProspect> {
  const record = `_mta-sts.${domain}` as HostName
  const host = `mta-sts.${domain}` as HostName
  if (record.length > 253) return { kind: 'none' }
  const txt = await deps.resolver.resolve(nameFromHost(record), 'TXT')
  if (txt.kind === 'failed') return { kind: 'not-checked', why: `DNS: ${txt.why}` }
  if (txt.kind !== 'answer') return { kind: 'none' }
  const announced = selectStsRecord(txt.records.map((each) => txtText(each.data.strings)))
  if (announced.kind !== 'one') return { kind: 'none' }
  const found = await resolvedAddresses(host, deps.resolver)
  const address = found.kind === 'addresses' ? found.addresses[0] : undefined
  if (address === undefined) return { kind: 'not-checked', why: `${host} has no address` }
  // RFC 8461 §3.3: without a certificate that is right, senders go on with the policy that they have.
  const outcome = await callHttp(
    {
      ...{ purpose: 'policy', address, port: options.httpsPort, isPrivate: options.isPrivate, host, isTls: true },
      ...(options.policyRoots === undefined ? {} : { ca: options.policyRoots }),
      ...{ method: 'GET', path: '/.well-known/mta-sts.txt', maxBytes: 65_536, timeoutMs: 20_000 },
      headers: { 'User-Agent': `waypost (${options.hello})`, Accept: 'text/plain' },
    },
    deps,
  )
  if (outcome.kind === 'failed') return { kind: 'not-checked', why: `${host}: ${outcome.why}` }
  if (outcome.status !== 200) return { kind: 'not-checked', why: `${host} answers with HTTP ${outcome.status}` }
  const parsed = parseStsPolicy(outcome.body)
  return parsed.kind === 'policy'
    ? { kind: 'policy', policy: parsed.policy }
    : { kind: 'not-checked', why: `${host} serves a policy that is none` }
}
