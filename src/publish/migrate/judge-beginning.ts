/** What is live and what is wanted → a migration, or why there is none. Pure; called by `begin-migration.ts`, which looks at the world. */
import { type MxSet, sameExchangers } from '../sets/mx-set.ts'
import type { Migration } from './migration.ts'

export type Beginning =
  | { readonly kind: 'begun'; readonly migration: Migration }
  /** The live set is the wanted one but for TTL and order. */
  | { readonly kind: 'nothing-to-move' }
  | { readonly kind: 'impossible'; readonly why: string; readonly remedy: string }

export interface BeginWords
  extends Pick<
    Migration,
    'domain' | 'to' | 'next' | 'lowTtlSeconds' | 'cachedUntilMs' | 'policy' | 'spf' | 'addresses'
  > {
  /** Live; undefined: there are no MX records. */
  readonly old: MxSet | undefined
}

/** A root exchanger is a null MX (RFC 7505 §3). */
export function judgeBeginning(words: BeginWords, nowMs: number): Beginning {
  const { domain, old, next } = words
  const impossible = (why: string, remedy: string): Beginning => ({ kind: 'impossible', why, remedy })
  if (next.exchangers.length === 0 || next.exchangers.some(({ host }) => host === '.'))
    return impossible(`${domain} would take no mail`, 'To have it take none, declare "exchangers: none" and apply.')
  if (old === undefined || old.exchangers.length === 0)
    return impossible(
      `${domain} has no MX records, so that its mail goes to its own address, if it has one (RFC 5321 §5.1)`,
      `Declare where it goes now, such as exchangers: [{ preference: 10, host: ${domain} }], apply that, and migrate then.`,
    )
  if (old.exchangers.some(({ host }) => host === '.'))
    return impossible(
      `${domain} takes no mail now (RFC 7505)`,
      'Nothing can be lost: declare its exchangers, and apply.',
    )
  if (sameExchangers(old.exchangers, next.exchangers)) return { kind: 'nothing-to-move' }
  const lowTtlSeconds = Math.min(words.lowTtlSeconds, old.ttlSeconds, next.ttlSeconds)
  return { kind: 'begun', migration: { ...words, old, lowTtlSeconds, startedAtMs: nowMs, isBack: false, seen: [] } }
}
