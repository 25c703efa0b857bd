/** What `publish` has to know of waypost.yaml and of other migrations to plan or do a step of this one. */
import type { HostName } from '../../dns/name.ts'
import { declaredExchangers } from '../../publish/declare/declaration.ts'
import { hostsOfBoth, type Migration } from '../../publish/migrate/migration.ts'
import type { KeptMigrations } from '../../publish/migrate/migration-file.ts'
import type { StepRequest } from '../../publish/migrate/step-migration.ts'
import type { RefusalRule } from '../../publish/plan/consequences.ts'
import type { Publishing } from '../publishing/publishing.ts'

/** @returns undefined where waypost.yaml does not say any more where the records of the domain are kept */
export function stepRequest(
  migration: Migration,
  kept: KeptMigrations,
  publishing: Publishing,
  allowed: ReadonlySet<RefusalRule>,
): StepRequest | undefined {
  const { domain } = migration
  const declaration = publishing.loaded.publishing.declarations.find((each) => each.domain === domain)
  const publisher = declaration?.publisher
  if (publisher === undefined) return undefined
  return { migration, publisher, needed: neededByOthers(domain, kept, publishing), unread: kept.unread, allowed }
}

/** Hosts that other domains declare as exchangers, or are on their way to. */
function neededByOthers(
  domain: HostName,
  { migrations }: KeptMigrations,
  { loaded }: Publishing,
): ReadonlySet<HostName> {
  const others = loaded.publishing.declarations.filter((each) => each.domain !== domain)
  const declared = others.flatMap(declaredExchangers)
  const moving = migrations.filter((each) => each.domain !== domain).flatMap(hostsOfBoth)
  return new Set([...declared.map(({ host }) => host), ...moving])
}
