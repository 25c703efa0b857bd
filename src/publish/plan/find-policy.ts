/** The MTA-STS policy that senders may have kept of a domain, fetched as they fetch it (RFC 8461 §3.3). Called for plans and migrations. */
import { callHttp, type HttpOutcome } from '../../base/http-client.ts'
import type { IpAddress } from '../../base/ip.ts'
import type { HostName } from '../../dns/name.ts'
import { nameFromHost } from '../../dns/wire-name.ts'
import { parseStsPolicy, type StsPolicy, selectStsRecord } from '../../records/mta-sts.ts'
import { txtText } from '../../records/txt.ts'
import { type AskDeps, type AskOptions, resolvedAddresses } from './ask-exchangers.ts'

export type PolicyProspect =
  | { readonly kind: 'none' }
  | { readonly kind: 'policy'; readonly policy: StsPolicy }
  | { readonly kind: 'not-checked'; readonly why: string }

/** For all addresses of the host together. */
const fetchMs = 20_000

/** A host with more addresses than these is asked at the first ones. */
const mostAddresses = 8

/** RFC 8461 §3.3: what senders may have kept. */
export async function policyOf(domain: HostName, options: AskOptions, deps: AskDeps): Promise<PolicyProspect> {
  const record = `_mta-sts.${domain}` as HostName
  const host = `mta-sts.${domain}` as HostName
  if (record.length > 253) return { kind: 'none' }
  const txt = await deps.resolver.resolve(nameFromHost(record), 'TXT')
  if (txt.kind === 'failed') return { kind: 'not-checked', why: `DNS: ${txt.why}` }
  if (txt.kind !== 'answer') return { kind: 'none' }
  const announced = selectStsRecord(txt.records.map((each) => txtText(each.data.strings)))
  if (announced.kind !== 'one') return { kind: 'none' }
  const found = await resolvedAddresses(host, deps.resolver)
  if (found.kind !== 'addresses') return { kind: 'not-checked', why: `${host} has no address` }
  const outcome = await fetchPolicy(host, found.addresses.slice(0, mostAddresses), options, deps)
  if (outcome.kind === 'failed') return { kind: 'not-checked', why: `${host}: ${outcome.why}` }
  if (outcome.status !== 200) return { kind: 'not-checked', why: `${host} answers with HTTP ${outcome.status}` }
  const parsed = parseStsPolicy(outcome.body)
  return parsed.kind === 'policy'
    ? { kind: 'policy', policy: parsed.policy }
    : { kind: 'not-checked', why: `${host} serves a policy that is none` }
}

/** Each address in turn, until one answers. */
async function fetchPolicy(
  host: HostName,
  addresses: readonly IpAddress[],
  { httpsPort: port, isPrivate, policyRoots, hello }: AskOptions,
  deps: AskDeps,
): Promise<HttpOutcome> {
  const untilMs = deps.clock.monotonicMs() + fetchMs
  let last: HttpOutcome = { kind: 'failed', isSent: false, why: 'it has no address' }
  for (const [at, address] of addresses.entries()) {
    // Its share of what is left: one that is silent leaves the others theirs.
    const timeoutMs = Math.max(1, untilMs - deps.clock.monotonicMs()) / (addresses.length - at)
    // RFC 8461 §3.3: without a certificate that is right, senders go on with the policy that they have.
    last = await callHttp(
      {
        ...{ purpose: 'policy', address, port, isPrivate, host, isTls: true },
        ...(policyRoots === undefined ? {} : { ca: policyRoots }),
        ...{ method: 'GET', path: '/.well-known/mta-sts.txt', maxBytes: 65_536, timeoutMs },
        headers: { 'User-Agent': `waypost (${hello})`, Accept: 'text/plain' },
      },
      deps,
    )
    if (last.kind === 'response') return last
  }
  return last
}
