/** `waypost apply --plan FILE`: whether the plan of now is the one that was looked at. */
import { readFile } from 'node:fs/promises'
import { printable } from '../../base/printable.ts'
import type { RefusalRule } from '../../publish/consequences.ts'
import type { Examined } from '../../publish/examine.ts'
import type { Terminal } from '../terminal.ts'
import { planJson } from './plan-report.ts'

/** Where it is not, both are shown. */
export async function isSamePlan(
  file: string,
  zones: readonly Examined[],
  allowed: ReadonlySet<RefusalRule>,
  terminal: Terminal,
): Promise<boolean> {
  const shown = printable(file, 300)
  const kept = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => ({ code: error.code ?? 'unknown' }))
  if (typeof kept !== 'string') {
    terminal.err(`waypost: ${shown} cannot be read (${kept.code})\n`)
    return false
  }
  const now = planJson(zones, allowed)
  const [before, after] = [changesIn(kept), changesIn(now)]
  if (before === undefined) {
    terminal.err(`waypost: ${shown} is no plan of "waypost plan --json"\n`)
    return false
  }
  if (before === after) return true
  terminal.err(
    `waypost: nothing was changed: the plan is no longer the one in ${shown}.\nIt was:\n${before}\nIt is:\n${after}\n`,
  )
  return false
}

/** What a plan would do, without what was only found out along the way. */
function changesIn(text: string): string | undefined {
  try {
    const { zones } = JSON.parse(text) as {
      zones: { zone: unknown; publisher: unknown; newZone: unknown; changes: unknown }[]
    }
    return JSON.stringify(
      zones.map(({ zone, publisher, newZone, changes }) => ({ zone, publisher, newZone, changes })),
      undefined,
      2,
    )
  } catch {
    return undefined
  }
}
