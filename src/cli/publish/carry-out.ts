/**
 * The changes of `waypost apply`, zone after zone: each is written, and while its servers are asked whether it arrived the next one is written. What
 * cannot be written ends it, because what follows was planned on the belief that this one works. Called by `apply.ts`.
 */
import { createTransport } from '../../dns/transport.ts'
import { hostFromName, nameText, sameName } from '../../dns/wire-name.ts'
import { type AppliedZone, type ApplyDeps, seeZone, writeZone } from '../../publish/apply/apply.ts'
import { type ExaminedZone, unitText } from '../../publish/plan/examine.ts'
import { witnessesOf } from '../../publish/targets/witnesses.ts'
import { type MadeChanges, noteApplied } from '../note-with-gateway.ts'
import type { Publishing } from '../publishing/publishing.ts'
import type { ExitCode, Terminal } from '../terminal.ts'
import { tellEach, tellTogether } from './apply-report.ts'

/** Zones of each of which is told how far it is; of more, how far they are together. */
const mostTold = 10

/** Zones that are on their way at once: the built-in server reads so many again together, and answers for each within its own rate limit. */
const mostAtOnce = 200

/** Of one question. */
const timeoutMs = 5_000

/** @param waitMs  for the servers of each zone; 0: nobody looks */
export async function carryOut(
  zones: readonly ExaminedZone[],
  publishing: Publishing,
  waitMs: number,
  terminal: Terminal,
): Promise<ExitCode> {
  const transport = createTransport(publishing.deps)
  const deps: ApplyDeps = { ...publishing.deps, transport }
  const telling = zones.length > mostTold ? tellTogether(zones.length, terminal) : tellEach(terminal)
  let exit: ExitCode = 0
  const made: MadeChanges[] = []
  const told = (zone: ExaminedZone, applied: AppliedZone) => {
    if (applied.cachesUntilMs !== undefined)
      made.push({ zone: hostFromName(zone.unit.zone) ?? nameText(zone.unit.zone), changes: applied.changes.length })
    const code = telling.done(unitText(zone.unit), applied, waitMs)
    exit = code === 0 ? exit : code
  }
  const see = async (zone: ExaminedZone, written: AppliedZone) => {
    const progress = (servers: Parameters<typeof telling.progress>[1]) => telling.progress(unitText(zone.unit), servers)
    const options = { waitMs, timeoutMs, ...witnessesOf(zone.unit.publisher, publishing.options), progress }
    told(zone, await seeZone(zone, written, options, deps))
  }
  const seeing = new Set<Promise<void>>()
  let left = zones.length
  try {
    for (const group of groupsOf(zones, publishing)) {
      while (seeing.size > 0 && seeing.size + group.length > mostAtOnce) await Promise.race(seeing)
      const written = await Promise.all(group.map(async (zone) => [zone, await writeZone(zone, deps)] as const))
      left -= group.length
      for (const [zone, applied] of written) {
        const seen = see(zone, applied).then(() => void seeing.delete(seen))
        // What it throws is heard where it is waited for.
        seen.catch(() => undefined)
        seeing.add(seen)
      }
      if (written.some(([, { outcome }]) => outcome.kind !== 'applied')) break
    }
    await Promise.all(seeing)
  } finally {
    telling.end()
    transport.close()
    await noteApplied(publishing.loaded.settings.state, made)
  }
  if (left > 0) terminal.err(`waypost: stopped here; ${left} more zone${left === 1 ? ' was' : 's were'} not touched\n`)
  return exit
}

/**
 * Zones that are written at once, in their order: of servers that take updates one after the other, because those of one key must not overtake each
 * other (RFC 8945 §5.2.3).
 */
function groupsOf(zones: readonly ExaminedZone[], { options }: Publishing): ExaminedZone[][] {
  const groups: ExaminedZone[][] = []
  const isBuiltin = ({ unit }: ExaminedZone) =>
    unit.publisher !== undefined && options.publishers[unit.publisher]?.type === 'builtin'
  for (const zone of zones) {
    const last = groups.at(-1)
    // Two publishers of one zone write one file: what the second was planned on is what the first has written.
    const isApart = (other: ExaminedZone) => !sameName(other.unit.zone, zone.unit.zone)
    const goesAlong =
      last?.[0] && last.length < mostAtOnce && isBuiltin(zone) && isBuiltin(last[0]) && last.every(isApart)
    if (goesAlong) last.push(zone)
    else groups.push([zone])
  }
  return groups
}
