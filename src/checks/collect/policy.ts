/** MTA-STS (RFC 8461) and TLSRPT (RFC 8460): the records, and the policy as its host serves it. Only gathered; the rules read it. */
import type { Clock } from '../../base/clock.ts'
import type { Door } from '../../base/door.ts'
import { getOverHttps, type HttpsOutcome } from '../../base/https.ts'
import { type IpAddress, whyNotPublic } from '../../base/ip.ts'
import type { HostName } from '../../dns/name.ts'
import { nameFromHost } from '../../dns/wire-name.ts'
import type { Handshake, HandshakeOffer, NotSaid } from '../../smtp/probe-facts.ts'
import type { HttpsFacts, MtaStsFacts, TlsRptFacts, View } from '../facts.ts'
import { maxPolicyBytes } from '../options.ts'
import { isAbsent, recordsOf, textsOf } from '../read-facts.ts'
import { type Inquiry, notExamined } from './inquiry.ts'
import { mailtoDomains, seeBelow } from './senders.ts'

/** RFC 8461 §3.3 suggests one minute. */
const fetchMs = 60_000
/** Addresses that are tried before the policy counts as not reachable. */
const mostAddresses = 3

export interface PolicyDeps {
  readonly clock: Clock
  readonly door: Door
}

export async function collectMtaSts(domain: HostName, inquiry: Inquiry, deps: PolicyDeps): Promise<MtaStsFacts> {
  const policyHost = `mta-sts.${domain}` as HostName
  const wire = nameFromHost(policyHost)
  const isTooLong = policyHost.length > 253
  const tooLong = notExamined('not-applicable', 'The name would be too long for DNS.')
  const [txt, a, aaaa] = await Promise.all([
    seeBelow(nameFromHost(domain), ['_mta-sts'], inquiry),
    isTooLong ? tooLong : inquiry.view(wire, 'A'),
    isTooLong ? tooLong : inquiry.view(wire, 'AAAA'),
  ])
  return { txt, a, aaaa, https: await fetchPolicy(policyHost, txt, a, aaaa, inquiry, deps) }
}

async function fetchPolicy(
  host: HostName,
  txt: View<'TXT'>,
  a: View<'A'>,
  aaaa: View<'AAAA'>,
  inquiry: Inquiry,
  deps: PolicyDeps,
): Promise<HttpsFacts> {
  const { families } = inquiry.options
  const addresses = [...(families === 'ipv6' ? [] : recordsOf(a)), ...(families === 'ipv4' ? [] : recordsOf(aaaa))].map(
    ({ data }) => data.address,
  )
  if (addresses.length === 0) return noAddress(txt, a, aaaa)
  // A sender looks for a policy only where the record says that there is one; without it one GET still tells an owner of a forgotten host.
  if (!textsOf(txt).some((text) => /^v=STSv1/i.test(text.toString('latin1'))) && isAbsent(txt))
    return notExamined('not-applicable', 'There is no record that announces a policy.')
  let last: HttpsFacts | undefined
  for (const address of addresses.slice(0, mostAddresses)) {
    last = await fetchFrom(address, host, inquiry, deps)
    if (last.kind !== 'failed' || last.step === 'response') return last
  }
  return last ?? noAddress(txt, a, aaaa)
}

function noAddress(txt: View<'TXT'>, a: View<'A'>, aaaa: View<'AAAA'>): HttpsFacts {
  if (isAbsent(txt)) return notExamined('not-applicable', 'There is no record that announces a policy.')
  const examined = [a, aaaa].find((view) => view.kind === 'not-examined')
  if (examined?.kind === 'not-examined' && !isAbsent(a) && !isAbsent(aaaa)) return examined
  const handshake = notReached('There was no address.')
  return {
    kind: 'failed',
    address: undefined,
    step: 'address',
    handshake,
    why: 'the policy host has no address',
    tookMs: 0,
  }
}

async function fetchFrom(address: IpAddress, host: HostName, inquiry: Inquiry, deps: PolicyDeps): Promise<HttpsFacts> {
  const { options } = inquiry
  const why = options.isPrivate ? undefined : whyNotPublic(address)
  if (why)
    return notExamined(
      'not-public',
      `${address} is ${why}, so no connection is tried; --private says that it is meant.`,
    )
  if (!inquiry.mayConnect())
    return notExamined('budget-spent', `${options.maxConnections} connections for one domain are the most.`)
  const startMs = deps.clock.monotonicMs()
  const outcome = await inquiry.during(`the policy host ${host} at ${address}`, () =>
    getOverHttps(
      {
        purpose: 'policy',
        address,
        port: options.httpsPort,
        host,
        path: '/.well-known/mta-sts.txt',
        userAgent: `waypost-check (${options.helo})`,
        maxBytes: maxPolicyBytes,
        timeoutMs: Math.max(1, Math.min(fetchMs, inquiry.untilMs - startMs)),
        isPrivate: options.isPrivate,
      },
      deps,
    ),
  )
  const tookMs = deps.clock.monotonicMs() - startMs
  const handshake = handshakeOf(outcome, host, tookMs)
  if (outcome.kind === 'failed')
    return { kind: 'failed', address, step: outcome.step, handshake, why: outcome.why, tookMs }
  const { status, contentType, location, body, bodyEnd } = outcome
  return { kind: 'response', address, handshake, status, contentType, location, body, bodyEnd, tookMs }
}

function handshakeOf(outcome: HttpsOutcome, serverName: HostName, tookMs: number): Handshake {
  const offer: HandshakeOffer = { serverName, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3', keys: 'any' }
  if (outcome.peer) return { kind: 'secured', offer, tookMs, ...outcome.peer }
  if (outcome.kind === 'response' || outcome.step === 'connect')
    return notReached(`There was no connection to ${serverName}.`)
  return { kind: 'failed', offer, side: outcome.side, detail: outcome.why, tookMs }
}

const notReached = (why: string): NotSaid => ({ kind: 'not-said', reason: 'not-reached', why })

export async function collectTlsRpt(domain: HostName, inquiry: Inquiry): Promise<TlsRptFacts> {
  const txt = await seeBelow(nameFromHost(domain), ['_smtp', '_tls'], inquiry)
  const destinations = await Promise.all(
    mailtoDomains(txt, /^v=TLSRPTv1/i).map(async (destination) => {
      const wire = nameFromHost(destination)
      const [mx, a, aaaa] = await Promise.all([
        inquiry.view(wire, 'MX'),
        inquiry.view(wire, 'A'),
        inquiry.view(wire, 'AAAA'),
      ])
      return { domain: destination, mx, a, aaaa }
    }),
  )
  return { txt, destinations }
}
