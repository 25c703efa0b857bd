/**
 * Whether exchangers resolve and take mail for a domain, asked by DNS and SMTP. Called for the plan of a zone (`prospect.ts`) and for the steps of
 * migrations. What could not be looked at is told apart from what does not work: our own port 25 may be blocked.
 */
import type { Clock } from '../../base/clock.ts'
import type { Door } from '../../base/door.ts'
import { type IpAddress, isIpv6, whyNotPublic } from '../../base/ip.ts'
import { mapAtOnce } from '../../base/map-at-once.ts'
import type { QueueByKey } from '../../base/queue-by-key.ts'
import type { HostName } from '../../dns/name.ts'
import type { Resolver } from '../../dns/resolver.ts'
import { hostFromName, nameFromHost, type WireName } from '../../dns/wire-name.ts'
import { probe } from '../../smtp/probe.ts'
import type { ProbedSession, Said } from '../../smtp/probe-facts.ts'

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
  | { readonly kind: 'silent'; readonly silence: 'refused' | 'timeout' | 'no-greeting'; readonly why: string }
  | { readonly kind: 'not-checked'; readonly why: string }
  /** Nobody wanted it asked. */
  | { readonly kind: 'not-wanted' }

export interface AskOptions {
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

export interface AskDeps {
  readonly clock: Clock
  readonly door: Door
  readonly resolver: Resolver
  /** Has the sessions with one address take turns, over all zones that are looked at. */
  readonly exchangerTurns: QueueByKey
}

/** Hosts of a domain that are asked at once. */
export const exchangersAtOnce = 8

const probeLimits = { connectMs: 10_000, greetingMs: 30_000, commandMs: 20_000, sessionMs: 60_000 }

/** Whether these hosts resolve and take mail for the domain, whatever the plan; all of them count as new. */
export async function askExchangers(
  domain: HostName,
  hosts: readonly HostName[],
  options: AskOptions,
  deps: AskDeps,
): Promise<ExchangerProspect[]> {
  const asker = createExchangerAsker(options, deps)
  const asked = await mapAtOnce(hosts, exchangersAtOnce, async (host): Promise<ExchangerProspect> => {
    const addresses = await addressesOf(host, options, deps)
    return { host, isNew: true, addresses, smtp: await asker.ask(domain, host, addresses) }
  })
  return asked.map(asker.judged)
}

/** Where the zone of the host is kept, if that is known, and else by the resolver. */
export async function addressesOf(
  host: HostName,
  { published }: AskOptions,
  { resolver }: Pick<AskDeps, 'resolver'>,
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

/** For many exchangers. Whether silence is ours: one connection that came about tells that port 25 is open to us. */
export function createExchangerAsker(options: AskOptions, deps: AskDeps) {
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
      if (found.smtp.kind !== 'silent' || found.smtp.silence !== 'timeout' || reachedSomebody) return found
      const why = `${found.smtp.why}, nor did any other: our own way out on port ${options.smtpPort} may be closed`
      return { ...found, smtp: { kind: 'not-checked', why } }
    },
  }
}

function judge(session: ProbedSession, address: IpAddress): SmtpProspect {
  const { connect, greeting } = session
  if (connect.kind === 'failed') {
    const { kind, detail } = connect.fault
    if (kind === 'refused')
      return { kind: 'silent', silence: 'refused', why: `${address} takes no connection (${detail})` }
    if (kind === 'timeout') return { kind: 'silent', silence: 'timeout', why: `${address} did not answer in time` }
    // No way there is a matter of our own network.
    return { kind: 'not-checked', why: `there is no way from here to ${address} (${detail})` }
  }
  if (connect.kind !== 'connected') return { kind: 'not-checked', why: connect.why }
  if (greeting.kind === 'failed')
    return { kind: 'silent', silence: 'no-greeting', why: `${address} connects and does not greet` }
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
