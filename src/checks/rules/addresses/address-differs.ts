/**
 * The name servers give an exchanger different addresses. Pools and geographic DNS do so rightly; a server that gives none is told at once,
 * addresses without any in common only after three samples. Page: docs/checks/address-differs.md
 */
import type { ExchangerFacts, Facts, ServerFacts, ZoneFacts } from '../../facts.ts'
import { undecided, type Verdict } from '../../finding.ts'
import { exchangerSubject, plainName, whyNoZone, zoneNamed } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { isAuthoritative, samplesOf, serialOf } from '../../server-answers.ts'
import { listed, serverText } from '../../wording.ts'

const enoughSamples = 3

export const addressDiffers: Rule = {
  id: 'address-differs',
  title: 'name servers give different addresses',
  rfc: ['RFC 1034 §4.3.5'],
  needs: ['name-servers'],

  examine: (facts) =>
    facts.exchangers.flatMap((exchanger) => {
      const zone = zoneNamed(facts, exchanger.zone)
      return zone
        ? (['A', 'AAAA'] as const).flatMap((type) => ofType(exchanger, type, zone))
        : withoutZone(exchanger, facts)
    }),
}

function withoutZone(exchanger: ExchangerFacts, facts: Facts): Verdict[] {
  if (!exchanger.host || facts.mx.kind === 'no-such-name') return []
  return [undecided(exchangerSubject(exchanger), whyNoZone(exchanger))]
}

interface Given {
  readonly server: ServerFacts
  readonly serial: number | undefined
  readonly addresses: ReadonlySet<string>
  readonly samples: number
}

function ofType(exchanger: ExchangerFacts, type: 'A' | 'AAAA', zone: ZoneFacts): Verdict[] {
  const view = type === 'A' ? exchanger.a : exchanger.aaaa
  const owner = view.kind === 'answer' ? view.canonicalName : exchanger.name
  const given = zone.servers.flatMap((server): Given[] => {
    const samples = samplesOf(server, owner, type).filter(isAuthoritative)
    const addresses = samples.flatMap((answer) =>
      answer.kind === 'answer' ? answer.records.map(({ data }) => data.address) : [],
    )
    const isClear =
      samples.length > 0 &&
      samples.every(({ kind }) => kind === 'answer' || kind === 'no-data' || kind === 'no-such-name')
    return isClear
      ? [{ server, serial: serialOf(server, zone), addresses: new Set(addresses), samples: samples.length }]
      : []
  })
  const having = given.filter(({ addresses }) => addresses.size > 0)
  const lacking = given.filter(({ addresses }) => addresses.size === 0)
  if (having.length === 0) return []
  if (lacking.length > 0) return [fault(exchanger, type, having, lacking)]
  const first = having[0]
  const other = having.find(({ addresses }) => first && ![...addresses].some((address) => first.addresses.has(address)))
  if (!first || !other) return []
  if (first.samples >= enoughSamples && other.samples >= enoughSamples) return [fault(exchanger, type, having, [])]
  const why = `The name servers of ${plainName(exchanger.name)} give different addresses (${type}); whether it is a pool was not found out with one sample each.`
  return [{ kind: 'undecided', subject: exchangerSubject(exchanger), reason: 'budget-spent', why }]
}

function fault(exchanger: ExchangerFacts, type: string, having: readonly Given[], lacking: readonly Given[]): Verdict {
  const name = plainName(exchanger.name)
  const told = ({ server, serial, addresses }: Given) =>
    `${serverText(server)}${serial === undefined ? '' : `, serial ${serial}`}: ${addresses.size > 0 ? listed([...addresses], 4) : 'none'}`
  return {
    kind: 'fault',
    severity: 'warning',
    subject: exchangerSubject(exchanger),
    seen: `The name servers give different ${type} records of ${name}. ${listed([...lacking, ...having].map(told))}.`,
    why: 'Part of the senders finds another machine, or none; which part changes with every look-up.',
    remedy: {
      text: `See that ${listed([...new Set((lacking.length > 0 ? lacking : having).map(({ server }) => plainName(server.name)))])} ${lacking.length > 0 ? 'gets' : 'get'} the current zone: raise the serial, send NOTIFY, look into the logs. Where it is meant (geographic DNS), nothing.`,
    },
    data: {
      exchanger: name,
      type,
      answers: [...having, ...lacking].map(({ server, addresses }) => ({
        server: server.address,
        addresses: [...addresses],
      })),
    },
  }
}
