/** `waypost queue list`: held messages a page at a time, oldest first. */
import { Command } from 'commander'
import { systemClock } from '../../base/clock.ts'
import { printable } from '../../base/printable.ts'
import { shortLengthText } from '../../base/time-text.ts'
import { type ListedMessage, listAnswer } from '../../gateway/operate/queue-shapes.ts'
import { runningConfigOption } from '../config-path.ts'
import { Misuse } from '../misuse.ts'
import type { ExitCode, Run, Terminal } from '../terminal.ts'
import { withQueue } from './access.ts'
import { type FilterWords, filterOf, isEmptyFilter, withFilters } from './options.ts'
import { undeclaredText } from './undeclared.ts'
import { sizeText, tableText } from './words.ts'

interface ListOptions extends FilterWords {
  readonly config: string | undefined
  readonly limit: string
  readonly after: string | undefined
  readonly json: boolean | undefined
}

export function listCommand(run: Run): Command {
  return withFilters(
    new Command('list')
      .summary('list held messages, oldest first')
      .description('Lists held messages, oldest first, a page at a time.')
      .addOption(runningConfigOption()),
  )
    .option('--limit <number>', 'messages a page, up to 1000', '50')
    .option('--after <place>', 'where the page before ended, as it said')
    .option('--json', 'for programs')
    .addHelpText(
      'after',
      `
Exit code: 0 listed, 2 it could not be done.

Examples:
  waypost queue list
  waypost queue list --domain example.com --state refused expired
  waypost queue list --sender @example.org --older-than 1h --json`,
    )
    .action((options: ListOptions) => run((terminal) => list(options, terminal)))
}

async function list(options: ListOptions, terminal: Terminal): Promise<ExitCode> {
  const nowMs = systemClock.now()
  const filter = filterOf(options, nowMs)
  const limit = Number(options.limit)
  if (typeof filter === 'string' || !Number.isInteger(limit) || limit < 1 || limit > 1000) {
    throw new Misuse(typeof filter === 'string' ? filter : '--limit is a whole number from 1 to 1000')
  }
  return await withQueue<ExitCode>(options.config, terminal, 2, async (access) => {
    const messages: ListedMessage[] = []
    let after = options.after
    // A filter that meets little looks at some thousands of messages a call.
    do {
      const page = await access.ask(
        'queue.list',
        { filter, limit: limit - messages.length, ...(after === undefined ? {} : { after }) },
        listAnswer,
      )
      if (!page) return 2
      messages.push(...page.messages)
      after = page.next ?? undefined
    } while (after !== undefined && messages.length < limit)
    if (options.json) {
      terminal.out(`${JSON.stringify({ messages, next: after ?? null })}\n`)
      return 0
    }
    const isAll = isEmptyFilter(filter) && options.after === undefined
    const none = isAll ? 'Nothing is held.\n' : 'Nothing is held that fits.\n'
    terminal.out(messages.length === 0 ? none : tableText(rowsOf(messages, nowMs)))
    const undeclared = messages.length === 0 ? undeclaredText(options.domain, access.settings) : undefined
    if (undeclared !== undefined) terminal.err(`${undeclared}\n`)
    if (after !== undefined) terminal.err(`There is more: add --after ${printable(after, 40)}\n`)
    return 0
  })
}

const rowsOf = (messages: readonly ListedMessage[], nowMs: number) => [
  ['ID', ' AGE', ' SIZE', 'STATE', 'FROM', 'TO'],
  ...messages.map((message) => [
    printable(message.id),
    shortLengthText(nowMs - message.receivedMs),
    sizeText(message.size),
    [...new Set(message.recipients.map(({ state }) => state))].join(', '),
    message.from === '' ? '<>' : printable(message.from, 40),
    recipientsText(message),
  ]),
]

function recipientsText({ recipients, recipientCount }: ListedMessage): string {
  const first = printable(recipients[0]?.to ?? '', 50)
  return recipientCount > 1 ? `${first} and ${recipientCount - 1} more` : first
}
