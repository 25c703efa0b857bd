/**
 * Targets that no host can have: not a host name by syntax, an address, a name that means something only inside. A name has one of these
 * faults at most. Pages: docs/checks/mx-target-not-hostname.md, mx-target-is-address.md, mx-target-special-name.md
 */
import { parseIp } from '../../../base/ip.ts'
import { type HostName, parseName } from '../../../dns/name.ts'
import { foldName, labelsOf } from '../../../dns/wire-name.ts'
import type { ExchangerFacts, Facts } from '../../facts.ts'
import type { Severity, Verdict } from '../../finding.ts'
import { domainSubject, exchangerSubject, isAbsent, plainName } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { undecidedBy } from '../../undecided-by.ts'
import { mxRecord } from '../../wording.ts'

export const mxTargetNotHostname: Rule = {
  id: 'mx-target-not-hostname',
  title: 'MX target is not a host name',
  rfc: ['RFC 1123 §2.1', 'RFC 2181 §11', 'RFC 5321 §2.3.5', 'RFC 5890 §2.3.1'],
  needs: [],

  examine: (facts) =>
    eachTarget(facts, (exchanger) => {
      if (addressIn(exchanger)) return []
      const worst = labelsOf(foldName(exchanger.name))
        .map(faultOfLabel)
        .find((fault) => fault !== undefined)
      if (!worst) return []
      const { severity, what } = worst
      const meant = meantName(exchanger)
      return [
        {
          kind: 'fault',
          severity,
          subject: exchangerSubject(exchanger),
          seen: `The MX target ${plainName(exchanger.name)} ${what}.`,
          why:
            severity === 'error'
              ? 'Many mail servers refuse to look up such a name, or to connect to it; their mail does not arrive.'
              : 'It resolves and mostly works, but no authority issues a certificate for it, and strict senders refuse it.',
          remedy: {
            text: 'Give the mail server a name of letters, digits and inner hyphens, and let the MX record point to that.',
            records: recordsFor(exchanger, facts.domain, meant ?? `mx1.${facts.domain}`),
          },
          data: { target: plainName(exchanger.name), meant: meant ?? null },
        },
      ]
    }),
}

export const mxTargetIsAddress: Rule = {
  id: 'mx-target-is-address',
  title: 'MX target is an IP address',
  rfc: ['RFC 1035 §3.3.9', 'RFC 1123 §2.1', 'RFC 5321 §5.1'],
  needs: [],

  examine: (facts) =>
    eachTarget(facts, (exchanger) => {
      const ownAddress = addressIn(exchanger)
      const address = ownAddress ?? addressBeforeZone(exchanger, facts)
      if (!address) return []
      const host = `mx1.${facts.domain}`
      const isWhole = parseIp(address) !== undefined
      const addressLine = isWhole ? [`${host}. IN ${address.includes(':') ? 'AAAA' : 'A'} ${address}`] : []
      return [
        {
          kind: 'fault',
          severity: 'error',
          subject: exchangerSubject(exchanger),
          seen: `The MX target ${plainName(exchanger.name)} ${ownAddress ? 'reads as an IP address' : `is the IP address ${address} with the name of the zone behind it, which a server adds where the final dot is missing`}; an MX record names a host.`,
          why: 'DNS takes it for a name that does not exist. Nearly every sender finds no address for it and passes it over.',
          remedy: {
            text: 'Give the address a name, and let the MX record point to the name.',
            records: [...addressLine, ...recordsFor(exchanger, facts.domain, host)],
          },
          data: { target: plainName(exchanger.name) },
        },
      ]
    }),
}

export const mxTargetSpecialName: Rule = {
  id: 'mx-target-special-name',
  title: 'MX target is a name that only the inside knows',
  rfc: ['RFC 2606 §2', 'RFC 6761 §6', 'RFC 6762 §3', 'RFC 7686 §2'],
  needs: [],

  examine: (facts) =>
    eachTarget(facts, (exchanger) => {
      if (addressIn(exchanger) || !exchanger.host) return []
      const why = whySpecial(exchanger.host, facts.examination.isPrivate)
      if (!why) return []
      // Microsoft once proved ownership so; it never took mail.
      const isProof = exchanger.host.endsWith('.msv1.invalid')
      return [
        {
          kind: 'fault',
          severity: isProof ? 'notice' : 'error',
          subject: exchangerSubject(exchanger),
          seen: isProof
            ? `The MX target ${exchanger.host} is an old proof of ownership for Microsoft.`
            : `The MX target ${exchanger.host} is ${why}.`,
          why: isProof
            ? 'It takes no mail; senders that come to it waste a try.'
            : 'Outside of your own network nobody can look it up, or finds there somebody else, or himself.',
          remedy: isProof
            ? { text: `Remove the record${exchanger.preferences.length > 1 ? 's' : ''} that name it.` }
            : whySpecial(facts.domain, facts.examination.isPrivate)
              ? { text: `${facts.domain} is such a name itself: examine it with --private, where that is meant.` }
              : {
                  text: 'Let the MX record point to the public name of the mail server.',
                  records: recordsFor(exchanger, facts.domain, `mx1.${facts.domain}`),
                },
          data: { target: exchanger.host },
        },
      ]
    }),
}

function eachTarget(facts: Facts, examine: (exchanger: ExchangerFacts) => Verdict[]): Verdict[] {
  if (facts.mx.kind !== 'answer') return undecidedBy(domainSubject(facts), 'MX', facts.mx)
  return facts.exchangers.filter(({ isImplicit }) => !isImplicit).flatMap(examine)
}

const recordsFor = ({ preferences }: ExchangerFacts, domain: HostName, target: string) =>
  preferences.slice(0, 1).map((preference) => mxRecord(domain, preference, target))

/** The address that the name reads as: `192.0.2.1`, `[192.0.2.1]`, `2001:db8::1`; or what ends in a number, as no host name does. */
export function addressIn({ name }: ExchangerFacts): string | undefined {
  const text = labelsOf(foldName(name)).join('.')
  const bare = text.replace(/^\[(?:ipv6:)?(.*)\]$/, '$1')
  const parsed = parseIp(bare)
  if (parsed) return parsed
  // RFC 3696 §2: no top-level domain is a number.
  return /^[0-9a-fx.]+$/.test(bare) && /(^|\.)(\d+|0x[0-9a-f]*)$/.test(bare) ? bare : undefined
}

/**
 * `192.0.2.1` of `192.0.2.1.example.com`, which does not exist: what is written without its final dot has the name of the zone behind it
 * (RFC 1035 §5.1).
 */
export function addressBeforeZone({ name, a, aaaa }: ExchangerFacts, facts: Facts): string | undefined {
  if (!isAbsent(a) || !isAbsent(aaaa)) return undefined
  const labels = labelsOf(foldName(name))
  // Only whole IPv4 addresses: four labels, and no host has them by chance.
  const address = parseIp(labels.slice(0, 4).join('.'))
  return address && labels.slice(4).join('.') === zoneOf(facts) ? address : undefined
}

/** The zone that is added is mostly that of the domain itself. */
const zoneOf = ({ zone, domain }: Facts): string => (zone ? plainName(zone).toLowerCase() : domain)

/** `what` continues "The MX target …". */
function faultOfLabel(label: string): { readonly severity: Severity; readonly what: string } | undefined {
  const error = (what: string) => ({ severity: 'error', what }) as const
  const warning = (what: string) => ({ severity: 'warning', what }) as const
  if (/[^\0-\x7f]/.test(label))
    return error('has octets outside of ASCII: an international name stands in DNS as its A-label')
  if (label.includes('.')) return error('has a dot within a label: in the zone a backslash stands before it')
  if (/[^a-z0-9_-]/.test(label)) return error('has characters that no host name has')
  if (/^-|-$/.test(label)) return error('has a label that begins or ends with a hyphen')
  if (label.startsWith('xn--') && parseName(label).kind === 'invalid')
    return error('has an A-label that decodes to nothing')
  if (label.includes('_')) return warning('has an underscore, which host names do not have')
  // RFC 5890 §2.3.1: two hyphens there are kept for A-labels.
  if (label.slice(2, 4) === '--' && !label.startsWith('xn--'))
    return warning('has hyphens as the third and fourth character of a label, which are reserved')
  return undefined
}

/** Where the octets are UTF-8, the same name as it should stand there. */
function meantName({ name }: ExchangerFacts): string | undefined {
  const text = Buffer.from(labelsOf(name).join('.'), 'latin1').toString('utf8')
  if (text.includes('\ufffd') || !/[^\0-\x7f]/.test(text)) return undefined
  const parsed = parseName(text)
  return parsed.kind === 'name' ? parsed.name : undefined
}

/** Continues "is …". Within a private network only what exists nowhere is left. */
export function whySpecial(host: HostName, isPrivate: boolean): string | undefined {
  const last = host.slice(host.lastIndexOf('.') + 1)
  if (last === 'invalid') return 'below .invalid, where nothing exists'
  if (last === 'onion') return 'below .onion, which is not in DNS'
  if (isPrivate) return undefined
  if (last === 'localhost' || host.endsWith('localhost.localdomain')) return 'every machine itself'
  if (!host.includes('.')) return 'a single label, which has no meaning outside'
  const kept = reserved.get(last)
  return kept && `below .${last}, which is ${kept}`
}

const reserved: ReadonlyMap<string, string> = new Map([
  ['local', 'for names within one network (mDNS)'],
  ['internal', 'for private networks'],
  ['test', 'for tests'],
  ['example', 'for examples'],
  ['localdomain', 'for private networks'],
  ['lan', 'in use within private networks alone'],
  ['home', 'in use within private networks alone'],
  ['corp', 'in use within private networks alone'],
])
