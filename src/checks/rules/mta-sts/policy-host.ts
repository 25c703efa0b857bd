/**
 * The host that serves the policy (RFC 8461 §3.3): not reached (sts-policy-unreachable), redirecting (sts-policy-redirects), with a certificate that
 * is not good (sts-policy-certificate), or calling the policy something else than text (sts-policy-media-type). Pages: docs/checks/sts-….md
 */
import { printable } from '../../../base/printable.ts'
import { parseName } from '../../../dns/name.ts'
import { matchesHost, pathOf, trustOf } from '../../certificate.ts'
import type { Facts, HttpsFacts } from '../../facts.ts'
import { type Fault, type Subject, undecided, type Verdict } from '../../finding.ts'
import type { Context, Rule } from '../../rule.ts'
import { stsRecordOf } from '../../sts-policy.ts'
import { whyNoStsRecord } from './record.ts'

const urlOf = (facts: Facts) => `https://mta-sts.${facts.domain}/.well-known/mta-sts.txt`

const subjectOf = (facts: Facts): Subject => ({ kind: 'record', name: `mta-sts.${facts.domain}`, type: 'A' })

/** Asks `judge` of what the policy host said, where a record announces a policy. */
export function overPolicyHost(
  facts: Facts,
  judge: (https: Exclude<HttpsFacts, { kind: 'not-examined' }>) => Fault | undefined,
): readonly Verdict[] {
  const unknown = whyNoStsRecord(facts)
  if (unknown) return [unknown]
  if (stsRecordOf(facts).kind !== 'one') return []
  const { https } = facts.mtaSts
  if (https.kind === 'not-examined')
    return https.reason === 'not-applicable' ? [] : [undecided(subjectOf(facts), https)]
  return [judge(https)].filter((fault) => fault !== undefined)
}

const slowBreak =
  'Senders that come new act as if there were no MTA-STS, and those that know the policy go on with it until it ends: the protection goes away slowly, and nobody notices.'

export const stsPolicyUnreachable: Rule = {
  id: 'sts-policy-unreachable',
  title: 'MTA-STS policy that cannot be fetched',
  rfc: ['RFC 8461 §3.2', 'RFC 8461 §3.3'],
  needs: ['mta-sts'],
  examine: (facts) =>
    overPolicyHost(facts, (https) => {
      const what = whyUnreachable(facts, https)
      if (what === undefined) return undefined
      return {
        kind: 'fault',
        severity: 'warning',
        subject: subjectOf(facts),
        seen: `${urlOf(facts)}${https.address ? ` at ${https.address}` : ''} ${what}.`,
        why: slowBreak,
        remedy: {
          text: `Let a web server answer for mta-sts.${facts.domain} on port 443 and give the policy, under 64 KiB, with status 200. To give MTA-STS up, serve mode none until every copy has ended, then take the record out.`,
          settings: [
            `location = /.well-known/mta-sts.txt { default_type text/plain; } (nginx, server_name mta-sts.${facts.domain})`,
          ],
        },
        data: https.kind === 'response' ? { status: https.status } : { step: https.step },
      }
    }),
}

function whyUnreachable(facts: Facts, https: Exclude<HttpsFacts, { kind: 'not-examined' }>): string | undefined {
  if (https.kind === 'failed') {
    const { a, aaaa } = facts.mtaSts
    const isNameMissing = a.kind === 'no-such-name' && aaaa.kind === 'no-such-name'
    if (https.step === 'address')
      return isNameMissing ? 'has no host: the name does not exist' : 'has no host: the name has no address'
    return `cannot be fetched: ${printable(https.why, 300)} (${https.step})`
  }
  if (https.status >= 300 && https.status < 400) return undefined
  if (https.status !== 200) return `answers with status ${https.status}`
  switch (https.bodyEnd) {
    case 'whole':
      return undefined
    case 'too-long':
      return 'is longer than 64 KiB, which is the most that senders read'
    case 'too-slow':
      return 'was not received whole within a minute'
    case 'cut':
      return 'breaks off before its end'
  }
}

export const stsPolicyRedirects: Rule = {
  id: 'sts-policy-redirects',
  title: 'MTA-STS policy behind a redirect',
  rfc: ['RFC 8461 §3.3'],
  needs: ['mta-sts'],
  examine: (facts) =>
    overPolicyHost(facts, (https) => {
      if (https.kind !== 'response' || https.status < 300 || https.status >= 400) return undefined
      const { location } = https
      return {
        kind: 'fault',
        severity: 'warning',
        subject: subjectOf(facts),
        seen: `${urlOf(facts)} answers with status ${https.status}${location === undefined ? '' : ` and sends on to "${printable(location, 300)}"`}.`,
        why: `Senders must not follow redirects. ${slowBreak}`,
        remedy: {
          text: 'Give the policy itself at this address, with status 200: take this path out of the rules that redirect.',
          settings: ['location = /.well-known/mta-sts.txt { … } before the redirect (nginx)'],
        },
        data: { status: https.status, location: location ?? null },
      }
    }),
}

export const stsPolicyCertificate: Rule = {
  id: 'sts-policy-certificate',
  title: 'policy host with a certificate that is not good',
  rfc: ['RFC 8461 §3.3'],
  needs: ['mta-sts'],
  examine: (facts, context) =>
    overPolicyHost(facts, ({ handshake }) => {
      if (handshake.kind !== 'secured') return undefined
      const wrong = certificateFaults(facts, handshake.chain, context)
      if (wrong.length === 0) return undefined
      return {
        kind: 'fault',
        severity: 'warning',
        subject: subjectOf(facts),
        seen: `The certificate that mta-sts.${facts.domain} serves ${wrong.join(', and ')}.`,
        why: slowBreak,
        remedy: {
          text: `Have a certificate issued for mta-sts.${facts.domain}, whatever the name behind its CNAME is, and serve it with its intermediates.`,
          settings: [`certbot --nginx -d mta-sts.${facts.domain}`],
        },
        data: { wrong },
      }
    }),
}

function certificateFaults(facts: Facts, chain: readonly Buffer[], { roots }: Context): string[] {
  const path = pathOf(chain)
  const [leaf] = path
  const trust = trustOf(chain, roots)
  if (!leaf) return ['cannot be read']
  const host = parseName(`mta-sts.${facts.domain}`)
  const wrong: string[] = []
  if (host.kind === 'name' && !leaf.dnsNames.some((name) => matchesHost(name, host.name)))
    wrong.push(`is for ${printable(leaf.dnsNames.slice(0, 5).join(', ') || 'no DNS name', 300)}`)
  if (path.some(({ notAfterMs, notBeforeMs }) => notAfterMs < facts.startedAtMs || notBeforeMs > facts.startedAtMs))
    wrong.push('is outside of its dates')
  if (trust.kind === 'self-signed') wrong.push('is signed by itself')
  if (trust.kind === 'unknown-root') wrong.push('leads to no public root')
  if (trust.kind === 'incomplete') wrong.push('comes without its intermediate, or leads to no public root')
  return wrong
}

export const stsPolicyMediaType: Rule = {
  id: 'sts-policy-media-type',
  title: 'MTA-STS policy that is not called text',
  rfc: ['RFC 8461 §3.2'],
  needs: ['mta-sts'],
  examine: (facts) =>
    overPolicyHost(facts, (https) => {
      if (https.kind !== 'response' || https.status !== 200) return undefined
      const type = https.contentType?.split(';')[0]?.trim().toLowerCase()
      if (type === 'text/plain') return undefined
      return {
        kind: 'fault',
        severity: type === 'text/html' ? 'warning' : 'notice',
        subject: subjectOf(facts),
        seen: `${urlOf(facts)} is served as ${type === undefined ? 'nothing: it has no Content-Type' : `"${printable(type, 100)}"`}.`,
        why: 'Senders should look whether it is text/plain, so that no page that a user of the host has put there is taken for a policy. A page of HTML is mostly not the policy at all.',
        remedy: {
          text: 'Serve the file as text/plain.',
          settings: ['default_type text/plain; (nginx)', 'ForceType text/plain (Apache)'],
        },
        data: { contentType: https.contentType ?? null },
      }
    }),
}
