/** `waypost config check|schema|reload`: looks at waypost.yaml before a gateway does. */
import { hostname } from 'node:os'
import { Command } from 'commander'
import { z } from 'zod'
import { systemClock } from '../../base/clock.ts'
import { systemDoor } from '../../base/door.ts'
import { silentLog } from '../../base/log.ts'
import { printable } from '../../base/printable.ts'
import { systemRandom } from '../../base/random.ts'
import { createSecretReader } from '../../base/secret.ts'
import { readInBackground } from '../../config/background.ts'
import { doubtLogFile } from '../../config/doubt-log-file.ts'
import { placeText } from '../../config/listen.ts'
import { type Loaded, loadConfig, type ReadInPieces } from '../../config/load.ts'
import type { Summary } from '../../config/plan.ts'
import { publishedSchema } from '../../config/schema.ts'
import { formatProblems, type Problem } from '../../config/source.ts'
import { type Doubt, doubtState, writtenProblem } from '../../config/state-files.ts'
import { createResolver } from '../../dns/resolver.ts'
import { checkOwnMail, type OwnMailFinding } from '../../gateway/operate/own-mail-check.ts'
import type { GatewaySettings } from '../../gateway/settings.ts'
import { askGateway } from '../ask.ts'
import { configOption, findConfig, runningConfigOption } from '../config-path.ts'
import type { ExitCode, Run, Terminal } from '../terminal.ts'
import { doubtsOf } from './doubts.ts'

interface CheckOptions {
  readonly config: string | undefined
  readonly json: boolean | undefined
  /** `--no-network` makes it false. */
  readonly network: boolean
}

interface ReloadOptions {
  readonly config: string | undefined
  readonly allowRemoval: boolean | undefined
}

/**
 * @param userId  of this process; undefined where the system has none
 * @param read  for tests
 */
export function configCommand(run: Run, userId = process.getuid?.(), read: ReadInPieces = readInBackground): Command {
  const command = new Command('config').summary('check waypost.yaml, print its schema, load it again')
  command.addHelpText('after', '\nExample:\n  waypost config check -c waypost.yaml')
  command
    .command('check')
    .description(
      'Says everything that is wrong with a configuration, with the place of each mistake, or what it declares.',
    )
    .addOption(configOption())
    .option('--json', 'for programs')
    .option('--no-network', 'ask no DNS and open no connection: what mail of our own needs is not looked at')
    .addHelpText(
      'after',
      '\nExit code: 0 in order, 1 mistakes, or a state folder or log file that nobody could serve with, 2 it could not be read.\nOne that this user alone could not serve with is told on standard error.\nWhat is in order and probably not meant is told, and changes no exit code.\nSecrets, programs, folders of Maildirs and sockets that are named and not there are told, and change no exit code.\nWhat notices to senders need (a PTR for our addresses, SPF for hostname, port 25 outwards) is told too, and changes no exit code.\n\nExample:\n  waypost config check -c waypost.yaml',
    )
    .action((options: CheckOptions) => run((terminal) => check(options, userId, read, terminal)))
  command
    .command('schema')
    .description('Prints the JSON Schema of waypost.yaml, for editors that help while one writes.')
    .addHelpText(
      'after',
      '\nExit code: 0.\n\nExample:\n  waypost config schema > waypost.schema.json\nand as the first line of waypost.yaml:\n  # yaml-language-server: $schema=waypost.schema.json',
    )
    .action(() => run(async (terminal) => schema(terminal)))
  command
    .command('reload')
    .description('Has the running gateway load its configuration again, and says how that went.')
    .addOption(runningConfigOption())
    .option('--allow-removal', 'also where more than 10 domains and more than 1 % of them would go')
    .addHelpText(
      'after',
      '\nExit code: 0 it runs on the new one, 1 it stays with the old one, which is said why, 2 no gateway could be asked.\n\nExample:\n  waypost config reload -c waypost.yaml',
    )
    .action((options: ReloadOptions) => run((terminal) => reload(options, terminal)))
  return command
}

async function check(
  options: CheckOptions,
  userId: number | undefined,
  read: ReadInPieces,
  terminal: Terminal,
): Promise<ExitCode> {
  const found = findConfig(options.config)
  if (found.kind === 'none') {
    terminal.err(`waypost: ${found.why}\n`)
    return 2
  }
  const loaded = await loadConfig(found.path, { clock: systemClock, machineName: hostname(), read })
  if (loaded.kind === 'loaded') {
    const { summary } = loaded
    const { stateDoubt, logDoubt, forUser, forEverybody } = await doubtPlaces(found.path, loaded, userId)
    // Who looks at the file need not be who serves with it; with these, nobody can.
    if (forEverybody.length > 0) return tellProblems(forEverybody, options, terminal, 1)
    const doubts = await doubtsOf(
      loaded,
      createSecretReader((name) => process.env[name]),
    )
    const ownMail = options.network ? await lookAtOwnMail(loaded.settings) : []
    terminal.out(
      options.json
        ? `${JSON.stringify({ valid: true, ...summary, stateDoubt, logDoubt, doubts, ownMail })}\n`
        : `${summaryText(summary)}${remarksText(summary)}${doubtsText(doubts)}${ownMailText(ownMail)}`,
    )
    if (forUser.length > 0) terminal.err(`${formatProblems(forUser)}\n`)
    return 0
  }
  const problems = loaded.kind === 'invalid' ? loaded.problems : []
  // The file itself is not there to be examined: that is no mistake in it.
  const isUnread = problems.some((problem) => problem.file === found.path && problem.line === 0)
  return tellProblems(problems, options, terminal, isUnread ? 2 : 1)
}

/** What speaks against the places on this machine that a gateway writes to. */
async function doubtPlaces(path: string, loaded: Loaded, userId: number | undefined) {
  const { state, logFile } = loaded.settings
  const ofState = await doubtState(state, userId)
  const ofLog = logFile === undefined ? undefined : await doubtLogFile(logFile)
  const problems = (wanted: Doubt['kind']) =>
    [
      { doubt: ofState, written: loaded.stateWritten },
      { doubt: ofLog, written: loaded.logFileWritten },
    ].flatMap(({ doubt, written }) => (doubt?.kind === wanted ? [writtenProblem(doubt.why, path, written)] : []))
  return {
    stateDoubt: ofState?.why,
    logDoubt: ofLog?.why,
    forUser: problems('for-this-user'),
    forEverybody: problems('for-everybody'),
  }
}

function tellProblems(
  problems: readonly Problem[],
  { json }: CheckOptions,
  terminal: Terminal,
  exit: ExitCode,
): ExitCode {
  terminal.out(`${json ? JSON.stringify({ valid: false, problems }) : formatProblems(problems)}\n`)
  return exit
}

function summaryText(summary: Summary): string {
  const listeners = summary.listeners.map((place) => `${place.kind} ${placeText(place)}`)
  return [
    'In order.',
    `  files      ${summary.files.join(', ')}`,
    `  domains    ${summary.domains}`,
    ...(summary.declared > 0 ? [`  published  ${summary.declared}`] : []),
    `  routes     ${summary.routes}`,
    `  backends   ${summary.backends}`,
    `  listeners  ${listeners.join(', ')}`,
    `  state      ${summary.state}`,
    '',
  ].join('\n')
}

async function lookAtOwnMail(settings: GatewaySettings): Promise<readonly OwnMailFinding[]> {
  const deps = { clock: systemClock, random: systemRandom, log: silentLog, door: systemDoor }
  const resolver = createResolver(settings.resolver, deps)
  try {
    return await checkOwnMail(settings, { ...deps, resolver })
  } finally {
    resolver.close()
  }
}

const findingWords = { fine: 'ok', doubt: 'look', 'not-checked': 'not checked' } as const

const remarksText = ({ remarks }: Pick<Summary, 'remarks'>) =>
  remarks.length === 0 ? '' : `\nProbably not meant:\n${formatProblems(remarks)}\n`

function doubtsText(doubts: readonly string[]): string {
  if (doubts.length === 0) return ''
  const lines = doubts.map((text) => `  ${findingWords.doubt.padEnd(11)} ${printable(text, 500)}`)
  return `\nNot there for who runs this command (the service may have another environment):\n${lines.join('\n')}\n`
}

function ownMailText(findings: readonly OwnMailFinding[]): string {
  if (findings.length === 0) return ''
  const lines = findings.map(({ kind, text }) => `  ${findingWords[kind].padEnd(11)} ${text}`)
  return `\nMail of our own (notices to senders):\n${lines.join('\n')}\n`
}

function schema(terminal: Terminal): ExitCode {
  terminal.out(`${JSON.stringify(publishedSchema(), null, 2)}\n`)
  return 0
}

/** What the running gateway says of a reload. One of an older version says less. */
const reloaded = z.object({
  later: z.array(z.string()).optional(),
  /** In words. */
  changes: z.string().optional(),
  remarks: z
    .array(
      z.object({
        file: z.string(),
        line: z.number(),
        column: z.number(),
        sourceLine: z.string(),
        width: z.number(),
        message: z.string(),
      }),
    )
    .optional(),
})

/** Two minutes of them the gateway may take to read it (`config/background.ts`), and it says so then. */
const reloadMs = 180_000

async function reload(options: ReloadOptions, terminal: Terminal): Promise<ExitCode> {
  const request = { command: 'config.reload', arguments: { allowRemoval: options.allowRemoval === true } }
  const heard = await askGateway(options.config, request, terminal, reloadMs)
  if (heard.kind === 'could-not') {
    // The gateway is looked for where the file says now.
    if (heard.isNotRunning)
      terminal.err('Where "state:" has changed: that takes a restart. The gateway that runs still has its old one.\n')
    return 2
  }
  if (heard.kind === 'refused') return 1
  const { later = [], remarks = [], changes } = reloaded.safeParse(heard.result).data ?? {}
  terminal.out(`${changes === undefined ? 'Reloaded' : `Reloaded: ${printable(changes, 2000)}`}.\n`)
  for (const what of later) terminal.err(`${what}\n`)
  if (remarks.length > 0) terminal.err(remarksText({ remarks }))
  return 0
}
