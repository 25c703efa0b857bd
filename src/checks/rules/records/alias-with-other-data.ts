/**
 * A CNAME beside other data at the mail domain: on one name server, or between them. Resolvers disagree about which one they take, so that
 * part of the mail goes elsewhere. Page: docs/checks/alias-with-other-data.md
 */

import { rdataCode } from '../../../dns/rdata.ts'
import { typeName } from '../../../dns/types.ts'
import { nameFromHost, type WireName } from '../../../dns/wire-name.ts'
import type { Facts, ServerFacts } from '../../facts.ts'
import { domainSubject, plainName, zoneNamed } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { recordsAt } from '../../server-answers.ts'
import { listed, serverText } from '../../wording.ts'
import { noZone } from '../name-servers/zone-rule.ts'

export const aliasWithOtherData: Rule = {
  id: 'alias-with-other-data',
  title: 'CNAME beside other records',
  rfc: ['RFC 1034 §3.6.2', 'RFC 2181 §10.1', 'RFC 4035 §2.5'],
  needs: ['name-servers'],

  examine(facts) {
    const zone = zoneNamed(facts, facts.zone)
    if (!zone) return noZone(facts)
    const name = nameFromHost(facts.domain)
    const seen = zone.servers.map((server) => ({ server, types: typesAt(server, name) }))
    const aliased = seen.filter(({ types }) => types.has('CNAME'))
    const others = seen.filter(({ types }) => [...types].some((type) => type !== 'CNAME'))
    if (aliased.length === 0 || others.length === 0) return []
    const types = [...new Set(others.flatMap((one) => [...one.types]))].filter((type) => type !== 'CNAME')
    return [
      {
        kind: 'fault',
        severity: 'error',
        subject: domainSubject(facts),
        seen: `${listed(aliased.map(({ server }) => serverText(server)))} ${aliased.length > 1 ? 'have' : 'has'} a CNAME at ${facts.domain}; ${listed(others.map(({ server }) => serverText(server)))} ${others.length > 1 ? 'have' : 'has'} ${listed(types)} there.`,
        why: 'A name with a CNAME has nothing else. Some resolvers follow the alias and others take the records, so senders end at different hosts, and it changes from hour to hour.',
        remedy: {
          text: `Remove the CNAME at ${facts.domain} on every server, and put the records that are wanted there: ${targetsOf(facts, name)}.`,
        },
        data: { domain: facts.domain, types },
      },
    ]
  },
}

/** RFC 4035 §2.5: these may stand beside a CNAME. */
const beside = new Set(['RRSIG', 'NSEC', 'NSEC3'])

function typesAt(server: ServerFacts, name: WireName): ReadonlySet<string> {
  const records = server.asked.flatMap(({ outcome }) =>
    outcome.kind === 'response' && outcome.message.authoritative ? recordsAt(outcome.message, name) : [],
  )
  return new Set(records.map(({ data }) => typeName(rdataCode(data))).filter((type) => !beside.has(type)))
}

function targetsOf({ mx }: Facts, name: WireName): string {
  const target = mx.kind === 'answer' && mx.aliases.length > 0 ? plainName(mx.canonicalName) : plainName(name)
  return `the MX records of ${target}, and an address for the website`
}
