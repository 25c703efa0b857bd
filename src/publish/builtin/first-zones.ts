/**
 * Makes the zones of the built-in server that are declared and not there yet, with all that is declared of them: where nothing was served
 * before, nothing can be hurt. Every later change is `waypost apply`'s. Called by `waypost serve` when it starts and when it loads its
 * configuration again.
 */
import { existsSync } from 'node:fs'
import { writeWhole } from '../../base/atomic-file.ts'
import type { Clock } from '../../base/clock.ts'
import { makeFolder } from '../../base/make-folder.ts'
import { mapAtOnce } from '../../base/map-at-once.ts'
import { syncFolder } from '../../base/sync-folder.ts'
import type { HostName } from '../../dns/name.ts'
import { classCodes } from '../../dns/types.ts'
import { writeZone } from '../../dns/zone-text/write.ts'
import type { Declaration } from '../declare/declaration.ts'
import { wantedIn } from '../declare/wanted.ts'
import type { PublisherOptions } from '../options.ts'
import { type Unit, unitsOf } from '../plan/examine.ts'
import { changesOf, planZone } from '../plan/plan.ts'
import { builtinFolder, builtinZonePath, newZoneOf, newZoneRecords } from '../targets/builtin-zone.ts'
import { noLimits } from '../targets/target.ts'
import { whyRefused } from '../targets/zone-file/replace-zone-file.ts'

export interface FirstZones {
  readonly made: number
  /** Zones that could not be made, each with the reason; printable. */
  readonly problems: readonly { readonly unit: Unit; readonly why: string }[]
}

export interface FirstZonesDeps {
  readonly clock: Clock
  /** The state folder. */
  readonly state: string
  readonly hostname: HostName
  /** Asked now and then: what is not made yet is made at the next start. */
  readonly isStopping: () => boolean
}

type BuiltinOptions = Extract<PublisherOptions, { type: 'builtin' }>

export async function makeFirstZones(
  declarations: readonly Declaration[],
  publishers: Readonly<Record<string, PublisherOptions>>,
  deps: FirstZonesDeps,
): Promise<FirstZones> {
  const folder = builtinFolder(deps.state)
  // At nearly every start nearly all of them are there.
  const missing = unitsOf(declarations, publishers).flatMap((unit) => {
    const options = unit.publisher === undefined ? undefined : publishers[unit.publisher]
    return options?.type === 'builtin' && !existsSync(builtinZonePath(folder, unit.zone)) ? [{ unit, options }] : []
  })
  if (missing.length === 0) return { made: 0, problems: [] }
  await makeFolder(folder)
  let made = 0
  const problems = await mapAtOnce(missing, atOnce, async ({ unit, options }) => {
    if (deps.isStopping()) return []
    const why = await makeFirst(unit, options, deps)
    if (why !== undefined) return [{ unit, why }]
    made++
    return []
  })
  // Once for all: nobody serves any of them before this is over.
  await syncFolder(folder)
  return { made, problems: problems.flat() }
}

/** A disk makes many files durable in the time of one. */
const atOnce = 32

/**
 * Written at once, and not by way of a target, which reads, edits and looks again: there may be very many of them, and nothing is there yet.
 * @returns the reason why it was not made, undefined where it was
 */
async function makeFirst(
  { zone, declarations }: Unit,
  options: BuiltinOptions,
  deps: FirstZonesDeps,
): Promise<string | undefined> {
  const wanted = wantedIn(zone, declarations)
  if (wanted.problems.length > 0) return wanted.problems.join('; ')
  const plan = planZone(zone, wanted.sets, [], noLimits)
  const [obstacle] = plan.obstacles
  if (obstacle) return obstacle.why
  const fresh = newZoneRecords(newZoneOf(zone, options, deps.hostname, deps.clock.now()))
  const more = changesOf(plan).flatMap(({ name, after }) =>
    (after?.data ?? []).map((data) => ({ name, class: classCodes.IN, ttlSeconds: after?.ttlSeconds ?? 0, data })),
  )
  const path = builtinZonePath(builtinFolder(deps.state), zone)
  try {
    await writeWhole(path, (file) => file.writeFile(writeZone([...fresh, ...more], zone), 'latin1'))
    return undefined
  } catch (error) {
    const why = whyRefused(error)
    if (why === undefined) throw error
    return `${path} cannot be written: ${why}`
  }
}
