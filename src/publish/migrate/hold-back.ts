/**
 * Declarations without what a migration has in its hands: while one is on its way, waypost.yaml names the exchangers from before or from behind
 * it, and to apply these would undo a step or jump over some. Pure; called by `waypost plan` and `waypost apply`.
 */

import type { HostName } from '../../dns/name.ts'
import type { Declaration, DeclaredText } from '../declare/declaration.ts'
import { sameExchangers } from '../sets/mx-set.ts'
import type { Migration } from './migration.ts'
import type { KeptMigrations, UnreadMigration } from './migration-file.ts'
import { nextStep } from './next-step.ts'

export interface HeldBack {
  readonly declarations: readonly Declaration[]
  /** Migrations that are on their way. */
  readonly open: readonly Migration[]
  /** Of these domains nothing is planned: nobody knows what would undo a step of theirs. */
  readonly unread: readonly UnreadMigration[]
  /** It is over, and waypost.yaml still declares what it led away from. */
  readonly outdated: readonly { readonly domain: HostName; readonly what: 'exchangers' | 'SPF record' }[]
}

/** Printable: what of the declared records of these domains is not in the plans, and why. Empty: all of it is. */
export function leftOut({ open, unread, outdated }: HeldBack, declarations: readonly Declaration[]): string[] {
  const declared = new Map(declarations.map((declaration) => [declaration.domain, declaration]))
  return [
    ...open.flatMap(({ domain, spf }) => {
      const declaration = declared.get(domain)
      if (declaration === undefined) return []
      const kinds = new Set(declaration.texts.map(({ kind }) => kind))
      const { exchangers } = declaration
      const hasAddresses = Array.isArray(exchangers) && exchangers.some(({ addresses }) => addresses !== undefined)
      const what = ['MX', ...(spf && kinds.has('spf') ? ['SPF'] : []), ...(kinds.has('mtaSts') ? ['MTA-STS'] : [])]
      const addresses = hasAddresses ? ', and the addresses of its exchangers,' : ''
      return [
        `${domain}: its ${what.join(', ')} records${addresses} are left out: it is being migrated, see "waypost migrate ${domain}"`,
      ]
    }),
    ...unread
      .filter(({ domain }) => declared.has(domain))
      .map(({ domain, why }) => `${domain}: its records are left out: ${why}`),
    ...outdated
      .filter(({ domain }) => declared.has(domain))
      .map(
        ({ domain, what }) =>
          `${domain}: its declared ${what} of before are left out: it was migrated, and waypost.yaml does not say so yet`,
      ),
  ]
}

/** @param nowMs  since 1970 */
export function holdBack(
  declarations: readonly Declaration[],
  { migrations, unread }: KeptMigrations,
  nowMs: number,
): HeldBack {
  const byDomain = new Map(migrations.map((migration) => [migration.domain, migration]))
  const unknown = new Set(unread.map(({ domain }) => domain))
  const open: Migration[] = []
  const outdated: HeldBack['outdated'][number][] = []
  const kept = declarations.map((declaration): Declaration => {
    if (unknown.has(declaration.domain)) return { ...declaration, exchangers: undefined, texts: [], absent: [] }
    const migration = byDomain.get(declaration.domain)
    if (migration === undefined) return declaration
    const { kind } = nextStep(migration, nowMs)
    if (kind === 'done' || kind === 'aborted') {
      const { domain } = declaration
      const hasOldSpf = kind === 'done' && declaration.texts.some((text) => isOldSpf(text, migration))
      if (hasOldSpf) outdated.push({ domain, what: 'SPF record' })
      const left = kind === 'done' ? migration.old : migration.next
      const texts = hasOldSpf ? declaration.texts.filter(({ kind }) => kind !== 'spf') : declaration.texts
      const { exchangers } = declaration
      if (exchangers === undefined || exchangers === 'none' || !sameExchangers(exchangers, left.exchangers))
        return hasOldSpf ? { ...declaration, texts } : declaration
      outdated.push({ domain, what: 'exchangers' })
      return { ...declaration, exchangers: undefined, texts: texts.filter((text) => text.kind !== 'mtaSts') }
    }
    open.push(migration)
    const texts = declaration.texts.filter(
      ({ kind }) => kind !== 'mtaSts' && (kind !== 'spf' || migration.spf === undefined),
    )
    return { ...declaration, exchangers: undefined, texts }
  })
  return { declarations: kept, open, unread, outdated }
}

/** The one that let the old side alone send. */
const isOldSpf = ({ kind, text }: DeclaredText, { spf }: Migration) => kind === 'spf' && text === spf?.oldText
