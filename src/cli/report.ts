/**
 * `waypost report`: what became of a domain's mail in a stretch of time, out of what the gateway has kept: asked of the running one, or read in the store of
 * a stopped one.
 */
import { stat } from 'node:fs/promises'
import { Command, InvalidArgumentError, Option } from 'commander'
import { replaceFile } from '../base/atomic-file.ts'
import { systemClock } from '../base/clock.ts'
import { errorCode } from '../base/error-code.ts'
import { silentLog } from '../base/log.ts'
import { printable } from '../base/printable.ts'
import type { Loaded } from '../config/load.ts'
import { askControl, controlPath } from '../gateway/operate/control.ts'
import { openStore, whyNotOpened } from '../store/open.ts'
import type { CheckedState } from '../watch/checked-state.ts'
import { openHistory, watchModule } from '../watch/history.ts'
import { reportHtml } from '../watch/report/html.ts'
import { makeReport, type Report } from '../watch/report/report.ts'
import { reportText } from '../watch/report/text.ts'
import { anotherUserText } from './another-user.ts'
import { findRunningConfig, runningConfigOption } from './config-path.ts'
import { loadForCommand } from './load-for-command.ts'
import { Misuse } from './misuse.ts'
import { readDomain } from './option-readers.ts'
import type { ExitCode, Run, Terminal } from './terminal.ts'

interface ReportFlags {
  readonly config: string | undefined
  readonly since: number
  readonly html: string | undefined
  readonly json: boolean | undefined
}

const dayMs = 86_400_000
const timeoutMs = 60_000

export function reportCommand(run: Run): Command {
  return new Command('report')
    .summary('availability, messages, latency and outages of a domain')
    .description(
      'Says what became of the mail of a domain: how available its backends and exchangers were, how many messages were delivered, held and refused, how long it took, and each outage with what was held and for how long.',
    )
    .argument('<domain>', 'a domain of waypost.yaml; "*.example.com" for one that covers subdomains')
    .addOption(runningConfigOption())
    .addOption(
      new Option('--since <time>', 'how far back, whole hours: 12h, 30d, or a day such as 2026-03-01')
        .argParser((text: string) => readSince(text, systemClock.now()))
        .default(30 * dayMs, '30d'),
    )
    .option('--html <file>', 'write it there as one page that needs nothing else, instead of printing it')
    .option('--json', 'for programs')
    .addHelpText(
      'after',
      `
Exit code: 0 it was told, 1 nothing is known of such a domain, 2 it could not be made.

Examples:
  waypost report example.com
  waypost report example.com --since 30d --html report.html`,
    )
    .action((domain: string, flags: ReportFlags) => run((terminal) => report(domain, flags, terminal)))
}

/** @returns milliseconds back from now */
export function readSince(text: string, nowMs: number): number {
  const span = /^(\d{1,5})(m|h|d)$/.exec(text)
  if (span) return Number(span[1]) * { m: 60_000, h: 3_600_000, d: dayMs }[span[2] as 'm' | 'h' | 'd']
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN
  if (day <= nowMs) return nowMs - day
  throw new InvalidArgumentError('It must be a time such as 12h or 30d, or a day that has been, such as 2026-03-01.')
}

async function report(text: string, flags: ReportFlags, terminal: Terminal): Promise<ExitCode> {
  const domain = declaredText(text)
  if (domain === undefined) {
    throw new Misuse(`"${printable(text, 300)}" is no domain`)
  }
  const loaded = await loadForCommand(flags.config, terminal, findRunningConfig)
  if (!loaded) return 2
  const untilMs = systemClock.now()
  const made = await makeOrAsk(domain, { fromMs: Math.max(0, untilMs - flags.since), untilMs }, loaded, terminal)
  if (!made) return 2
  if (!made.isDeclared && made.days.length === 0 && made.outages.length === 0 && made.checkedMs === null) {
    terminal.err(`waypost: ${printable(domain)} is not declared in waypost.yaml, and nothing is known of it\n`)
    return 1
  }
  if (flags.html !== undefined) {
    try {
      await replaceFile(flags.html, Buffer.from(reportHtml(made)))
    } catch (error) {
      const code = errorCode(error)
      if (code === undefined) throw error
      terminal.err(`waypost: ${printable(flags.html, 300)} cannot be written (${code})\n`)
      return 2
    }
    terminal.err(`Written: ${printable(flags.html, 300)}\n`)
  }
  if (flags.json) terminal.out(`${JSON.stringify(made)}\n`)
  else if (flags.html === undefined) terminal.out(reportText(made))
  return 0
}

function declaredText(text: string): string | undefined {
  const stars = text.startsWith('*.')
  const read = readDomain(stars ? text.slice(2) : text)
  return read.kind === 'domain' ? `${stars ? '*.' : ''}${read.domain}` : undefined
}

async function makeOrAsk(
  domain: string,
  span: { readonly fromMs: number; readonly untilMs: number },
  loaded: Loaded,
  terminal: Terminal,
): Promise<Report | undefined> {
  const { state } = loaded.settings
  const asked = await askControl(
    controlPath(state),
    { command: 'watch.report', arguments: { domain, ...span } },
    { clock: systemClock, timeoutMs },
  )
  switch (asked.kind) {
    case 'done':
      // It comes from a gateway of this version: the command is answered by `makeReport`, or not at all.
      return asked.result as Report
    case 'not-running':
      return await fromStore(domain, span, loaded, terminal)
    case 'forbidden':
      terminal.err(`waypost: the gateway on ${state} belongs to ${await anotherUserText(state)}\n`)
      return undefined
    default:
      terminal.err(`waypost: the gateway on ${state} could not do it: ${asked.why}\n`)
      return undefined
  }
}

/** Nobody else has the store now, and what this process makes there is its owner's. */
async function fromStore(
  domain: string,
  span: { readonly fromMs: number; readonly untilMs: number },
  { settings }: Loaded,
  terminal: Terminal,
): Promise<Report | undefined> {
  const why = await whyNotOurs(settings.state)
  if (why !== undefined) {
    terminal.err(`waypost: ${why}\n`)
    return undefined
  }
  const opened = await openStore({ folder: settings.state, modules: [watchModule] }, { clock: systemClock })
  if (opened.kind !== 'opened') {
    terminal.err(`waypost: ${whyNotOpened(opened, settings.state)}\n`)
    return undefined
  }
  try {
    const history = openHistory(opened.store, silentLog)
    const kept = await history.seen(domain)
    const state = kept && (JSON.parse(kept.value) as CheckedState)
    return await makeReport(domain, span, settings.destinations, history, state)
  } finally {
    await opened.store.close()
  }
}

async function whyNotOurs(state: string): Promise<string | undefined> {
  try {
    const { uid } = await stat(state)
    return process.getuid?.() === uid
      ? undefined
      : `no gateway is running on ${state}, and the folder belongs to ${await anotherUserText(state)}`
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOENT') return `there is no state folder ${state}: no gateway has ever run on it`
    if (code === 'EACCES') return `the state folder ${state} belongs to ${await anotherUserText(state)}`
    throw error
  }
}
