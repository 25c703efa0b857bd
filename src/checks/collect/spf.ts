/**
 * The answers that evaluating an SPF record takes (RFC 7208 §4.6.4), gathered in advance so that the rules can evaluate it without I/O. Only
 * names are picked out here, leniently; what the record means is judged by `records`. Terms with macros depend on the sender and are left.
 */
import { parseName } from '../../dns/name.ts'
import type { RecordType } from '../../dns/types.ts'
import { foldName, nameFromHost, nameText, type WireName } from '../../dns/wire-name.ts'
import type { NamedView, SpfFacts, View } from '../facts.ts'
import { recordsOf, textsOf } from '../read-facts.ts'
import { spfCost } from '../spf-cost.ts'
import type { Inquiry } from './inquiry.ts'

/** RFC 7208 §4.6.4 allows 10; one more shows that there are too many, and some more by how many. */
const mostTerms = 20
/** Of one `mx` term; the eleventh is an error. */
const mostHosts = 11

export async function collectSpf(domain: WireName, inquiry: Inquiry): Promise<SpfFacts> {
  const txt = await inquiry.view(domain, 'TXT')
  const lookups: NamedView[] = []
  const seen = new Set([foldName(domain)])
  let terms = 0

  const ask = async <T extends RecordType>(name: WireName, type: T) => {
    const view = await inquiry.view(name, type)
    lookups.push({ name, type, view: view as View })
    return view
  }
  const walk = async (records: readonly Buffer[], owner: WireName): Promise<void> => {
    for (const record of records.filter(isSpf)) {
      for (const { kind, target } of termsOf(record, owner)) {
        if (++terms > mostTerms) return
        if (kind === 'a' || kind === 'exists') await ask(target, 'A')
        if (kind === 'mx') {
          const mx = await ask(target, 'MX')
          for (const { data } of recordsOf(mx).slice(0, mostHosts)) await ask(data.exchange, 'A')
        }
        if (kind !== 'include' && kind !== 'redirect') continue
        // A record that includes itself is counted by the rule; its answer is here already.
        if (seen.has(foldName(target))) continue
        seen.add(foldName(target))
        await walk(textsOf(await ask(target, 'TXT')), target)
      }
    }
  }
  await walk(textsOf(txt), domain)
  return { txt, lookups, cost: await spfCost(domain, txt, lookups) }
}

/** RFC 7208 §4.5: the version ends at a blank or at the end of the record. */
const isSpf = (record: Buffer) => /^v=spf1(?: |$)/i.test(record.toString('latin1'))

interface Term {
  readonly kind: 'a' | 'mx' | 'include' | 'exists' | 'redirect'
  readonly target: WireName
}

function termsOf(record: Buffer, owner: WireName): readonly Term[] {
  return record
    .toString('latin1')
    .slice(0, 65_535)
    .split(/ +/)
    .flatMap((term): Term[] => {
      const parts = /^[-+~?]?(a|mx|include|exists|redirect)(?:[:=]([^/]*))?(?:\/.*)?$/i.exec(term)
      const kind = parts?.[1]?.toLowerCase() as Term['kind'] | undefined
      if (!kind) return []
      const text = parts?.[2] ?? (kind === 'a' || kind === 'mx' ? nameText(owner) : '')
      if (text.includes('%')) return []
      const parsed = parseName(text)
      return parsed.kind === 'name' ? [{ kind, target: nameFromHost(parsed.name) }] : []
    })
}
