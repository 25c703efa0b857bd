/** Where the migrations stand at one moment: read once, so that all that is said of them in one breath goes together. */
import type { HostName } from '../../dns/name.ts'
import { type HeldBack, holdBack } from '../../publish/migrate/hold-back.ts'
import type { Migration } from '../../publish/migrate/migration.ts'
import { type KeptMigrations, loadMigrations } from '../../publish/migrate/migration-file.ts'
import type { Publishing } from '../publishing/publishing.ts'

export interface MigrationsNow {
  readonly kept: KeptMigrations
  /** All that waypost.yaml declares, without what they have in their hands. */
  readonly heldBack: HeldBack
  /** Since 1970. */
  readonly nowMs: number
}

export async function readMigrations({ loaded, deps }: Publishing): Promise<MigrationsNow> {
  const kept = await loadMigrations(loaded.settings.state)
  const nowMs = deps.clock.now()
  return { kept, heldBack: holdBack(loaded.publishing.declarations, kept, nowMs), nowMs }
}

/** Those that are on their way. @param names  of which domains; none: of all */
export const openOf = ({ heldBack }: MigrationsNow, names: readonly HostName[]): Migration[] =>
  heldBack.open.filter(({ domain }) => names.length === 0 || names.includes(domain))
