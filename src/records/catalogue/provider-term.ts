/** The term that a provider wants in the SPF record of its customers (RFC 7208 §5, §6.1). Handed out by recognise.ts and records-for.ts. */
import type { HostName } from '../../dns/name.ts'
import { type Form, isPublishable } from './provider.ts'
import { type Bindings, fill, fillHost } from './template.ts'

/** `text` is the term as it stands in a record; `publishable` is false where the term serves to recognise alone. */
export type ProviderTerm = { readonly text: string; readonly publishable: boolean } & (
  | { readonly kind: 'include' | 'redirect'; readonly domain: HostName }
  /** Its domain is made of macros (RFC 7208 §7). */
  | { readonly kind: 'exists' }
  | { readonly kind: 'mx' }
  /** `-all`: nobody sends. */
  | { readonly kind: 'fail-all' }
)

/** @param bindings  the values for what differs; a term that lacks one of them is left out */
export function providerTerms(form: Form, bindings: Bindings): readonly ProviderTerm[] {
  const all = { ...form.when, ...bindings }
  return form.spf.flatMap(({ text: template, confidence }): ProviderTerm[] => {
    const text = fill(template, all)
    if (text === undefined) return []
    const common = { text, publishable: isPublishable(confidence) }
    const named = splitTerm(template)
    if (named === undefined)
      return [{ ...common, kind: text === 'mx' ? 'mx' : text === '-all' ? 'fail-all' : 'exists' }]
    const domain = fillHost(named.domain, all)
    return domain === undefined ? [] : [{ ...common, kind: named.kind, domain }]
  })
}

/** The term's kind and its domain as the catalogue writes it; undefined for a term without a plain domain. */
export function splitTerm(
  text: string,
): { readonly kind: 'include' | 'redirect'; readonly domain: string } | undefined {
  if (text.startsWith('include:')) return { kind: 'include', domain: text.slice('include:'.length) }
  if (text.startsWith('redirect=')) return { kind: 'redirect', domain: text.slice('redirect='.length) }
  return undefined
}
