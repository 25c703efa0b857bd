/** `waypost queue show` and `waypost queue cat`: one held message, as it stands and as it is. */
import { Command } from 'commander'
import { z } from 'zod'
import { systemClock } from '../../base/clock.ts'
import { printable } from '../../base/printable.ts'
import { catAnswer, type ListedRecipient, type ShowAnswer, showAnswer } from '../../gateway/operate/queue-shapes.ts'
import { runningConfigOption } from '../config-path.ts'
import type { BytesOut, ExitCode, Run, Terminal } from '../terminal.ts'
import { type QueueAccess, withQueue } from './access.ts'
import { findIds } from './options.ts'
import { bold, counted, dim, dueText, momentText, sizeText, stateWords, whenUp } from './words.ts'

interface ShowOptions {
  readonly config: string | undefined
  readonly json: boolean | undefined
}

interface CatOptions {
  readonly config: string | undefined
  readonly raw: boolean | undefined
}

export function showCommand(run: Run): Command {
  return new Command('show')
    .summary('all that is known of one held message')
    .description('Shows a held message: its envelope, each recipient with its state, every attempt, its header.')
    .argument('<id>', 'the message, or how its id begins')
    .addOption(runningConfigOption())
    .option('--json', 'for programs')
    .addHelpText(
      'after',
      `
Exit code: 0 shown, 1 no such message is held, 2 it could not be done.

Example:
  waypost queue show 01M84TXJDW`,
    )
    .action((id: string, options: ShowOptions) =>
      run((terminal) =>
        withOne(options.config, id, terminal, (whole, access) => show(whole, options, access, terminal)),
      ),
    )
}

export function catCommand(run: Run, bytes: BytesOut): Command {
  return new Command('cat')
    .summary('the content of one held message')
    .description(
      'Writes a held message as a backend would get it. What a terminal could take for commands is escaped there; into a pipe or a file it goes as it is.',
    )
    .argument('<id>', 'the message, or how its id begins')
    .addOption(runningConfigOption())
    .option('--raw', 'as it is, to a terminal too')
    .addHelpText(
      'after',
      `
Exit code: 0 written, 1 no such message is held, or it is damaged, 2 it could not be done.

Examples:
  waypost queue cat 01M84TXJDW
  waypost queue cat 01M84TXJDW > message.eml`,
    )
    .action((id: string, options: CatOptions) =>
      run((terminal) =>
        withOne(options.config, id, terminal, (whole, access) =>
          cat(whole, !options.raw && bytes.isTerminal, access, bytes, terminal),
        ),
      ),
    )
}

async function withOne(
  config: string | undefined,
  word: string,
  terminal: Terminal,
  work: (id: string, access: QueueAccess) => Promise<ExitCode>,
): Promise<ExitCode> {
  return await withQueue<ExitCode>(config, terminal, 2, async (access) => {
    const found = await findIds([word], access, terminal)
    if (found.kind !== 'ids') return found.kind === 'not-one' ? 1 : 2
    return await work(found.ids[0] ?? '', access)
  })
}

async function show(id: string, { json }: ShowOptions, access: QueueAccess, terminal: Terminal): Promise<ExitCode> {
  const shown = await access.ask('queue.show', { id }, showAnswer.nullable())
  if (shown === undefined) return 2
  if (shown === null) return gone(id, terminal)
  terminal.out(json ? `${JSON.stringify(shown)}\n` : showText(shown, systemClock.now(), access.isRunning))
  return 0
}

function gone(id: string, terminal: Terminal): ExitCode {
  terminal.err(`waypost: ${printable(id)} is not held any more\n`)
  return 1
}

function showText(shown: ShowAnswer, nowMs: number, isRunning: boolean): string {
  const { client } = shown
  const facts: (readonly [string, string])[] = [
    ['received', momentText(shown.receivedMs)],
    [
      'from',
      client
        ? `${printable(client.hello, 255)} (${printable(client.address)})${client.tls === null ? '' : `, ${printable(client.tls)}`}`
        : 'Waypost itself',
    ],
    ['sender', `${shown.from === '' ? '<>' : printable(shown.from, 400)} (${printable(shown.proof)})`],
    ['size', sizeText(shown.size)],
    ['until', momentText(shown.expiresMs)],
    ...(shown.envid === null ? [] : [['envid', printable(shown.envid)] as const]),
    ...(shown.ret === null ? [] : [['returns', printable(shown.ret)] as const]),
  ]
  const lines = [
    bold(printable(shown.id)),
    ...facts.map(([name, value]) => `  ${name.padEnd(9)} ${value}`),
    ...(shown.isBeingAttempted ? ['  A backend is being asked to take it at this moment.'] : []),
    '',
    bold(counted(shown.recipientCount, 'recipient')),
    ...shown.recipients.flatMap((recipient) => recipientLines(recipient, shown.receivedMs, nowMs, isRunning)),
    ...(shown.recipients.some(isNotedOnly)
      ? [`  What each server said then is in the log: waypost trace ${printable(shown.id)}`]
      : []),
    '',
    bold(shown.attempts.length === 0 ? 'No attempt yet' : counted(shown.attempts.length, 'attempt')),
    ...shown.attempts.map(
      ({ atMs, backend, outcome, text, recipients }) =>
        `  ${momentText(atMs)}  ${printable(outcome)}${backend === null ? '' : ` ${dim('by')} ${printable(backend)}`}${recipients > 1 ? ` (${counted(recipients, 'recipient')})` : ''}: ${printable(text)}`,
    ),
    '',
    bold('Header'),
    ...(shown.headers?.map((line) => `  ${printable(line.replaceAll('\t', '    '), 2000)}`) ?? ['  cannot be read']),
  ]
  return `${lines.join('\n')}\n`
}

function recipientLines(recipient: ListedRecipient, receivedMs: number, nowMs: number, isRunning: boolean): string[] {
  const { state, nextMs, reply, attempts, way, isChosen, backend } = recipient
  const isToGo = state === 'ready' || state === 'waiting' || state === 'unknown'
  const next = !isToGo
    ? ''
    : nextMs !== null
      ? `, next ${dueText(nextMs, nowMs)}`
      : state === 'ready' && isRunning
        ? `, ${whenUp}`
        : ''
  const lines = [
    `  ${printable(recipient.to, 400)}`,
    `    ${state}: ${stateWords[state]}${next}`,
    `    way ${printable(way, 300)}${isChosen ? ' (chosen by a person)' : ''}, ${counted(attempts, 'attempt')}${backend === null ? '' : `, given to ${printable(backend, 300)}`}`,
  ]
  if (reply !== null) lines.push(`    ${whoAndWhen(recipient, receivedMs)}: ${printable(reply)}`)
  return lines
}

/** What is known of a message as it comes is Waypost's own word, and so is that of an attempt that reached no server: the sender has not heard it. */
function whoAndWhen({ host, lastMs, attempts }: ListedRecipient, receivedMs: number): string {
  if (attempts === 0) return `when it was held, ${momentText(lastMs ?? receivedMs)}, Waypost noted`
  const when = lastMs === null ? '' : `, ${momentText(lastMs)}`
  return host === null ? `at the last attempt${when}, Waypost noted` : `last answer${when}, by ${printable(host)}`
}

const isNotedOnly = ({ attempts, reply }: ListedRecipient) => attempts === 0 && reply !== null

const part = z.union([
  catAnswer,
  z.object({ kind: z.literal('gone') }),
  z.object({ kind: z.literal('corrupt'), why: z.string() }),
])

async function cat(
  id: string,
  isEscaped: boolean,
  access: QueueAccess,
  bytes: BytesOut,
  terminal: Terminal,
): Promise<ExitCode> {
  let line = ''
  for (let offset: number | null = 0; offset !== null; ) {
    const found: z.output<typeof part> | undefined = await access.ask('queue.cat', { id, offset }, part)
    if (!found) return 2
    if ('kind' in found) {
      if (found.kind === 'gone') return gone(id, terminal)
      terminal.err(`waypost: ${printable(id)} is damaged: ${printable(found.why)}\n`)
      return 1
    }
    const content = Buffer.from(found.content, 'base64')
    offset = found.next
    if (!isEscaped) {
      await bytes.write(content)
      continue
    }
    // Octets that are no UTF-8 are shown as what they are.
    const lines = `${line}${content.toString('latin1')}`.split('\r\n')
    line = lines.pop() ?? ''
    terminal.out(lines.map((each) => `${readable(each)}\n`).join(''))
  }
  if (line !== '') terminal.out(`${readable(line)}\n`)
  return 0
}

/** A line of octets as text where it is UTF-8, and nothing in it that a terminal would perform. */
function readable(octets: string): string {
  const line = Buffer.from(octets, 'latin1')
  const text = line.toString('utf8')
  return printable(text.includes('\ufffd') ? octets : text, Number.POSITIVE_INFINITY)
}
