/**
 * What a command did by itself, told to the running gateway, which keeps it in its history (`noted-deeds.ts`); without one there is nobody to keep it, and it is
 * done all the same. Called by the commands that change DNS.
 */
import { systemClock } from '../base/clock.ts'
import { askControl, controlPath } from '../gateway/operate/control.ts'
import type { Move } from '../gateway/operate/deed.ts'
import { appliedCommand, migratedCommand } from './noted-deeds.ts'
import { whoAsks } from './who-asks.ts'

/** Of one question. */
const timeoutMs = 5_000

/** Zones in one word to the gateway. */
const notedAtOnce = 50

export interface MadeChanges {
  readonly zone: string
  readonly changes: number
}

/** @param state  the folder */
export async function noteApplied(state: string, made: readonly MadeChanges[]): Promise<void> {
  for (let from = 0; from < made.length; from += notedAtOnce)
    if (!(await note(state, appliedCommand, { zones: made.slice(from, from + notedAtOnce) }))) return
}

/** @param state  the folder */
export async function noteMove(state: string, domain: string, move: Move): Promise<void> {
  await note(state, migratedCommand, { domain, move })
}

async function note(state: string, command: string, given: Readonly<Record<string, unknown>>): Promise<boolean> {
  const request = { command, arguments: given, by: whoAsks(process.env) }
  const asked = await askControl(controlPath(state), request, { clock: systemClock, timeoutMs })
  return asked.kind === 'done'
}
