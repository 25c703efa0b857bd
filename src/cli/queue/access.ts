/**
 * How `waypost queue` and `waypost trace` reach held mail: through the control socket of the running gateway, or, where none runs, on its store, for
 * as long as the command takes. Never both: the store's lock has one owner.
 */
import { stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import type { z } from 'zod'
import { systemClock } from '../../base/clock.ts'
import { errorCode } from '../../base/error-code.ts'
import { silentLog } from '../../base/log.ts'
import { systemRandom } from '../../base/random.ts'
import { type LoadedConfig, loadConfig, loadLastGood } from '../../config/load.ts'
import { formatProblems } from '../../config/source.ts'
import { createDrainGuard } from '../../gateway/drain/drain-guard.ts'
import { readStoppedDrains, writeStoppedDrains } from '../../gateway/drain/stopped-drains.ts'
import { askControl, type ControlHandlers, controlPath } from '../../gateway/operate/control.ts'
import { createQueueOperations } from '../../gateway/operate/queue-operations.ts'
import { createQueueTransfer } from '../../gateway/operate/queue-transfer.ts'
import type { GatewaySettings } from '../../gateway/settings.ts'
import { createWays } from '../../gateway/ways/ways.ts'
import { openHistory } from '../../watch/history.ts'
import { anotherUserText } from '../another-user.ts'
import { findRunningConfig } from '../config-path.ts'
import { openHolding } from '../holding.ts'
import { notedDeeds } from '../noted-deeds.ts'
import { holderText } from '../state-holder.ts'
import type { Terminal } from '../terminal.ts'
import { whoAsks } from '../who-asks.ts'
import { queueHandlers } from './handlers.ts'

export interface QueueAccess {
  /** Beside a gateway; else nothing is tried before one starts. */
  readonly isRunning: boolean
  /** As the file says now, or said when it was last in order. */
  readonly settings: GatewaySettings | undefined
  /** Asks for one thing. Undefined: it could not be done, and why has been said. */
  ask<Shape extends z.ZodType>(
    command: string,
    given: Readonly<Record<string, unknown>>,
    shape: Shape,
  ): Promise<z.output<Shape> | undefined>
}

const timeoutMs = 120_000

/** @returns what `work` says, or `otherwise` where held mail cannot be reached, which has been said then */
export async function withQueue<Result>(
  config: string | undefined,
  terminal: Terminal,
  otherwise: Result,
  work: (access: QueueAccess) => Promise<Result>,
): Promise<Result> {
  const found = await findState(config, terminal)
  if (!found) return otherwise
  const { state, settings } = found
  const asked = await askControl(controlPath(state), { command: 'ping' }, { clock: systemClock, timeoutMs })
  switch (asked.kind) {
    case 'done':
      return await work(beside(state, settings, terminal))
    case 'not-running':
      return await onStopped(state, settings, terminal, otherwise, work)
    case 'forbidden':
      terminal.err(`waypost: the gateway on ${state} belongs to ${await anotherUserText(state)}\n`)
      return otherwise
    default:
      terminal.err(`waypost: the gateway on ${state} gave no answer: ${asked.why}\n`)
      return otherwise
  }
}

function beside(state: string, settings: GatewaySettings | undefined, terminal: Terminal): QueueAccess {
  return {
    isRunning: true,
    settings,
    async ask(command, given, shape) {
      const asked = await askControl(
        controlPath(state),
        { command, arguments: given, by: whoAsks(process.env) },
        { clock: systemClock, timeoutMs },
      )
      if (asked.kind === 'done') return understood(asked.result, shape, terminal)
      const why =
        asked.kind === 'not-running'
          ? 'it has stopped'
          : asked.kind === 'forbidden'
            ? `it belongs to ${await anotherUserText(state)}`
            : asked.why
      terminal.err(`waypost: the gateway on ${state} could not do it: ${why}\n`)
      return undefined
    },
  }
}

async function onStopped<Result>(
  state: string,
  settings: GatewaySettings | undefined,
  terminal: Terminal,
  otherwise: Result,
  work: (access: QueueAccess) => Promise<Result>,
): Promise<Result> {
  const why = await whyNotOurs(state)
  if (why !== undefined) {
    terminal.err(`waypost: ${why}\n`)
    return otherwise
  }
  const limits = () => settings?.holdLimits ?? { holdBytes: undefined, freeBytes: undefined }
  const opened = await openHolding(state, { clock: systemClock, random: systemRandom, log: silentLog, limits })
  if (opened.kind === 'not-opened') {
    terminal.err(`waypost: ${opened.inUse ? await inUseText(state) : opened.why}\n`)
    return otherwise
  }
  try {
    const { handlers: plain, written } = await onStore(state, settings, opened.holding.queue)
    const history = opened.store && openHistory(opened.store, silentLog)
    const noted = history && notedDeeds(plain, { clock: systemClock, history })
    const handlers = noted?.handlers ?? plain
    const result = await work({
      isRunning: false,
      settings,
      async ask(command, given, shape) {
        const answer = await handlers[command]?.(given, whoAsks(process.env))
        if (answer?.kind === 'done') return understood(answer.result, shape, terminal)
        terminal.err(`waypost: ${answer?.why ?? 'this cannot be done'}\n`)
        return undefined
      },
    })
    await written()
    noted?.end()
    await history?.settled()
    return result
  } finally {
    await opened.close()
  }
}

async function inUseText(state: string): Promise<string> {
  const holder = await holderText(state)
  const by = holder === undefined ? '' : ` by ${holder}`
  return `the store in ${state} is in use${by}, and nobody answers on its control.sock: a gateway is starting or stopping, or another command is at work; try again in a moment`
}

/** The gateway's own operations, without a drain beside them. */
async function onStore(
  state: string,
  settings: GatewaySettings | undefined,
  queue: Parameters<typeof createQueueOperations>[0]['queue'],
): Promise<{ readonly handlers: ControlHandlers; written(): Promise<void> }> {
  let writing = Promise.resolve()
  const guard = createDrainGuard({
    clock: systemClock,
    log: silentLog,
    keep(stopped) {
      const now = new Map(stopped)
      writing = writing.then(() => writeStoppedDrains(state, now))
    },
  })
  guard.restore(await readStoppedDrains(state))
  const deps = {
    clock: systemClock,
    log: silentLog,
    queue,
    guard,
    settings: () => settings,
    ways: settings && createWays(() => settings),
    running: undefined,
  }
  return {
    handlers: queueHandlers({ operations: createQueueOperations(deps), transfer: createQueueTransfer(deps) }),
    written: () => writing,
  }
}

/** What another user writes into the folder, the gateway could not open any more. */
async function whyNotOurs(state: string): Promise<string | undefined> {
  try {
    const { uid } = await stat(state)
    if (process.getuid?.() === uid) return undefined
    return `no gateway is running on ${state}, and the folder belongs to ${await anotherUserText(state)}`
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOENT') return `there is no state folder ${state}, so nothing is held`
    if (code === 'EACCES') return `the state folder ${state} belongs to ${await anotherUserText(state)}`
    throw error
  }
}

/** The configuration may be wrong by now: then the last good one says where things go, and the mail can be looked at all the same. */
export async function findState(
  config: string | undefined,
  terminal: Terminal,
): Promise<{ readonly state: string; readonly settings: GatewaySettings | undefined } | undefined> {
  const found = findRunningConfig(config)
  if (found.kind === 'none') {
    terminal.err(`waypost: ${found.why}\n`)
    return undefined
  }
  const deps = { clock: systemClock, machineName: hostname() }
  const loaded = await loadConfig(found.path, deps)
  if (loaded.kind === 'loaded') return { state: loaded.settings.state, settings: loaded.settings }
  const state = loaded.kind === 'invalid' ? loaded.state : undefined
  if (state === undefined) {
    if (loaded.kind === 'invalid') terminal.err(`${formatProblems(loaded.problems)}\n`)
    return undefined
  }
  terminal.err(`waypost: ${found.path} is wrong ("waypost config check" says where); its state folder is ${state}\n`)
  return { state, settings: settingsOf(await loadLastGood(state, deps)) }
}

const settingsOf = (loaded: LoadedConfig) => (loaded.kind === 'loaded' ? loaded.settings : undefined)

function understood<Shape extends z.ZodType>(
  result: unknown,
  shape: Shape,
  terminal: Terminal,
): z.output<Shape> | undefined {
  const parsed = shape.safeParse(result)
  if (parsed.success) return parsed.data
  terminal.err('waypost: the answer of the running gateway cannot be read; is it of another version?\n')
  return undefined
}
