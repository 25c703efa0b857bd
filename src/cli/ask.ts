/** How a command asks the running gateway of a configuration: through the control socket in its state folder. */
import { hostname } from 'node:os'
import { systemClock } from '../base/clock.ts'
import { loadConfig } from '../config/load.ts'
import { formatProblems } from '../config/source.ts'
import { askControl, type ControlRequest, controlPath } from '../gateway/operate/control.ts'
import { anotherUserText } from './another-user.ts'
import { findRunningConfig } from './config-path.ts'
import type { Terminal } from './terminal.ts'
import { whoAsks } from './who-asks.ts'

export type Heard =
  | { readonly kind: 'done'; readonly result: unknown }
  /** The gateway could not, and was asked rightly. Already said. */
  | { readonly kind: 'refused' }
  /** It could not be asked. Already said. */
  | { readonly kind: 'could-not'; readonly isNotRunning?: boolean }

const usualMs = 60_000

/** @param timeoutMs  how long an answer is waited for */
export async function askGateway(
  config: string | undefined,
  request: ControlRequest,
  terminal: Terminal,
  timeoutMs = usualMs,
): Promise<Heard> {
  const state = await findState(config, terminal)
  if (state === undefined) return { kind: 'could-not' }
  const asked = await askControl(
    controlPath(state),
    { ...request, by: whoAsks(process.env) },
    { clock: systemClock, timeoutMs },
  )
  switch (asked.kind) {
    case 'done':
      return asked
    case 'failed':
      terminal.err(`waypost: ${asked.why}\n`)
      return { kind: 'refused' }
    case 'not-running':
      terminal.err(`waypost: no gateway is running on the state folder ${state}\n`)
      return { kind: 'could-not', isNotRunning: true }
    case 'forbidden':
      terminal.err(`waypost: the gateway on ${state} belongs to ${await anotherUserText(state)}\n`)
      return { kind: 'could-not' }
    case 'no-answer':
      terminal.err(`waypost: the gateway on ${state} gave no answer: ${asked.why}\n`)
      return { kind: 'could-not' }
  }
}

/** The running gateway may run on an older configuration, so a file that is wrong meanwhile still says where the state is. */
async function findState(config: string | undefined, terminal: Terminal): Promise<string | undefined> {
  const found = findRunningConfig(config)
  if (found.kind === 'none') {
    terminal.err(`waypost: ${found.why}\n`)
    return undefined
  }
  const loaded = await loadConfig(found.path, { clock: systemClock, machineName: hostname() })
  if (loaded.kind === 'loaded') return loaded.settings.state
  if (loaded.kind === 'too-many-removed') return undefined
  if (loaded.state === undefined) terminal.err(`${formatProblems(loaded.problems)}\n`)
  return loaded.state
}
