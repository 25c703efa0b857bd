/** What people say of where a domain is to move: `--to` and `--set` as exchangers, `--spf` as terms. Pure; called by `migrate.ts`. */
import { printable } from '../../base/printable.ts'
import { type Declaration, declaredExchangers } from '../../publish/declare/declaration.ts'
import { readExchangerHost } from '../../publish/options.ts'
import type { Exchanger } from '../../records/catalogue/provider.ts'
import { recordsFor } from '../../records/catalogue/records-for.ts'
import { parseSpf } from '../../records/spf.ts'

/** What `--to` means, or why it means nothing. */
export function readWanted(
  to: string,
  given: Readonly<Record<string, string>>,
  declaration: Pick<Declaration, 'exchangers'>,
): readonly Exchanger[] | string {
  if (to === 'declared') {
    const declared = declaredExchangers(declaration)
    if (declared.length === 0) return 'waypost.yaml declares no exchangers to go to'
    return declared.map(({ preference, host }) => ({ preference, host }))
  }
  if (to.includes(':')) return readHosts(to)
  const found = recordsFor(to, given)
  switch (found.kind) {
    case 'records':
      return found.records
    case 'parameter-needed': {
      const choices = found.choices.map(({ value }) => value)
      const example = choices[0] ?? found.example ?? '…'
      return `${found.provider.name} asks: ${found.question} Say it with --set ${found.parameter}=${example}${choices.length > 1 ? ` (${choices.join(', ')})` : ''}`
    }
    case 'parameter-wrong':
    case 'not-publishable':
      return printable(found.why, 500)
    case 'unknown':
      return `"${printable(to, 100)}" is no provider that is known here${hintAt(to, found.nearest)}`
  }
}

function hintAt(to: string, nearest: string | undefined): string {
  if (nearest !== undefined) return `; did you mean "${nearest}"?`
  const host = readExchangerHost(to)
  if (host.kind === 'value') return `; a host wants its preference: 10:${host.value}`
  return '; docs/providers.md has their names, and a host is written with its preference, such as 10:mx1.example.net'
}

export interface SpfFlags {
  /** `true`: those of the provider. */
  readonly spf?: string | true
  readonly set?: Readonly<Record<string, string>>
}

/** The terms that `--spf` means, undefined where it was not said, or why it means none. */
export function readSpf(flags: SpfFlags, to: string): readonly string[] | string | undefined {
  if (flags.spf === undefined) return undefined
  if (typeof flags.spf === 'string') {
    const parsed = parseSpf(`v=spf1 ${flags.spf}`)
    if (parsed.kind === 'spf') return parsed.record.terms.map(({ text }) => text)
    return `--spf: ${parsed.problems[0]?.message ?? 'no terms of SPF'}`
  }
  const found = recordsFor(to, flags.set ?? {})
  if (found.kind !== 'records')
    return `${printable(to, 100)} is no provider whose SPF terms are known: say them, such as --spf "include:spf.example.net"`
  const terms = found.spf.filter(({ publishable, kind }) => publishable && kind !== 'fail-all').map(({ text }) => text)
  if (terms.length > 0) return terms
  return `the SPF terms of ${found.provider.name} are not confirmed: say those that it gives you, such as --spf "include:spf.example.net"`
}

function readHosts(text: string): readonly Exchanger[] | string {
  const exchangers: Exchanger[] = []
  for (const word of text.split(',')) {
    const [, digits = '', hostText = ''] = /^(\d{1,5}):(.+)$/.exec(word.trim()) ?? []
    const preference = Number(digits)
    if (digits === '' || preference > 65_535)
      return `"${printable(word, 100)}" is no exchanger: write preference and host, such as 10:mx1.example.net`
    const host = readExchangerHost(hostText)
    if (host.kind === 'no')
      return `"${printable(word, 100)}" is no exchanger: write a full host name, such as 10:mx1.example.net; this ${printable(host.why, 200)}`
    if (exchangers.some((each) => each.host === host.value)) return `${host.value} stands there twice`
    exchangers.push({ preference, host: host.value })
  }
  return exchangers
}
