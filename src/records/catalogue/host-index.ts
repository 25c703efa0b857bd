/**
 * Whose host is this? A look-up by the whole name, then one for each parent of it: what it costs does not depend on how many providers
 * there are, and 100,000 domains are checked in a run. Used by `catalogue.ts`.
 */
import type { HostName } from '../../dns/name.ts'
import type { Form, KnownHost, Provider } from './provider.ts'
import { type Bindings, type HostTemplate, matchTemplate } from './template.ts'

export interface HostMatch {
  readonly provider: Provider
  /** The form that it is a host of; undefined for the provider's other hosts and for leftovers. */
  readonly form: Form | undefined
  /** It proves ownership and takes no mail. */
  readonly isLeftover: boolean
  readonly bindings: Bindings
}

export interface HostIndex {
  /** Everybody who may have said this host, whoever runs it first; empty for a host that nobody here knows. */
  match(host: HostName): readonly HostMatch[]
  /** Every template that the index holds, for the search for typing errors. */
  readonly templates: readonly IndexedTemplate[]
}

export interface IndexedTemplate {
  readonly provider: Provider
  readonly form: Form | undefined
  readonly isLeftover: boolean
  readonly template: HostTemplate
}

export function createHostIndex(providers: readonly Provider[]): HostIndex {
  const templates = providers.flatMap(templatesOf)
  // Whoever runs a host stands before those who let their customers use it.
  const ordered = [...templates.filter((each) => !isBorrowed(each)), ...templates.filter(isBorrowed)]
  const exact = group(ordered.filter(({ template }) => template.head === undefined))
  const below = group(ordered.filter(({ template }) => template.head !== undefined))

  return {
    templates,
    match(host) {
      const found: HostMatch[] = []
      const tryAll = (candidates: readonly IndexedTemplate[] | undefined) => {
        for (const { provider, form, isLeftover, template } of candidates ?? []) {
          const bindings = matchTemplate(template, host)
          if (bindings !== undefined) found.push({ provider, form, isLeftover, bindings })
        }
      }
      tryAll(exact.get(host))
      for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1))
        tryAll(below.get(host.slice(dot + 1)))
      return found.some(isBorrowed)
        ? [...found.filter((each) => !isBorrowed(each)), ...found.filter(isBorrowed)]
        : found
    },
  }
}

const isBorrowed = ({ form }: { readonly form: Form | undefined }) => form?.hostsOf !== undefined

function templatesOf(provider: Provider): IndexedTemplate[] {
  const each = (host: KnownHost, form: Form | undefined, isLeftover: boolean): IndexedTemplate[] =>
    host.templates.map((template) => ({ provider, form, isLeftover, template }))
  return [
    ...provider.forms.flatMap((form) => form.records.flatMap((record) => each(record, form, false))),
    ...provider.hosts.flatMap((host) => each(host, undefined, false)),
    ...provider.leftovers.flatMap((host) => each(host, undefined, true)),
  ]
}

function group(templates: readonly IndexedTemplate[]): ReadonlyMap<string, readonly IndexedTemplate[]> {
  const groups = new Map<string, IndexedTemplate[]>()
  for (const each of templates) {
    const others = groups.get(each.template.suffix)
    if (others) others.push(each)
    else groups.set(each.template.suffix, [each])
  }
  return groups
}
