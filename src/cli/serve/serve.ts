/**
 * `waypost serve`: runs the gateway until it is told to stop.
 *   load waypost.yaml → own the state folder (control.sock) → start → keep the copy of the configuration
 * SIGHUP loads it again; SIGTERM and SIGINT stop it gracefully, a second one at once.
 */
import { existsSync } from 'node:fs'
import { chmod } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { Command, Option } from 'commander'
import { type Clock, systemClock } from '../../base/clock.ts'
import { systemDoor } from '../../base/door.ts'
import { createHostLookup } from '../../base/host-lookup.ts'
import { type IpAddress, isIpv6 } from '../../base/ip.ts'
import type { ListenAddress } from '../../base/listen-address.ts'
import type { Log } from '../../base/log.ts'
import { systemRandom } from '../../base/random.ts'
import type { CheckerOptions } from '../../checks/check-domain.ts'
import { readInBackground } from '../../config/background.ts'
import { type Loaded, type LoadedConfig, loadConfig, loadLastGood } from '../../config/load.ts'
import { formatProblems } from '../../config/source.ts'
import { makeStateFolder } from '../../config/state-files.ts'
import { tellingAlerts } from '../../gateway/events.ts'
import { createFigures } from '../../gateway/figures/figures.ts'
import { gaugesOf } from '../../gateway/figures/gauges.ts'
import type { CreateGateway, Gateway } from '../../gateway/gateway.ts'
import type { Holding } from '../../gateway/hold/holding.ts'
import {
  type Control,
  type ControlHandlers,
  controlPath,
  createControl,
  maxControlPath,
} from '../../gateway/operate/control.ts'
import type { GatewaySettings } from '../../gateway/settings.ts'
import type { Store } from '../../store/store.ts'
import { laboratoryOptions, privateOption } from '../check/check.ts'
import { type LaboratoryFlags, laboratoryOf } from '../check/options.ts'
import { configOption, findConfig } from '../config-path.ts'
import type { OpenHolding } from '../holding.ts'
import { createLog, type LogForm, type LogLevel, logForms, logLevels } from '../log.ts'
import { notedDeeds } from '../noted-deeds.ts'
import type { ExitCode, Run, Terminal } from '../terminal.ts'
import { createDnsService } from './dns-service.ts'
import { createLogFile, type LogFile } from './log-file.ts'
import { whyPlacesTaken } from './places-taken.ts'
import { createReloader, keepCopy, type Reloader } from './reload.ts'
import { createTelling, type Telling } from './telling.ts'
import { openWhenFree } from './wait-for-store.ts'
import { createWatchService } from './watch-service.ts'
import { createWebService } from './web-service.ts'
import { whyNotBound } from './why-not-bound.ts'

export interface ServeOptions extends LaboratoryFlags {
  readonly config: string | undefined
  readonly log: LogForm
  readonly logLevel: LogLevel
  /** `true`, or the state folder that holds the copy. */
  readonly lastGood: boolean | string | undefined
}

export interface ServeDeps {
  readonly createGateway: CreateGateway
  readonly openHolding: OpenHolding
  /** What the control socket answers beside `config.reload`. */
  readonly handlers: (gateway: Gateway) => ControlHandlers
  /** How the process is told things; tests hand in their own. */
  readonly signals: Signals
  readonly writeLog: (line: string) => void
  readonly color: boolean
  /** Of Waypost. */
  readonly version: string
  /** How one calls `waypost send` where this was started: for the line to try. */
  readonly sendCommand: string
}

export interface Signals {
  on(signal: 'SIGHUP' | 'SIGTERM' | 'SIGINT', run: () => void): void
  /** Ends the process, behind its last lines of the log: within a second. */
  exit(code: ExitCode): void
}

export function serveCommand(run: Run, deps: ServeDeps): Command {
  const command = new Command('serve')
    .summary('run the gateway')
    .description('Runs the gateway: takes mail for the domains of waypost.yaml and hands it to their backends.')
    .addOption(configOption())
    .addOption(new Option('--log <form>', 'how to log, on standard error').choices(logForms).default('json'))
    .addOption(new Option('--log-level <level>', 'what to log').choices(logLevels).default('info'))
    .addOption(
      new Option(
        '--last-good [state]',
        'where waypost.yaml is wrong, run on the last good one, kept in the state folder',
      ),
    )
  laboratoryOptions(command)
  return command
    .addOption(privateOption())
    .addHelpText(
      'after',
      `
Signals: SIGHUP loads waypost.yaml again (a wrong one changes nothing) and opens log.file anew, SIGTERM and SIGINT stop gracefully, a second one at once.

Exit code: 0 it was stopped, 1 it was stopped at once, 2 it could not start (a wrong configuration, a port that is taken, …).

Examples:
  waypost serve -c examples/quickstart/waypost.yaml --log pretty
  waypost serve --log-level warn`,
    )
    .action((options: ServeOptions) => run((terminal) => serve(options, terminal, deps)))
}

/** Resolves when the gateway has stopped. */
export async function serve(options: ServeOptions, terminal: Terminal, deps: ServeDeps): Promise<ExitCode> {
  const logFile = createLogFile()
  const { writeLog: write, color } = deps
  const log = createLog({ form: options.log, level: options.logLevel, color, write, writeJson: logFile.write })
  const found = findConfig(options.config)
  if (found.kind === 'none') return fail(terminal, found.why)
  const loaded = await loadToStart(found.path, options, terminal, log)
  if (loaded === undefined) return 2
  const why = logFile.use(loaded.settings.logFile)
  if (why !== undefined) return fail(terminal, why)
  try {
    const laboratory = await readLaboratory(options)
    if (typeof laboratory === 'string') return fail(terminal, laboratory)
    return await runGateway(found.path, loaded, terminal, { log, logFile, laboratory }, deps)
  } finally {
    logFile.close()
  }
}

/** @returns in words, why not */
async function readLaboratory(flags: LaboratoryFlags): Promise<CheckerOptions | string> {
  try {
    return await laboratoryOf(flags)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : undefined
    if (code === undefined) throw error
    return `the file ${flags.rootHints} cannot be read (${code})`
  }
}

async function runGateway(
  path: string,
  loaded: Loaded,
  terminal: Terminal,
  { log, logFile, laboratory }: { readonly log: Log; readonly logFile: LogFile; readonly laboratory: CheckerOptions },
  deps: ServeDeps,
): Promise<ExitCode> {
  const { state } = loaded.settings
  const why = (existsSync(state) ? undefined : await whyPlacesTaken(placesOf(loaded))) ?? (await ownFolder(state))
  if (why !== undefined) return fail(terminal, why)
  let { holdLimits } = loaded.settings
  const limits = () => holdLimits
  const applied = (settings: GatewaySettings) => {
    holdLimits = settings.holdLimits
    const why = logFile.use(settings.logFile)
    if (why !== undefined) log.alert('log file not opened', { why })
  }
  const telling = createTelling(log)
  const told = tellingAlerts(log, telling.tell, systemClock)
  const holdingDeps = { clock: systemClock, random: systemRandom, log: told, limits }
  const opened = await openWhenFree(deps.openHolding, state, holdingDeps, log)
  if (opened.kind === 'not-opened')
    return fail(
      terminal,
      opened.inUse
        ? `another gateway is running on the state folder ${state}, or a command is at work on it`
        : opened.why,
    )
  try {
    return await runOn(
      path,
      loaded,
      { holding: opened.holding, store: opened.store, telling, applied, reopenLog: logFile.reopen, laboratory },
      terminal,
      log,
      deps,
    )
  } finally {
    await opened.close()
  }
}

/** With the state folder ours, and the store open. */
async function runOn(
  path: string,
  loaded: Loaded,
  own: {
    readonly holding: Holding
    readonly store: Store | undefined
    readonly telling: Telling
    readonly applied: (settings: GatewaySettings) => void
    readonly reopenLog: () => void
    readonly laboratory: CheckerOptions
  },
  terminal: Terminal,
  log: Log,
  deps: ServeDeps,
): Promise<ExitCode> {
  const { state } = loaded.settings
  const { holding, telling, applied } = own
  const dns = await createDnsService(loaded, log)
  if (dns.kind === 'failed') return fail(terminal, dns.why)
  const gateway = deps.createGateway(loaded.settings, {
    clock: systemClock,
    random: systemRandom,
    log,
    door: systemDoor,
    lookupHost: createHostLookup(systemClock),
    holding,
    tell: telling.tell,
  })
  const read = () => gaugesOf(gateway, holding)
  const figures = createFigures({ clock: systemClock, read })
  telling.listen(figures.tell)
  const watching = await createWatchService(loaded, {
    log,
    telling,
    store: own.store,
    ...{ read, gateway, laboratory: own.laboratory },
  })
  let isListening = false
  const web = await createWebService(loaded, {
    laboratory: own.laboratory,
    ...{ log, gateway, figures, telling, holding, watch: watching.watch, version: deps.version },
    dnsServer: () => dns.figures,
    isReady: () => isListening,
  })
  const reloader = createReloader({
    path,
    current: loaded,
    gateway,
    log,
    applied,
    async published(now) {
      watching.configured(now)
      const later = [await web.configured(now), await dns.configured(now)]
      return later.filter((words) => words !== undefined)
    },
    load: (reload) => loadConfig(path, { ...loadDeps(systemClock), ...reload, read: readInBackground }),
  })
  const plain = {
    ...deps.handlers(gateway),
    'config.reload': reloader.handler,
    ...dns.handlers,
    ...watching.handlers,
    ...web.handlers,
  }
  const history = watching.watch?.history
  const noted = history && notedDeeds(plain, { clock: systemClock, history })
  const handlers = noted?.handlers ?? plain
  const control = await createControl(
    { path: controlPath(state), clock: systemClock, onError: tellError(log) },
    handlers,
  )
  if (control.kind === 'in-use') {
    figures.stop()
    await watching.stop()
    return fail(terminal, `another gateway is running on the state folder ${state}`)
  }
  const stopped = stopOnSignal(gateway, dns.stopSoon, log, deps.signals)
  // A signal that comes before the gateway runs waits for that.
  const started = Promise.withResolvers<void>()
  deps.signals.on('SIGHUP', own.reopenLog)
  deps.signals.on('SIGHUP', () => void started.promise.then(() => reloader.reload({ allowRemoval: false })))
  try {
    const listeners = await gateway.start()
    // Mail does not wait for very many zones to be read; who asks DNS is answered only when all are there.
    await dns.configured(loaded)
    await dns.start()
    const toldOfWeb = await web.start()
    isListening = true
    sayReady(loaded, listeners, terminal, log, deps.sendCommand)
    if (toldOfWeb !== undefined) terminal.out(toldOfWeb)
    if (dns.bound.length > 0) terminal.out(`DNS for its zones: ${dns.bound.map(placeText).join(', ')}.\n`)
  } catch (error) {
    await control.close()
    noted?.end()
    await gateway.stop()
    await dns.stop()
    figures.stop()
    await watching.stop()
    await web.stop()
    const why = whyNotBound(error)
    if (why === undefined) throw error
    return fail(terminal, why)
  }
  await keepCopy(loaded, log)
  started.resolve()
  await stopped
  isListening = false
  await end(control, reloader)
  noted?.end()
  await web.stop()
  figures.stop()
  await watching.stop()
  await dns.stop()
  log.info('stopped')
  return 0
}

/** Those without which it does not start. */
const placesOf = ({ settings, publishing, web }: Loaded): readonly ListenAddress[] => [
  ...settings.listen,
  ...publishing.listenDns,
  ...(web.isDefaultPlace ? [] : web.listen),
]

async function end(control: Extract<Control, { kind: 'listening' }>, reloader: Reloader): Promise<void> {
  await reloader.settled()
  await control.close()
}

const loadDeps = (clock: Clock) => ({ clock, machineName: hostname() })

async function loadToStart(
  path: string,
  options: ServeOptions,
  terminal: Terminal,
  log: Log,
): Promise<Loaded | undefined> {
  const loaded = await loadConfig(path, loadDeps(systemClock))
  if (loaded.kind === 'loaded') return loaded
  terminal.err(`${sayWrong(loaded)}\n`)
  if (!options.lastGood) return undefined
  // A file that cannot be read does not say where its state is: then it is looked for in its usual place.
  const state = typeof options.lastGood === 'string' ? options.lastGood : join(dirname(path), 'waypost-data')
  const copy = await loadLastGood(loaded.kind === 'invalid' ? (loaded.state ?? state) : state, loadDeps(systemClock))
  if (copy.kind !== 'loaded') {
    terminal.err(`${sayWrong(copy)}\n`)
    return undefined
  }
  log.alert('running on the last good configuration', {
    path,
    problems: loaded.kind === 'invalid' ? loaded.problems.length : 0,
  })
  terminal.err(`waypost: ${path} is wrong, so this runs on the LAST GOOD configuration. Mend it and reload.\n`)
  return copy
}

function sayWrong(loaded: Exclude<LoadedConfig, Loaded>): string {
  if (loaded.kind === 'invalid') return formatProblems(loaded.problems)
  return `${loaded.removed.length} of ${loaded.before} domains would go`
}

/**
 * The state folder, ours alone: made where it is missing, closed to others where it was open to them.
 * @returns in words, why it cannot be ours
 */
async function ownFolder(state: string): Promise<string | undefined> {
  if (Buffer.byteLength(controlPath(state)) > maxControlPath)
    return `the path of the state folder is too long for the socket in it: ${controlPath(state)} has more than ${maxControlPath} octets`
  try {
    await makeStateFolder(state)
    await chmod(state, 0o700)
    return undefined
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    return `the state folder ${state} cannot be made and owned by this user (${String(error.code)})`
  }
}

function stopOnSignal(gateway: Gateway, stopSoon: () => void, log: Log, signals: Signals): Promise<void> {
  return new Promise((done, failed) => {
    let isStopping = false
    const stop = (signal: string) => {
      if (isStopping) {
        log.warn('stopping at once', { signal })
        signals.exit(1)
        return
      }
      isStopping = true
      log.info('stopping', { signal })
      stopSoon()
      gateway.stop().then(done, failed)
    }
    signals.on('SIGTERM', () => stop('SIGTERM'))
    signals.on('SIGINT', () => stop('SIGINT'))
  })
}

function sayReady(
  { summary, settings }: Loaded,
  listeners: readonly { readonly address: IpAddress; readonly port: number }[],
  terminal: Terminal,
  log: Log,
  sendCommand: string,
): void {
  const places = listeners.map(placeText)
  log.info('listening', { smtp: places, domains: summary.domains, routes: summary.routes })
  const domain = settings.destinations.domains[0]
  const first = places[0]
  terminal.out(`${settings.hostname} takes mail on ${places.join(', ')} for ${count(summary.domains, 'domain')}.\n`)
  if (!domain || first === undefined) return
  const server = first === '127.0.0.1:2525' ? '' : ` --server ${first.replace(/^0\.0\.0\.0:/, '127.0.0.1:')}`
  terminal.out(`Try: ${sendCommand}${server} --to you@${domain.subdomains ? 'any.' : ''}${domain.name}\n`)
}

const placeText = ({ address, port }: { readonly address: IpAddress; readonly port: number }) =>
  `${isIpv6(address) ? `[${address}]` : address}:${port}`

const count = (number: number, what: string) => `${number.toLocaleString('en')} ${what}${number === 1 ? '' : 's'}`

function fail(terminal: Terminal, why: string): ExitCode {
  terminal.err(`waypost: ${why}\n`)
  return 2
}

const tellError = (log: Log) => (command: string, error: unknown) =>
  log.error('a control command failed', { command, error })
