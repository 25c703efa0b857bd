/** waypost.yaml, whole and in order, for commands that can do nothing without it. What is wrong with it has been said when it is not. */
import { hostname } from 'node:os'
import { systemClock } from '../base/clock.ts'
import { readInBackground } from '../config/background.ts'
import { type Loaded, loadConfig } from '../config/load.ts'
import { formatProblems } from '../config/source.ts'
import { findConfig } from './config-path.ts'
import type { Terminal } from './terminal.ts'

/** @param find  `findRunningConfig` where the running gateway is meant */
export async function loadForCommand(
  config: string | undefined,
  terminal: Terminal,
  find = findConfig,
): Promise<Loaded | undefined> {
  const found = find(config)
  if (found.kind === 'none') {
    terminal.err(`waypost: ${found.why}\n`)
    return undefined
  }
  const loaded = await loadConfig(found.path, {
    clock: systemClock,
    machineName: hostname(),
    read: readInBackground,
  })
  if (loaded.kind === 'loaded') return loaded
  if (loaded.kind === 'invalid') terminal.err(`${formatProblems(loaded.problems)}\n`)
  return undefined
}
