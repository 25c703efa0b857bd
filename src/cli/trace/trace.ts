/**
 * `waypost trace`: what became of a message, from the hold and from the log. A message that was cut through writes no row, so its story is in the log
 * alone.
 */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Command } from 'commander'
import { z } from 'zod'
import { systemClock } from '../../base/clock.ts'
import { errorCode } from '../../base/error-code.ts'
import { printable } from '../../base/printable.ts'
import { type ShowAnswer, showAnswer } from '../../gateway/operate/queue-shapes.ts'
import { runningConfigOption } from '../config-path.ts'
import { Misuse } from '../misuse.ts'
import { findState, type QueueAccess, withQueue } from '../queue/access.ts'
import type { ExitCode, Run, Terminal } from '../terminal.ts'
import { type FoundLines, type LogLine, searchLog } from './log-search.ts'
import { storyText } from './story.ts'

interface TraceOptions {
  readonly config: string | undefined
  readonly log: string | undefined
  readonly json: boolean | undefined
}

export function traceCommand(run: Run, standardInput: () => AsyncIterable<Uint8Array>): Command {
  return new Command('trace')
    .summary("tell a message's whole story")
    .description(
      'Tells what became of a message, by the id that stands in its Received: line: who sent it, what each backend said, what the sender heard. The hold is asked, and the log is read: that of log.file in waypost.yaml, and the one that was rotated away before it.',
    )
    .argument('<id>', 'the message, or how its id begins')
    .addOption(runningConfigOption())
    .option('--log <file>', 'another log, of JSON lines; "-" is standard input')
    .option('--json', 'for programs')
    .addHelpText(
      'after',
      `
Every message that came in whole and in order has its line in the log, whatever became of it. Recipients and messages that were refused before that
are told by their first lines (limits.refusedPerMinute of one address), and a line that says how many more there were.

Exit code: 0 told, 1 nothing is known of such a message, or of more than one, 2 it could not be done.

Examples:
  waypost trace 01M84TXJDWYBYTRKABKN4NXXH7
  journalctl -u waypost -o cat | waypost trace 01M84TXJDW --log -`,
    )
    .action((id: string, options: TraceOptions) => run((terminal) => trace(id, options, standardInput, terminal)))
}

async function trace(
  word: string,
  options: TraceOptions,
  standardInput: () => AsyncIterable<Uint8Array>,
  terminal: Terminal,
): Promise<ExitCode> {
  const prefix = word.toUpperCase()
  if (!/^[0-9A-Z]{1,26}$/.test(prefix)) {
    throw new Misuse(`"${printable(word, 64)}" is no id of a message`)
  }
  // The log can be read where the hold cannot be asked.
  const configured = await findState(options.config, { ...terminal, err: () => undefined })
  const none: Held = { ids: [], shown: undefined }
  const held = await withQueue<Held>(options.config, terminal, none, (access) => askHold(prefix, access))
  const found = await readLogs(options.log ?? configured?.settings?.logFile, prefix, standardInput, terminal)
  if (found === 'could-not') return 2
  const ids = new Set([...held.ids, ...found.lines.map(({ fields }) => ownId(fields, prefix))])
  const [id, ...others] = ids
  if (id === undefined) {
    const log = options.log ?? configured?.settings?.logFile
    const where = log === undefined || log === '-' ? '' : `; ${printable(log)} was read for JSON lines (--log json)`
    terminal.err(`waypost: nothing is known of a message ${printable(word, 64)}${where}\n`)
    return 1
  }
  if (others.length > 0) {
    const some = [...ids].slice(0, 5).map((each) => `  ${printable(each)}\n`)
    terminal.err(`waypost: several messages have ids that begin so, among them\n${some.join('')}`)
    return 1
  }
  if (found.isCut) terminal.err('waypost: the log holds more of it than can be told; these are the first lines\n')
  terminal.out(
    options.json
      ? `${JSON.stringify({ id, log: found.lines, held: held.shown ?? null })}\n`
      : storyText(id, found.lines, held.shown, systemClock.now()),
  )
  return 0
}

interface Held {
  readonly ids: readonly string[]
  /** Where there is one. */
  readonly shown: ShowAnswer | undefined
}

async function askHold(prefix: string, access: QueueAccess): Promise<Held> {
  const ids = (await access.ask('queue.find', { prefix }, z.array(z.string()))) ?? []
  const [id] = ids
  const shown =
    id !== undefined && ids.length === 1 ? await access.ask('queue.show', { id }, showAnswer.nullable()) : null
  return { ids, shown: shown ?? undefined }
}

/** Of the message itself, or of the notice that this line tells of. */
function ownId({ id, notice }: LogLine['fields'], prefix: string): string {
  const own = [id, notice].find((each) => typeof each === 'string' && each.startsWith(prefix))
  return String(own)
}

async function readLogs(
  log: string | undefined,
  prefix: string,
  standardInput: () => AsyncIterable<Uint8Array>,
  terminal: Terminal,
): Promise<FoundLines | 'could-not'> {
  if (log === '-') return await searchLog(standardInput(), prefix)
  if (log === undefined) {
    terminal.err(
      'waypost: no log is read, and only a log knows of mail that is not held any more. Have one written from now on with "log: { file: /var/log/waypost/mail.log }" in waypost.yaml and a reload, or name the one there is: --log FILE, or journalctl -u waypost -o cat | waypost trace ID --log -\n',
    )
    return { lines: [], isCut: false }
  }
  // As logrotate names the one before, unless it has packed it.
  const before = await search(`${log}.1`, prefix)
  const now = await search(log, prefix)
  if (typeof now === 'string') {
    terminal.err(`waypost: the log ${printable(log)} cannot be read (${printable(now)})\n`)
    return 'could-not'
  }
  const earlier = typeof before === 'string' ? [] : before.lines
  return { lines: [...earlier, ...now.lines], isCut: now.isCut || (typeof before !== 'string' && before.isCut) }
}

const chunkBytes = 1024 * 1024

/** @returns what was found, or the system's code */
async function search(path: string, prefix: string): Promise<FoundLines | string> {
  try {
    if (!(await stat(path)).isFile()) return 'no file'
    return await searchLog(createReadStream(path, { highWaterMark: chunkBytes }), prefix)
  } catch (error) {
    const code = errorCode(error)
    if (code === undefined) throw error
    return code
  }
}
