/**
 * The target of an MX record is an alias. Nearly every sender follows it; where the aliases end nowhere, none can.
 * The target is tested, not the answer to the MX look-up. Pages: docs/checks/mx-target-is-alias.md, docs/checks/mx-target-alias-broken.md
 */
import { sameName } from '../../../dns/wire-name.ts'
import type { ExchangerFacts, Facts, View } from '../../facts.ts'
import type { Verdict } from '../../finding.ts'
import { exchangerSubject, isAbsent, plainName } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { undecidedBy } from '../../undecided-by.ts'
import { addressRecord, counted, mxRecord, zoneName } from '../../wording.ts'

export const mxTargetIsAlias: Rule = {
  id: 'mx-target-is-alias',
  title: 'MX target is an alias',
  rfc: ['RFC 2181 §10.3', 'RFC 5321 §5.1'],
  needs: [],

  examine: (facts) =>
    eachTarget(facts, (exchanger) => {
      const { a, aaaa, name, preferences, addresses } = exchanger
      const view = [a, aaaa].find(isAnsweredThroughAlias)
      if (view?.kind !== 'answer' || brokenHow(exchanger)) return []
      const end = zoneName(view.canonicalName)
      return [
        {
          kind: 'fault',
          severity: 'warning',
          subject: exchangerSubject(exchanger),
          seen: `The MX target ${plainName(name)} is an alias: ${chainText(exchanger)}.`,
          why: 'The standard forbids it. Nearly every mail server follows the alias, a few refuse to deliver, and DANE does not work the same with all of them.',
          remedy: {
            text: `Put the addresses at ${plainName(name)} itself, in place of its CNAME; or let the MX record name the end of the alias, which then has to be in the certificate.`,
            records: [
              ...addresses.map(({ address }) => addressRecord(zoneName(name), address)),
              mxRecord(facts.domain, preferences[0] ?? 10, end),
            ],
          },
          data: { target: plainName(name), aliases: view.aliases.map(plainName) },
        },
      ]
    }),
}

export const mxTargetAliasBroken: Rule = {
  id: 'mx-target-alias-broken',
  title: 'alias of an MX target leads nowhere',
  rfc: ['RFC 1034 §3.6.2', 'RFC 5321 §5.1'],
  needs: [],

  examine: (facts) =>
    eachTarget(facts, (exchanger) => {
      const how = brokenHow(exchanger)
      if (!how) return []
      // Where every exchanger is like this, no mail arrives.
      const isAll = facts.exchangers.every((one) => brokenHow(one) || one.addresses.length === 0)
      const { name } = exchanger
      const owner = zoneName(name)
      return [
        {
          kind: 'fault',
          severity: isAll ? 'error' : 'warning',
          subject: exchangerSubject(exchanger),
          seen: `The MX target ${plainName(name)} is an alias: ${chainText(exchanger)}. ${how}`,
          why: isAll
            ? 'No exchanger is left that all senders find.'
            : 'Senders find no address for this exchanger, or not all do; they go to another one.',
          remedy: {
            text: `Replace the CNAME at ${plainName(name)} by the address of the mail server, or take the MX record out.`,
            records: [`${owner} IN A <address of the mail server>`],
          },
          data: { target: plainName(name), aliases: longest(exchanger).map(plainName) },
        },
      ]
    }),
}

/** RFC 1034 §3.6.2 sets no limit; resolvers give up after 8 to 16. */
const mostLinks = 10

/** A sentence. Undefined where the chain is whole, or where it is not known. */
export function brokenHow(exchanger: ExchangerFacts): string | undefined {
  const { a, aaaa } = exchanger
  const links = longest(exchanger)
  if (links.length === 0) return undefined
  const end = links.at(-1)
  const at = end === undefined ? '' : plainName(end)
  // Resolvers that meet a loop say SERVFAIL, and mostly send the aliases with it.
  const isLoop = end !== undefined && [exchanger.name, ...links.slice(0, -1)].some((link) => sameName(link, end))
  if (isLoop) return `The aliases loop at ${at}.`
  if ([a, aaaa].some((view) => view.kind === 'failed' && view.reason === 'cname-loop'))
    return `The aliases have no end: after ${links.length} it is ${at}.`
  if (links.length > mostLinks)
    return `These are ${links.length} aliases, and some resolvers follow no more than ${mostLinks}.`
  if (a.kind === 'no-such-name' || aaaa.kind === 'no-such-name') {
    if (isAnswered(a) || isAnswered(aaaa)) return undefined
    return `Its end ${at} does not exist.`
  }
  return isAbsent(a) && isAbsent(aaaa) ? `Its end ${at} has no address.` : undefined
}

const isAnswered = (view: View) => view.kind === 'answer'

const isAnsweredThroughAlias = (view: View) => view.kind === 'answer' && view.aliases.length > 0

function longest({ a, aaaa }: ExchangerFacts) {
  const [one, other] = [a, aaaa].map((view) => (view.kind === 'not-examined' ? [] : view.aliases))
  return (one?.length ?? 0) >= (other?.length ?? 0) ? (one ?? []) : (other ?? [])
}

function chainText(exchanger: ExchangerFacts): string {
  const links = longest(exchanger).map(plainName)
  const told =
    links.length > 4 ? [...links.slice(0, 3), counted(links.length - 4, 'more name'), links.at(-1) ?? ''] : links
  return [plainName(exchanger.name), ...told].join(' → ')
}

/** The domain itself is told by `domain-is-alias`. */
function eachTarget(facts: Facts, examine: (exchanger: ExchangerFacts) => Verdict[]): Verdict[] {
  return facts.exchangers.flatMap((exchanger) => {
    const { a, aaaa, isImplicit, host } = exchanger
    // What is no host name was not looked up, and other rules say so.
    if (isImplicit || !host) return []
    const verdicts = examine(exchanger)
    if (brokenHow(exchanger) || isAnswered(a) || isAnswered(aaaa)) return verdicts
    return undecidedBy(exchangerSubject(exchanger), 'the address', a, aaaa)
  })
}
