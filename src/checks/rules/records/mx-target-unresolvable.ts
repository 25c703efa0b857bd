/**
 * An exchanger that senders find no address for. A and AAAA are judged apart: AAAA alone that fails is `aaaa-query-fails`, an alias without
 * end is `mx-target-alias-broken`, failed validation is `dnssec-bogus`. Page: docs/checks/mx-target-unresolvable.md
 */
import type { ExchangerFacts, Facts, FailedView, View } from '../../facts.ts'
import type { Fault, Verdict } from '../../finding.ts'
import { domainSubject, exchangerSubject, isAbsent, plainName } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { undecidedBy } from '../../undecided-by.ts'
import { mxRecord, zoneName } from '../../wording.ts'
import { isBogus } from '../dnssec/bogus-view.ts'
import { brokenHow } from './mx-target-alias.ts'
import { addressBeforeZone } from './mx-target-syntax.ts'

export const mxTargetUnresolvable: Rule = {
  id: 'mx-target-unresolvable',
  title: 'MX target has no address',
  rfc: ['RFC 5321 §5.1', 'RFC 7672 §2.1.2'],
  needs: [],

  examine(facts) {
    if (facts.mx.kind === 'failed' || facts.mx.kind === 'not-examined')
      return undecidedBy(domainSubject(facts), 'MX', facts.mx)
    return (
      facts.exchangers
        // An address as target is another rule's, which knows what to do.
        .filter((one) => !one.isImplicit && one.host && !addressBeforeZone(one, facts))
        .flatMap((exchanger) => ofExchanger(exchanger, facts))
    )
  },
}

function ofExchanger(exchanger: ExchangerFacts, facts: Facts): Verdict[] {
  const { a, aaaa, name, preferences } = exchanger
  if (brokenHow(exchanger)) return []
  const subject = exchangerSubject(exchanger)
  const target = plainName(name)
  const severity = facts.exchangers.every(isWithoutAddress) ? 'error' : 'warning'
  const why =
    severity === 'error'
      ? 'No exchanger of the domain has an address. Senders give up, or try for days; they never fall back to the address of the domain.'
      : 'Senders pass this exchanger over; if the others fail, the mail waits.'
  const fault = (seen: string, text: string, records: readonly string[] = []): Fault => ({
    kind: 'fault',
    severity,
    subject,
    seen,
    why,
    remedy: { text, records },
    data: { target },
  })
  if (isAbsent(a) && isAbsent(aaaa)) {
    const isNoName = a.kind === 'no-such-name' || aaaa.kind === 'no-such-name'
    const seen = isNoName
      ? `The MX target ${target} does not exist (NXDOMAIN).`
      : `The MX target ${target} has neither A nor AAAA records.${hiddenBy(exchanger)}`
    const meant = beforeZone(target, facts.domain)
    if (meant) {
      const text = `The name of the zone is there twice, as if the final dot were missing: write ${meant}. in the MX record.`
      return [
        fault(
          seen,
          text,
          preferences.slice(0, 1).map((preference) => mxRecord(facts.domain, preference, meant)),
        ),
      ]
    }
    const text = `Publish the address of the mail server at ${target}, or correct the MX record, or take it out.`
    return [fault(seen, text, [`${zoneName(name)} IN A <address of the mail server>`])]
  }
  const broken = [a, aaaa].find((view): view is FailedView => view.kind === 'failed' && isTheirs(view))
  const isFound = a.kind === 'answer' || aaaa.kind === 'answer'
  // A good A with a bad AAAA is another rule's; a good AAAA with a bad A keeps senders with IPv4 alone away.
  if (broken && a.kind !== 'answer' && (broken === a || !isFound)) {
    const other = isFound ? ' Its IPv6 address is found.' : ''
    const seen = `The look-up of ${broken === a ? 'A' : 'AAAA'} ${target} fails: ${broken.why}.${other}`
    return [fault(seen, `See that the name servers of ${target} answer for it.`)]
  }
  if (isFound || isBogus(a) || isBogus(aaaa)) return []
  return undecidedBy(subject, 'the address', a, aaaa)
}

/** `mx1.example.com` of `mx1.example.com.example.com`: no zone is named so below itself (RFC 1035 §5.1). */
const beforeZone = (target: string, domain: string): string | undefined =>
  target.toLowerCase().endsWith(`.${domain}.${domain}`) ? target.slice(0, -domain.length - 1) : undefined

const isTheirs = (view: FailedView) => !isBogus(view) && view.reason !== 'unreachable' && view.reason !== 'refused'

/** RFC 4592 §2.2.2: a name with something below it exists, so that no wildcard speaks for it. */
function hiddenBy({ tlsa, name }: ExchangerFacts): string {
  const isHidden = !('kind' in tlsa) && tlsa.some(({ view }) => view.kind === 'answer')
  return isHidden
    ? ` The TLSA record at _25._tcp.${plainName(name)} makes the name exist, so that a wildcard address does not count for it.`
    : ''
}

const isWithoutAddress = ({ a, aaaa }: ExchangerFacts) => !isFoundIn(a) && !isFoundIn(aaaa)
const isFoundIn = (view: View) => view.kind === 'answer'
