/** What is said of a domain that somebody named and that declares no records. Used by `plan`, `apply` and `migrate`. */
import { didYouMean } from '../../base/nearest.ts'
import type { Loaded } from '../../config/load.ts'
import type { HostName } from '../../dns/name.ts'

const mostNamed = 5

/** Printable. */
export function whyUndeclared(name: HostName, { names, publishing }: Loaded): string {
  if (names.has(name)) return `${name} declares no records: it has no "exchangers:" in the configuration`
  const declared = publishing.declarations.map(({ domain }) => domain)
  const near = didYouMean(name, declared)
  if (near !== '') return `${name} is not declared in the configuration${near}`
  const more = declared.length > mostNamed ? `, and ${declared.length - mostNamed} more` : ''
  const all =
    declared.length === 0
      ? 'no domain declares records'
      : `declared are ${declared.slice(0, mostNamed).join(', ')}${more}`
  return `${name} is not declared in the configuration; ${all}`
}
