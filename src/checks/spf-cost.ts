/** What an SPF record costs, counted over answers that were collected already (RFC 7208 §4.6.4). Called by `collect`; no I/O. */

import type { HostName } from '../dns/name.ts'
import type { RecordType } from '../dns/types.ts'
import { foldName, hostFromName, nameFromHost, type WireName } from '../dns/wire-name.ts'
import { parseSpf, selectSpf } from '../records/spf.ts'
import { countSpfLookups, type SpfAnswer, type SpfCost } from '../records/spf-limits.ts'
import type { NamedView, View } from './facts.ts'
import { recordsOf, textsOf } from './read-facts.ts'

/** @returns undefined where there is no record, several, or one that cannot be read */
export async function spfCost(
  domain: WireName,
  txt: View<'TXT'>,
  lookups: readonly NamedView[],
): Promise<SpfCost | undefined> {
  const host = hostFromName(domain)
  const selected = selectSpf(latin1(txt))
  const parsed = selected.kind === 'one' ? parseSpf(selected.text) : undefined
  if (host === undefined || parsed?.kind !== 'spf') return undefined
  const known = new Map(lookups.map((one) => [key(one.name, one.type), one.view]))
  const see = (name: HostName, type: RecordType) => known.get(key(nameFromHost(name), type))
  return countSpfLookups(host, parsed.record, {
    txt: async (name) => answerOf(name === host ? txt : see(name, 'TXT'), (view) => latin1(view as View<'TXT'>)),
    mx: async (name) =>
      answerOf(see(name, 'MX'), (view) =>
        recordsOf(view as View<'MX'>).flatMap(({ data }) => hostFromName(data.exchange) ?? []),
      ),
    ipv4: async (name) => answerOf(see(name, 'A'), () => true),
    // A and AAAA of one name are one look-up, by the family of the client; only A is asked.
    ipv6: async () => ({ kind: 'found', value: true }),
  })
}

const key = (name: WireName, type: RecordType) => `${foldName(name)} ${type}`

const latin1 = (view: View<'TXT'>) => textsOf(view).map((text) => text.toString('latin1'))

function answerOf<T>(view: View | undefined, read: (view: View) => T): SpfAnswer<T> {
  if (view === undefined) return { kind: 'failed', why: 'it was not asked, because there are too many' }
  if (view.kind === 'failed' || view.kind === 'not-examined') return { kind: 'failed', why: view.why }
  return view.kind === 'answer' ? { kind: 'found', value: read(view) } : { kind: 'none' }
}
