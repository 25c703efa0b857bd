/** What people say of where a domain is to move: `--to` and `--set` as exchangers, `--spf` as terms. Pure; called by `migrate.ts`. */
import { printable } from '../../base/printable.ts'
import { type Declaration, declaredExchangers } from '../../publish/declare/declaration.ts'
import { readExchangerHost } from '../../publish/options.ts'
import type { Exchanger } from '../../records/catalogue/provider.ts'
import { recordsFor } from '../../records/catalogue/records-for.ts'
import { parseSpf } from '../../records/spf.ts'

type Failed = { readonly kind: 'failed'; readonly why: string }

export type Wanted = { readonly kind: 'exchangers'; readonly exchangers: readonly Exchanger[] } | Failed

const failed = (why: string): Failed => ({ kind: 'failed', why })

/** What `--to` means, or why it means nothing. */
export function readWanted(
  to: string,
  given: Readonly<Record<string, string>>,
  declaration: Pick<Declaration, 'exchangers'>,
): Wanted {
  if (to === 'declared') {
    const declared = declaredExchangers(declaration)
    if (declared.length === 0) return failed('waypost.yaml declares no exchangers to go to')
    return { kind: 'exchangers', exchangers: declared.map(({ preference, host }) => ({ preference, host })) }
  }
  if (to.includes(':')) return readHosts(to)
  const found = recordsFor(to, given)
  switch (found.kind) {
    case 'records':
      return { kind: 'exchangers', exchangers: found.records }
    case 'parameter-needed': {
      const choices = found.choices.map(({ value }) => value)
      const example = choices[0] ?? found.example ?? '…'
      const all = choices.length > 1 ? ` (${choices.join(', ')})` : ''
      return failed(
        `${found.provider.name} asks: ${found.question} Say it with --set ${found.parameter}=${example}${all}`,
      )
    }
    case 'parameter-wrong':
    case 'not-publishable':
      return failed(printable(found.why, 500))
    case 'unknown':
      return failed(`"${printable(to, 100)}" is no provider that is known here${hintAt(to, found.nearest)}`)
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

/** `terms` undefined: nobody said `--spf`. */
export type SaidSpf = { readonly kind: 'spf'; readonly terms: readonly string[] | undefined } | Failed

/** The terms that `--spf` means, or why it means none. */
export function readSpf(flags: SpfFlags, to: string): SaidSpf {
  if (flags.spf === undefined) return { kind: 'spf', terms: undefined }
  if (typeof flags.spf === 'string') {
    const parsed = parseSpf(`v=spf1 ${flags.spf}`)
    if (parsed.kind === 'spf') return { kind: 'spf', terms: parsed.record.terms.map(({ text }) => text) }
    return failed(`--spf: ${parsed.problems[0]?.message ?? 'no terms of SPF'}`)
  }
  const found = recordsFor(to, flags.set ?? {})
  if (found.kind !== 'records')
    return failed(
      `${printable(to, 100)} is no provider whose SPF terms are known: say them, such as --spf "include:spf.example.net"`,
    )
  const terms = found.spf.filter(({ publishable, kind }) => publishable && kind !== 'fail-all').map(({ text }) => text)
  if (terms.length > 0) return { kind: 'spf', terms }
  return failed(
    `the SPF terms of ${found.provider.name} are not confirmed: say those that it gives you, such as --spf "include:spf.example.net"`,
  )
}

function readHosts(text: string): Wanted {
  const exchangers: Exchanger[] = []
  for (const word of text.split(',')) {
    const [, digits = '', hostText = ''] = /^(\d{1,5}):(.+)$/.exec(word.trim()) ?? []
    const preference = Number(digits)
    if (digits === '' || preference > 65_535)
      return failed(`"${printable(word, 100)}" is no exchanger: write preference and host, such as 10:mx1.example.net`)
    const host = readExchangerHost(hostText)
    if (host.kind === 'no')
      return failed(
        `"${printable(word, 100)}" is no exchanger: write a full host name, such as 10:mx1.example.net; this ${printable(host.why, 200)}`,
      )
    if (exchangers.some((each) => each.host === host.value)) return failed(`${host.value} stands there twice`)
    exchangers.push({ preference, host: host.value })
  }
  return { kind: 'exchangers', exchangers }
}
