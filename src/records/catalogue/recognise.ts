/**
 * A domain's exchangers → whose they are, and whether the set is as that provider wants it. Pure. Checks call it for every domain, `waypost
 * init` and `import dns` to write a provider's name in place of its hosts.
 *
 * That a provider is recognised proves nothing of who reads the mail: behind one of kind `filter` stands another that is not seen here.
 */
import type { HostName } from '../../dns/name.ts'
import { catalogue } from './catalogue.ts'
import type { HostMatch } from './host-index.ts'
import type { Exchanger, Form, FormRecord, Provider } from './provider.ts'
import { type ProviderTerm, providerTerms } from './provider-term.ts'
import { type Bindings, fillHost, placeholders } from './template.ts'

export type Recognition =
  /** None of the exchangers is of a provider that we know, or there are none. */
  { readonly kind: 'unknown' } | Recognised

export interface Recognised {
  readonly kind: 'recognised'
  /** Of the exchanger that is tried first among those that we know. */
  readonly provider: Provider
  /** The set of records that comes nearest; undefined where we know the hosts and no set that they belong to. */
  readonly form: Form | undefined
  /** With these, `recordsFor` of the provider gives the form again, if it may be published. */
  readonly parameters: Bindings
  /**
   * - `complete`: the form's set and nothing else
   * - `partial`: some of it is missing, nothing else is there
   * - `mixed`: others stand there too: of another provider, of nobody we know, or of another form
   * - `not-compared`: there is no form to compare with
   */
  readonly completeness: 'complete' | 'partial' | 'mixed' | 'not-compared'
  /** What the form has and the domain has not; preference undefined where the account or the zone decides. */
  readonly missing: readonly { readonly preference: number | undefined; readonly host: HostName }[]
  /** Hosts of the provider that the form does not have. */
  readonly otherForms: readonly HostName[]
  /** Hosts that the provider hands out no more; among those of the form, or beside them. */
  readonly obsolete: readonly HostName[]
  /** Exchangers of others, with the provider where we know it. */
  readonly foreign: readonly { readonly exchanger: Exchanger; readonly provider: Provider | undefined }[]
  /** Hosts that once proved ownership; they take no mail and do not count. */
  readonly leftovers: readonly HostName[]
  /**
   * How the preferences stand to each other. `flattened`: hosts that should be tried one after the other are equal.
   * `inverted`: a later one is tried before an earlier one. Numbers themselves mean nothing (RFC 5321 §5.1).
   */
  readonly order: 'as-expected' | 'flattened' | 'inverted' | 'not-compared'
  /** What an SPF record needs for mail that is sent by the provider. */
  readonly spf: readonly ProviderTerm[]
}

/**
 * @param exchangers  the MX set, in any order; of a host that stands in it twice the better preference counts
 * @param from        another catalogue than ours
 */
export function recognise(exchangers: readonly Exchanger[], from = catalogue()): Recognition {
  const known = distinct(exchangers).map(
    (exchanger): Known => ({ exchanger, matches: from.index.match(exchanger.host) }),
  )
  const provider = leader(known)
  if (provider === undefined) return { kind: 'unknown' }
  const own = known.filter(({ matches }) => matches[0]?.provider === provider)
  const leftovers = own.filter(({ matches }) => matches[0]?.isLeftover)
  const working = own.filter(({ matches }) => !matches[0]?.isLeftover)
  const best = nearestSet(provider, working)
  const foreign = known.filter((each) => !own.includes(each))
  const otherForms = best === undefined ? [] : working.filter(({ exchanger }) => !best.hosts.has(exchanger.host))
  const missing = best === undefined ? [] : best.missing
  return {
    kind: 'recognised',
    provider,
    form: best?.form,
    parameters: best === undefined ? {} : parametersOf(best, provider),
    completeness: completeness(best, otherForms.length + foreign.length),
    missing,
    otherForms: otherForms.map(({ exchanger }) => exchanger.host),
    obsolete: working.filter((each) => isObsolete(each, provider)).map(({ exchanger }) => exchanger.host),
    foreign: foreign.map(({ exchanger, matches }) => ({ exchanger, provider: matches[0]?.provider })),
    leftovers: leftovers.map(({ exchanger }) => exchanger.host),
    order: best === undefined || !provider.orderMatters ? 'not-compared' : compareOrder(best, working),
    spf: best === undefined ? [] : providerTerms(best.form, best.bindings),
  }
}

interface Known {
  readonly exchanger: Exchanger
  readonly matches: readonly HostMatch[]
}

/** A form with the values that its hosts have here. */
interface Candidate {
  readonly form: Form
  readonly bindings: Bindings
  readonly hosts: ReadonlyMap<HostName, FormRecord>
  readonly missing: Recognised['missing']
  /** Hosts of the form that the domain has. */
  readonly present: number
}

/** One exchanger a host, sorted, so that nothing below depends on the order in which a server gave them. */
function distinct(exchangers: readonly Exchanger[]): Exchanger[] {
  const best = new Map<HostName, Exchanger>()
  for (const each of exchangers) {
    const other = best.get(each.host)
    if (other === undefined || each.preference < other.preference) best.set(each.host, each)
  }
  return [...best.values()].sort((a, b) => a.preference - b.preference || (a.host < b.host ? -1 : 1))
}

/** Whose exchanger is tried first; of equals, who has more of them. */
function leader(known: readonly Known[]): Provider | undefined {
  const tally = new Map<Provider, { mail: number; preference: number; hosts: number }>()
  for (const { exchanger, matches } of known) {
    const first = matches[0]
    if (first === undefined) continue
    // RFC 7505 §3: a "." beside others says nothing; nor does a host that is no exchanger.
    const takesMail = first.provider.kind !== 'none' && !first.isLeftover
    const sofar = tally.get(first.provider) ?? { mail: 0, preference: 65536, hosts: 0 }
    tally.set(first.provider, {
      mail: Math.max(sofar.mail, takesMail ? 1 : 0),
      preference: takesMail || sofar.mail === 0 ? Math.min(sofar.preference, exchanger.preference) : sofar.preference,
      hosts: sofar.hosts + 1,
    })
  }
  const ranked = [...tally].sort(
    ([a, x], [b, y]) => y.mail - x.mail || x.preference - y.preference || y.hosts - x.hosts || (a.id < b.id ? -1 : 1),
  )
  return ranked[0]?.[0]
}

/** The form that explains most of the provider's hosts with the fewest missing; of equals the larger, the newer, the first. */
function nearestSet(provider: Provider, working: readonly Known[]): Candidate | undefined {
  const candidates = new Map<string, Candidate>()
  for (const { matches } of working) {
    for (const { provider: owner, form, bindings } of matches) {
      if (owner !== provider || form === undefined) continue
      const key = `${form.id} ${JSON.stringify(bindings)}`
      if (!candidates.has(key)) candidates.set(key, candidateOf(form, bindings, working))
    }
  }
  const faults = ({ missing, present }: Candidate) => missing.length + working.length - present
  const rank = ({ form }: Candidate) => provider.forms.indexOf(form) + 1000 * statusRank[form.status]
  return [...candidates.values()].sort((a, b) => faults(a) - faults(b) || b.present - a.present || rank(a) - rank(b))[0]
}

const statusRank = { current: 0, supported: 1, obsolete: 2 } as const

function candidateOf(form: Form, bindings: Bindings, working: readonly Known[]): Candidate {
  const present = new Set(working.map(({ exchanger }) => exchanger.host))
  const hosts = new Map<HostName, FormRecord>()
  for (const record of form.records) {
    const host = fillHost(record.text, bindings)
    if (host !== undefined) hosts.set(host, record)
  }
  const absent = [...hosts].filter(([host, { optional }]) => !optional && !present.has(host))
  return {
    form,
    bindings,
    hosts,
    missing: absent.map(([host, { preference }]) => ({ preference, host })),
    present: [...hosts.keys()].filter((host) => present.has(host)).length,
  }
}

function completeness(best: Candidate | undefined, others: number): Recognised['completeness'] {
  if (best === undefined) return 'not-compared'
  if (others > 0) return 'mixed'
  return best.missing.length > 0 ? 'partial' : 'complete'
}

/** What `recordsFor` must be told to come to the same form. */
function parametersOf({ form, bindings, hosts }: Candidate, provider: Provider): Bindings {
  const names = placeholders(form.records[0]?.text ?? '')
  const isAsked = names.every((name) => provider.parameters[name]?.ask !== undefined)
  if (!isAsked) return { host: [...hosts.keys()][0] ?? '' }
  return { ...(form.status === 'current' ? form.when : { form: form.id }), ...bindings }
}

function isObsolete({ matches }: Known, provider: Provider): boolean {
  const own = matches.filter((match) => match.provider === provider && match.form !== undefined)
  return own.length > 0 && own.every(({ form }) => form?.status === 'obsolete')
}

function compareOrder({ hosts }: Candidate, working: readonly Known[]): Recognised['order'] {
  const pairs = working.flatMap(({ exchanger }) => {
    const wanted = hosts.get(exchanger.host)?.preference
    return wanted === undefined ? [] : [{ wanted, found: exchanger.preference }]
  })
  let isFlat = false
  for (const a of pairs) {
    for (const b of pairs) {
      if (a.wanted >= b.wanted) continue
      if (a.found > b.found) return 'inverted'
      if (a.found === b.found) isFlat = true
    }
  }
  return isFlat ? 'flattened' : 'as-expected'
}
