/**
 * `waypost serve`: loads waypost.yaml, or the last good one, and runs the gateway on it (`run-gateway`) until it is told to stop. SIGHUP loads it
 * again; SIGTERM and SIGINT stop it gracefully, a second one at once.
 */
import { dirname, join } from 'node:path'
import { Command, Option } from 'commander'
import { systemClock } from '../../base/clock.ts'
import { errorCode } from '../../base/error-code.ts'
import type { Log } from '../../base/log.ts'
import type { CheckerOptions } from '../../checks/check-domain.ts'
import { doubtLogFile } from '../../config/doubt-log-file.ts'
import { type Loaded, type LoadedConfig, loadConfig, loadLastGood } from '../../config/load.ts'
import { formatProblems } from '../../config/source.ts'
import { writtenProblem } from '../../config/state-files.ts'
import { laboratoryOptions, privateOption } from '../check/check.ts'
import { type LaboratoryFlags, laboratoryOf } from '../check/options.ts'
import { configOption, exampleConfig, findConfig } from '../config-path.ts'
import { createLog, type LogForm, type LogLevel, logForms, logLevels } from '../log.ts'
import { timeReader } from '../option-readers.ts'
import type { ExitCode, Run, Terminal } from '../terminal.ts'
import { createLogFile } from './log-file.ts'
import { fail, failAt, runGateway } from './run-gateway.ts'
import type { ServeDeps } from './serve-deps.ts'
import { loadDeps } from './services.ts'

export interface ServeOptions extends LaboratoryFlags {
  readonly config: string | undefined
  readonly log: LogForm
  readonly logLevel: LogLevel
  /** `true`, or the state folder that holds the copy. */
  readonly lastGood: boolean | string | undefined
  /** Milliseconds, and without end for never. */
  readonly stuckAfter: number
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
    .addOption(
      new Option(
        '--stuck-after <time>',
        'end where nothing got on for so long, so that it is started again, or "never"',
      )
        .argParser(stuckReader)
        .default(twoMinutes, '2m'),
    )
    .addOption(privateOption())
    .addHelpText(
      'after',
      `
Signals: SIGHUP loads waypost.yaml again (a wrong one changes nothing) and opens log.file anew, SIGTERM and SIGINT stop gracefully, a second one at once.

Exit code: 0 it was stopped, 1 it was stopped at once, 2 it could not start (a wrong configuration, a port that is taken, …), or a fault of Waypost ended it.

Examples:
  waypost serve -c ${exampleConfig()} --log pretty
  waypost serve --log-level warn`,
    )
    .action((options: ServeOptions) => run((terminal) => serve(options, terminal, deps)))
}

const twoMinutes = 120_000
const readStuckAfter = timeReader(1_000, 3_600_000)
const stuckReader = (text: string) => (text === 'never' ? Number.POSITIVE_INFINITY : readStuckAfter(text))

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
  if (why !== undefined) {
    const doubt = await doubtLogFile(loaded.settings.logFile ?? '')
    return failAt(terminal, writtenProblem(doubt?.why ?? why, found.path, loaded.logFileWritten))
  }
  const { log: form, stuckAfter: afterMs } = options
  const watchNoMore = Number.isFinite(afterMs) ? deps.endWhenStuck?.({ afterMs, form, color }) : undefined
  try {
    const laboratory = await readLaboratory(options)
    if (typeof laboratory === 'string') return fail(terminal, laboratory)
    return await runGateway(found.path, loaded, { ...deps, terminal, log, logFile, laboratory })
  } finally {
    watchNoMore?.()
    logFile.close()
  }
}

/** @returns in words, why not */
async function readLaboratory(flags: LaboratoryFlags): Promise<CheckerOptions | string> {
  try {
    return await laboratoryOf(flags)
  } catch (error) {
    const code = errorCode(error)
    if (code === undefined) throw error
    return `the file ${flags.rootHints} cannot be read (${code})`
  }
}

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
