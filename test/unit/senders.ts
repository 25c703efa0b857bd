/** The faultless domain with other SPF or DMARC records, read and counted by what `collect` calls, over answers that a test gives. */

import { dmarcAnswer } from '../../src/checks/collect/senders.ts'
import type { Facts, NamedView, View } from '../../src/checks/facts.ts'
import { spfCost } from '../../src/checks/spf-cost.ts'
import type { RecordType } from '../../src/dns/types.ts'
import { nameFromHost } from '../../src/dns/wire-name.ts'
import { discoverDmarcByTree } from '../../src/records/dmarc-discovery.ts'
import { factsOf } from './facts/facts.ts'
import { host, wire } from './facts/names.ts'
import { txtData } from './facts/records.ts'
import { answer, noSuchName } from './facts/views.ts'

/** TXT at a name, one string a record. */
export const txtAt = (name: string, ...texts: readonly string[]): View<'TXT'> =>
  texts.length > 0
    ? answer(
        name,
        texts.map((text) => txtData(...(text.match(/.{1,255}/gs) ?? ['']))),
      )
    : noSuchName(name)

/** @param texts  the TXT records of example.com @param lookups  what its terms lead to */
export async function withSpf(
  texts: readonly string[],
  lookups: readonly NamedView[] = [],
  facts = factsOf(),
): Promise<Facts> {
  const txt = txtAt('example.com', ...texts)
  return { ...facts, spf: { txt, lookups, cost: await spfCost(wire('example.com'), txt, lookups) } }
}

export const seen = <T extends RecordType>(type: T, view: View<T>): NamedView => {
  if (view.kind === 'not-examined') throw new Error('a view without a name')
  return { name: view.name, type, view: view as View }
}

/** @param records  the texts at `_dmarc` of each domain; what is not named has none */
export async function withDmarc(
  domain: string,
  records: Readonly<Record<string, readonly string[]>>,
  facts = factsOf(),
): Promise<Facts> {
  const walk: NamedView<'TXT'>[] = []
  const discovery = await discoverDmarcByTree(host(domain), async (name) => {
    const view = txtAt(name, ...(records[name.replace(/^_dmarc\./, '')] ?? []))
    walk.push({ name: nameFromHost(name), type: 'TXT', view })
    return dmarcAnswer(view)
  })
  return { ...facts, domain: host(domain), dmarc: { walk, discovery, reportConsents: [] } }
}
