/**
 * Runs the gateway on a configuration, from its start to its end.
 *   own the state folder → open the store → make the services → listen for commands (control.sock) → start → … → stop
 * Called by `serve`.
 */
import { existsSync } from 'node:fs'
import { chmod } from 'node:fs/promises'
import { systemClock } from '../../base/clock.ts'
import { errorCode } from '../../base/error-code.ts'
import { type IpAddress, isIpv6 } from '../../base/ip.ts'
import type { Log } from '../../base/log.ts'
import { systemRandom } from '../../base/random.ts'
import type { CheckerOptions } from '../../checks/check-domain.ts'
import type { WrittenPlace } from '../../config/listen.ts'
import type { Loaded } from '../../config/load.ts'
import { formatProblems, type Problem } from '../../config/source.ts'
import { doubtState, makeStateFolder, writtenProblem } from '../../config/state-files.ts'
import { tellingAlerts } from '../../gateway/events.ts'
import { controlPath, createControl, maxControlPath } from '../../gateway/operate/control.ts'
import type { GatewaySettings } from '../../gateway/settings.ts'
import { holderText } from '../state-holder.ts'
import type { ExitCode, Terminal } from '../terminal.ts'
import type { LogFile } from './log-file.ts'
import { findTakenPlace, takenPlace } from './places-taken.ts'
import { keepCopy, tellRemarks } from './reload.ts'
import type { ServeDeps } from './serve-deps.ts'
import { createServices, type Services, type Started } from './services.ts'
import { stopOnSignal } from './signals.ts'
import { createTelling } from './telling.ts'
import { openWhenFree } from './wait-for-store.ts'

export interface RunGatewayDeps extends ServeDeps {
  readonly terminal: Terminal
  readonly log: Log
  readonly logFile: LogFile
  readonly laboratory: CheckerOptions
}

/** Resolves when the gateway has stopped. */
export async function runGateway(path: string, loaded: Loaded, deps: RunGatewayDeps): Promise<ExitCode> {
  const { terminal, log, logFile, laboratory } = deps
  const { state } = loaded.settings
  const lookAtPlaces = () => findTakenPlace(placesOf(loaded), path)
  const isNew = !existsSync(state)
  const takenFirst = isNew ? await lookAtPlaces() : undefined
  if (takenFirst !== undefined) return failAt(terminal, takenFirst)
  const why = await ownFolder(state)
  if (why !== undefined) return failAt(terminal, writtenProblem(why, path, loaded.stateWritten))
  let { holdLimits } = loaded.settings
  const limits = () => holdLimits
  const applied = (settings: GatewaySettings) => {
    holdLimits = settings.holdLimits
    const why = logFile.use(settings.logFile)
    if (why !== undefined) log.alert('log file not opened', { why })
    return why && `${why}: the log goes where it went before; "waypost config check" says what to do`
  }
  const telling = createTelling(log)
  const told = tellingAlerts(log, telling.tell, systemClock)
  const holdingDeps = { clock: systemClock, random: systemRandom, log: told, limits }
  const opened = await openWhenFree(deps.openHolding, state, holdingDeps, log)
  if (opened.kind === 'not-opened')
    return fail(terminal, opened.inUse ? await inUseText(state, ', or a command is at work on it') : opened.why)
  try {
    const { holding, store } = opened
    // Now that no gateway is on the same folder, which would have them all.
    const taken = isNew ? undefined : await lookAtPlaces()
    if (taken !== undefined) return failAt(terminal, taken)
    const services = await createServices(path, loaded, { ...deps, holding, store, telling, applied, laboratory })
    if (services.kind === 'failed') return fail(terminal, services.why)
    return await runOn(path, loaded, services, logFile.reopen, deps)
  } finally {
    await opened.close()
  }
}

/** With the state folder ours, and the store open. */
async function runOn(
  path: string,
  loaded: Loaded,
  services: Services,
  reopenLog: () => void,
  { terminal, log, signals, sendCommand, isWatched }: RunGatewayDeps,
): Promise<ExitCode> {
  const { state } = loaded.settings
  const { gateway, reloader } = services
  const place = { path: controlPath(state), clock: systemClock, onError: tellError(log) }
  const control = await createControl(place, services.handlers)
  if (control.kind === 'in-use') {
    await services.stop()
    return fail(terminal, await inUseText(state))
  }
  const stopped = stopOnSignal(gateway, services.stopSoon, log, signals, systemClock)
  // A signal that comes before the gateway runs waits for that.
  const started = Promise.withResolvers<void>()
  signals.on('SIGHUP', reopenLog)
  signals.on('SIGHUP', () => void started.promise.then(() => reloader.reload({ allowRemoval: false })))
  try {
    sayReady(loaded, await services.start(isWatched), terminal, log, sendCommand)
  } catch (error) {
    await control.close()
    await gateway.stop()
    await services.stop()
    const taken = takenPlace(error, loaded.listeners, path)
    if (taken === undefined) throw error
    return failAt(terminal, taken)
  }
  tellRemarks(loaded, path, log)
  await keepCopy(loaded, log)
  started.resolve()
  await stopped
  await reloader.settled()
  await control.close()
  await services.stop()
  log.info('stopped')
  return 0
}

/** @param unless  what else it may be, where nobody knows who it is */
async function inUseText(state: string, unless = ''): Promise<string> {
  const holder = await holderText(state)
  if (holder === undefined) return `another gateway is running on the state folder ${state}${unless}`
  return `the state folder ${state} is in use by ${holder}: stop that first, or name another folder in "state:"`
}

/** Those without which it does not start. */
const placesOf = ({ listeners, web }: Loaded): readonly WrittenPlace[] =>
  listeners.filter(({ kind }) => kind !== 'http' || !web.isDefaultPlace)

/**
 * The state folder, ours alone: made where it is missing, closed to others where it was open to them.
 * @returns in words, why it cannot be ours
 */
async function ownFolder(state: string): Promise<string | undefined> {
  if (Buffer.byteLength(controlPath(state)) > maxControlPath) return (await doubtState(state, process.getuid?.()))?.why
  try {
    await makeStateFolder(state)
    await chmod(state, 0o700)
    return undefined
  } catch (error) {
    const code = errorCode(error)
    if (code === undefined) throw error
    const doubt = await doubtState(state, process.getuid?.())
    return doubt?.why ?? `the state folder ${state} cannot be made and owned by this user (${code})`
  }
}

function sayReady(
  { summary, settings }: Loaded,
  { listeners, ofWeb, dns }: Started,
  terminal: Terminal,
  log: Log,
  sendCommand: string,
): void {
  const places = listeners.map(placeText)
  log.info('listening', { smtp: places, domains: summary.domains, routes: summary.routes })
  const domain = settings.destinations.domains[0]
  const first = places[0]
  terminal.out(`${settings.hostname} takes mail on ${places.join(', ')} for ${count(summary.domains, 'domain')}.\n`)
  if (domain && first !== undefined) {
    const server = first === '127.0.0.1:2525' ? '' : ` --server ${first.replace(/^0\.0\.0\.0:/, '127.0.0.1:')}`
    terminal.out(`Try: ${sendCommand}${server} --to you@${domain.subdomains ? 'any.' : ''}${domain.name}\n`)
  }
  if (ofWeb !== undefined) terminal.out(ofWeb)
  if (dns.length > 0) terminal.out(`DNS for its zones: ${dns.map(placeText).join(', ')}.\n`)
}

const placeText = ({ address, port }: { readonly address: IpAddress; readonly port: number }) =>
  `${isIpv6(address) ? `[${address}]` : address}:${port}`

const count = (number: number, what: string) => `${number.toLocaleString('en')} ${what}${number === 1 ? '' : 's'}`

export function fail(terminal: Terminal, why: string): ExitCode {
  terminal.err(`waypost: ${why}\n`)
  return 2
}

export function failAt(terminal: Terminal, problem: Problem): ExitCode {
  terminal.err(`${formatProblems([problem])}\n`)
  return 2
}

const tellError = (log: Log) => (command: string, error: unknown) =>
  log.error('a control command failed', { command, error })
