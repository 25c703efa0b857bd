/** The MX sets of a migration: what each stage leaves in DNS, and which may be live before it. Pure; asked by `step-migration.ts`. */
import type { Exchanger } from '../../records/catalogue/provider.ts'
import type { MxSet } from '../sets/mx-set.ts'
import { backStages, forwardStages, type Migration, type Stage, stagesOf } from './migration.ts'

/** The MX set that a stage leaves behind; some leave it as it is. */
export function setAfter(migration: Migration, stage: Stage): MxSet {
  const { old, next, lowTtlSeconds } = migration
  switch (stage) {
    case 'authorise':
    case 'addresses':
      return old
    case 'lower-ttl':
    case 'policy':
      return { ttlSeconds: lowTtlSeconds, exchangers: old.exchangers }
    case 'add':
      return { ttlSeconds: lowTtlSeconds, exchangers: beside(old.exchangers, next.exchangers) }
    case 'switch':
      return { ttlSeconds: lowTtlSeconds, exchangers: next.exchangers }
    case 'raise-ttl':
      return next
    case 'restore':
    case 'withdraw':
      return old
  }
}

/** The sets that may rightly be live while this is the next stage: any other was put there by somebody else. */
export function expectedSets(migration: Migration): readonly MxSet[] {
  const { seen, old } = migration
  const stages = migration.isBack ? [...forwardStages, ...backStages] : stagesOf(migration).slice(0, seen.length + 1)
  return [...(seen.length === 0 || migration.isBack ? [old] : []), ...stages.map((stage) => setAfter(migration, stage))]
}

/**
 * The new exchangers behind the old ones, in their own order: a sender comes to them only where no old one answers. RFC 974 and RFC 5321 §5.1 know
 * numbers only by their order, so that the old ones are numbered anew where there is no room behind them.
 */
export function beside(old: readonly Exchanger[], next: readonly Exchanger[]): Exchanger[] {
  const hosts = new Set(old.map(({ host }) => host))
  const added = next.filter(({ host }) => !hosts.has(host))
  const ranks = ranksOf(added)
  const worst = Math.max(...old.map(({ preference }) => preference))
  const hasRoom = worst + 10 * (ranks.size + 1) <= 65_535
  const oldRanks = ranksOf(old)
  const front = hasRoom ? old : old.map((each) => ({ ...each, preference: oldRanks.get(each.preference) ?? 0 }))
  const base = hasRoom ? worst : oldRanks.size - 1
  const step = hasRoom ? 10 : 1
  const back = added.map(({ host, preference }) => ({
    host,
    preference: base + step * (1 + (ranks.get(preference) ?? 0)),
  }))
  return [...front, ...back]
}

/** 0 for the best preference, 1 for the next. */
function ranksOf(exchangers: readonly Exchanger[]): ReadonlyMap<number, number> {
  const preferences = [...new Set(exchangers.map(({ preference }) => preference))].toSorted((a, b) => a - b)
  return new Map(preferences.map((preference, rank) => [preference, rank]))
}
