/** `waypost queue stats` and `waypost queue resume`: how much is held for whom, and what waits for a person. */
import { Command } from 'commander'
import { systemClock } from '../../base/clock.ts'
import { printable } from '../../base/printable.ts'
import { shortLengthText } from '../../base/time-text.ts'
import { resumeAnswer, type StatsAnswer, statsAnswer } from '../../gateway/operate/queue-shapes.ts'
import { recipientStates } from '../../queue/queue.ts'
import { backendUrl, parseBackend } from '../../routing/parse-backend.ts'
import { runningConfigOption } from '../config-path.ts'
import { Misuse } from '../misuse.ts'
import type { ExitCode, Run, Terminal } from '../terminal.ts'
import { withQueue } from './access.ts'
import { bold, counted, dim, dueText, sizeText, tableText, whenUp } from './words.ts'

interface StatsOptions {
  readonly config: string | undefined
  readonly limit: string
  readonly json: boolean | undefined
}

export function statsCommand(run: Run, columns: number): Command {
  return new Command('stats')
    .summary('how much is held, by domain')
    .description(
      'Says how much is held for each recipient domain, since when, and when it is tried next; and what waits for a person.',
    )
    .addOption(runningConfigOption())
    .option('--limit <number>', 'domains that are named, the largest first', '20')
    .option('--json', 'for programs')
    .addHelpText(
      'after',
      `
Exit code: 0 said, 1 a drain or the expiry is stopped and waits for "waypost queue resume", 2 it could not be done.

Examples:
  waypost queue stats
  waypost queue stats --limit 1000 --json`,
    )
    .action((options: StatsOptions) => run((terminal) => stats(options, columns, terminal)))
}

export function resumeCommand(run: Run): Command {
  return new Command('resume')
    .summary('let a drain go on that was stopped')
    .description(
      'Lets a drain go on that was stopped because its backend refused too much of what is held, and the expiry where the clock was in doubt.',
    )
    .argument('[backend]', 'its URL, as "waypost queue stats" names it; all that are stopped where it is left out')
    .addOption(runningConfigOption())
    .addHelpText(
      'after',
      `
Exit code: 0 it goes on, 1 it was not stopped, 2 it could not be done.

Examples:
  waypost queue resume
  waypost queue resume smtp://10.0.0.11:25`,
    )
    .action((backend: string | undefined, options: { readonly config: string | undefined }) =>
      run((terminal) => resume(backend, options.config, terminal)),
    )
}

async function stats(options: StatsOptions, columns: number, terminal: Terminal): Promise<ExitCode> {
  const most = Number(options.limit)
  if (!Number.isInteger(most) || most < 0 || most > 100_000) {
    throw new Misuse('--limit is a whole number from 0 to 100000')
  }
  return await withQueue<ExitCode>(options.config, terminal, 2, async (access) => {
    const found = await access.ask('queue.stats', { most }, statsAnswer)
    if (!found) return 2
    terminal.out(
      options.json ? `${JSON.stringify(found)}\n` : statsText(found, systemClock.now(), columns, access.isRunning),
    )
    return found.stopped.length > 0 || found.expiryStopped !== null ? 1 : 0
  })
}

function statsText(found: StatsAnswer, nowMs: number, columns: number, isRunning: boolean): string {
  const lines = [
    found.messages === 0
      ? 'Nothing is held.\n'
      : `${bold(counted(found.messages, 'message'))} held, ${sizeText(found.octets)}, the oldest for ${shortLengthText(nowMs - (found.oldestMs ?? nowMs))}.\n`,
  ]
  if (found.domains.length > 0) lines.push('\n', domainTable(found, nowMs, columns, isRunning))
  const others = found.domainCount - found.domains.length
  if (others > 0) lines.push(dim(`… and ${counted(others, 'domain')} more (--limit)`), '\n')
  for (const { backend, why } of found.stopped)
    lines.push(
      `\nThe drain to ${printable(backend)} is stopped: ${printable(why)}.\n  waypost queue resume ${printable(backend)}\n`,
    )
  if (found.expiryStopped !== null)
    lines.push(`\nNothing expires at present: ${printable(found.expiryStopped)}.\n  waypost queue resume\n`)
  return lines.join('')
}

const widestBar = 30
const narrowestBar = 8

function domainTable({ domains }: StatsAnswer, nowMs: number, columns: number, isRunning: boolean): string {
  const rows = [
    ['DOMAIN', ' MESSAGES', ' SIZE', ' OLDEST', 'NEXT', 'RECIPIENTS'],
    ...domains.map(({ domain, messages, octets, oldestMs, nextMs, states }) => [
      domain === '' ? '-' : printable(domain, 60),
      messages.toLocaleString('en'),
      sizeText(octets),
      shortLengthText(nowMs - oldestMs),
      nextMs === null && isRunning && (states.ready ?? 0) > 0 ? whenUp : dueText(nextMs, nowMs),
      recipientStates
        .flatMap((state) => (states[state] ? [`${state} ${states[state].toLocaleString('en')}`] : []))
        .join(', '),
    ]),
  ]
  const lines = tableText(rows).trimEnd().split('\n')
  const room = Math.min(widestBar, columns - Math.max(...lines.map(({ length }) => length)) - 2)
  const width = Math.max(narrowestBar, room)
  const most = Math.max(...domains.map(({ messages }) => messages))
  const bars = domains.map(({ messages }) => bar(messages / most, width))
  return lines.map((line, at) => `${(bars[at - 1] ?? '').padEnd(width)}  ${line}\n`).join('')
}

const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

/** A bar of so many characters and eighths of one; what is there at all is seen. */
function bar(share: number, width: number): string {
  const units = Math.max(1, Math.round(share * width * 8))
  return `${'█'.repeat(Math.floor(units / 8))}${eighths[units % 8]}`
}

async function resume(backend: string | undefined, config: string | undefined, terminal: Terminal): Promise<ExitCode> {
  const parsed = backend === undefined ? undefined : parseBackend(backend, process.cwd())
  if (parsed?.kind === 'invalid') {
    throw new Misuse(`"${printable(backend ?? '')}" is no backend: ${parsed.why}`)
  }
  return await withQueue<ExitCode>(config, terminal, 2, async (access) => {
    const found = await access.ask(
      'queue.resume',
      parsed === undefined ? {} : { backend: backendUrl(parsed.address) },
      resumeAnswer,
    )
    if (!found) return 2
    for (const what of found.resumed) terminal.out(`${capital(printable(what))} goes on.\n`)
    if (found.resumed.length > 0) return 0
    terminal.err(
      backend === undefined ? 'Nothing is stopped.\n' : `The drain to ${printable(backend)} is not stopped.\n`,
    )
    return 1
  })
}

const capital = (text: string) => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`
