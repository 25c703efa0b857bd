/**
 * `waypost migrate --abort` of a migration of which nothing was written: there is nothing to bring back, and it is over at once. Called by
 * `migrate.ts`. What was written and not remembered, because a crash lay in between, is seen in what is kept.
 */
import { createTransport } from '../../dns/transport.ts'
import type { Migration } from '../../publish/migrate/migration.ts'
import type { KeptMigrations } from '../../publish/migrate/migration-file.ts'
import { nextStep } from '../../publish/migrate/next-step.ts'
import { doStep, lookAtStep } from '../../publish/migrate/step-migration.ts'
import { changesOf } from '../../publish/plan/plan.ts'
import { witnessesOf } from '../../publish/targets/witnesses.ts'
import type { Publishing } from '../publishing/publishing.ts'
import type { StepFlags } from './step.ts'
import { stepRequest } from './step-request.ts'

const timeoutMs = 5_000

/**
 * Changes nothing.
 * @param back  turned back, with nothing seen
 * @returns with the steps back seen; undefined: something is to be brought back, or that could not be told, or not every server has it
 */
export async function endUnwritten(
  back: Migration,
  kept: KeptMigrations,
  publishing: Publishing,
  flags: Pick<StepFlags, 'allow'>,
): Promise<Migration | undefined> {
  const transport = createTransport(publishing.deps)
  const deps = { ...publishing.deps, transport }
  let migration = back
  try {
    for (;;) {
      if (nextStep(migration, Number.POSITIVE_INFINITY).kind === 'aborted') return migration
      const request = stepRequest(migration, kept, publishing, flags.allow)
      const looked = request && (await lookAtStep(request, publishing.options, publishing.deps))
      if (request === undefined || looked?.kind !== 'ready') return undefined
      const { target, plan } = looked.examined
      try {
        if (changesOf(plan).length > 0) return undefined
        const look = { ...witnessesOf(request.publisher, publishing.options), progress: () => undefined }
        const done = await doStep(request, looked, { waitMs: timeoutMs, timeoutMs, ...look }, deps)
        if (!done.isSeen) return undefined
        migration = done.migration
      } finally {
        target.close()
      }
    }
  } finally {
    transport.close()
  }
}
