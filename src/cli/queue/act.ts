/** `waypost queue retry|hold|release|route|remove`: what a person does to held messages, by their ids or by a filter. */
import { Command } from 'commander'
import { z } from 'zod'
import { systemClock } from '../../base/clock.ts'
import { nearest } from '../../base/nearest.ts'
import { printable } from '../../base/printable.ts'
import {
  type Act,
  type ActAnswer,
  type AskedFilter,
  actAnswer,
  statsAnswer,
} from '../../gateway/operate/queue-shapes.ts'
import type { RecipientState } from '../../queue/queue.ts'
import { backendUrl, parseBackend } from '../../routing/parse-backend.ts'
import { runningConfigOption } from '../config-path.ts'
import { Misuse } from '../misuse.ts'
import type { ExitCode, Run, Terminal } from '../terminal.ts'
import { type QueueAccess, withQueue } from './access.ts'
import { type FilterWords, filterOf, findIds, isEmptyFilter, mostIds, withFilters } from './options.ts'
import { undeclaredText } from './undeclared.ts'
import { counted, sizeText } from './words.ts'

/** How a person is asked before something is done that cannot be undone. */
export interface Confirming {
  /** Asks a question that wants "yes"; undefined where nobody can be asked. */
  readonly confirm: ((question: string) => Promise<boolean>) | undefined
}

interface ActOptions extends FilterWords {
  readonly config: string | undefined
  readonly all?: boolean
  readonly yes?: boolean
  readonly to?: string
}

interface ActWords {
  readonly summary: string
  readonly description: string
  readonly example: string
  /** What is said of it when it is done. */
  readonly done: string
  /** The same on the store of a stopped gateway, where that is another matter. */
  readonly otherwise?: string
}

const words: Readonly<Record<Exclude<Act, 'count' | 'route'>, ActWords>> = {
  retry: {
    summary: 'try held messages now',
    description:
      'Tries held messages now, and looks whether their backends are up. What was refused, expired or set aside is tried only where its id or --state names it.',
    example: 'waypost queue retry --domain example.com\n  waypost queue retry --state refused',
    done: 'will be tried now',
    otherwise: 'will be tried when the gateway runs',
  },
  hold: {
    summary: 'keep held messages back until they are released',
    description: 'Keeps messages back: no backend is tried until they are released. Their time goes on.',
    example: 'waypost queue hold --sender @newsletter.example',
    done: 'kept back',
  },
  release: {
    summary: 'let messages go that were kept back',
    description: 'Lets messages go that were kept back with "hold".',
    example: 'waypost queue release --all',
    done: 'released',
  },
  remove: {
    summary: 'throw held messages away, after asking',
    description: 'Throws held messages away, for good, and tells nobody. Asks first.',
    example: 'waypost queue remove 01M84TXJDW\n  waypost queue remove --sender @spam.example --yes',
    done: 'removed',
  },
}

const exitCodes = 'Exit code: 0 done, 1 some were left as they were, or nothing fits, 2 it could not be done.'

export function actCommands(run: Run, deps: Confirming): Command[] {
  const simple = (['retry', 'hold', 'release', 'remove'] as const).map((act) => {
    const { summary, description, example } = words[act]
    const command = withFilters(
      new Command(act)
        .summary(summary)
        .description(description)
        .argument('[ids...]', 'messages, or how their ids begin; or say which by the options')
        .addOption(runningConfigOption()),
    ).option('--all', 'everything that is held')
    if (act === 'remove') command.option('--yes', 'do not ask')
    return command
      .addHelpText('after', `\n${exitCodes}\n\nExamples:\n  ${example}`)
      .action((ids: string[], options: ActOptions) =>
        run((terminal) => perform(act, ids, options, words[act], deps, terminal)),
      )
  })
  const route = withFilters(
    new Command('route')
      .summary('send held messages another way')
      .description(
        'Sends held messages to a backend or a route of waypost.yaml, whatever their domain says; only what stands in the configuration can be named.',
      )
      .argument('[ids...]', 'messages, or how their ids begin; or say which by the options')
      .requiredOption('--to <backend>', "a backend's URL, or the name of a route")
      .addOption(runningConfigOption()),
  )
    .option('--all', 'everything that is held')
    .addHelpText('after', `\n${exitCodes}\n\nExample:\n  waypost queue route 01M84TXJDW --to smtp://10.0.0.12:25`)
    .action((ids: string[], options: ActOptions) =>
      run((terminal) =>
        perform('route', ids, options, { done: `will go to ${printable(options.to ?? '')}` }, deps, terminal),
      ),
    )
  return [...simple, route]
}

async function perform(
  act: Act,
  ids: readonly string[],
  options: ActOptions,
  { done, otherwise = done }: Pick<ActWords, 'done' | 'otherwise'>,
  { confirm }: Confirming,
  terminal: Terminal,
): Promise<ExitCode> {
  const filter = filterOf(options, systemClock.now())
  const why = whyNot(ids, options, filter)
  if (typeof filter === 'string' || why !== undefined) {
    throw new Misuse(typeof filter === 'string' ? filter : (why ?? ''))
  }
  return await withQueue<ExitCode>(options.config, terminal, 2, async (access) => {
    const found = await findIds(ids, access, terminal)
    if (found.kind !== 'ids') return found.kind === 'not-one' ? 1 : 2
    // What comes in while a person thinks is not meant.
    const until = filter.receivedBeforeMs ?? systemClock.now() + 1
    const meant = found.ids.length > 0 ? { ids: [...found.ids] } : { ...filter, receivedBeforeMs: until }
    if (act === 'remove' && !options.yes) {
      const agreed = await agree(meant, options, access, confirm, terminal)
      if (agreed !== 'yes') return agreed
    }
    const to = options.to === undefined ? undefined : canonical(options.to)
    // Before it is done, because "hold" makes more of them.
    const keptBack = await countKeptBack(act, meant, access, terminal)
    const result = keptBack === undefined ? undefined : await actOnAll(act, meant, to, access, terminal)
    if (keptBack === undefined || !result) return 2
    tellDone(result, access.isRunning ? done : otherwise, terminal)
    const ended = await countEnded(act, result, meant, access, terminal)
    const undeclared = undeclaredText(options.domain, access.settings)
    const nothing = (await isEmpty(options.all, result, access)) ? 'Nothing is held.' : noneFits(undeclared)
    return tellLeft(result, { nothing, keptBack, ended }, terminal)
  })
}

function whyNot(ids: readonly string[], { all }: ActOptions, filter: AskedFilter | string): string | undefined {
  const ways = [ids.length > 0, all === true, typeof filter !== 'string' && !isEmptyFilter(filter)]
  const chosen = ways.filter(Boolean).length
  if (chosen === 0) return 'say which: ids, a filter such as --domain example.com, or --all'
  if (chosen > 1) return 'say which in one way: ids, or a filter, or --all'
  return ids.length > mostIds ? `at most ${mostIds} ids at once` : undefined
}

/** `smtp://host` means port 25, as in waypost.yaml; what is no backend is the name of a route. */
function canonical(to: string): string {
  const parsed = parseBackend(to, process.cwd())
  return parsed.kind === 'invalid' ? to : backendUrl(parsed.address)
}

async function agree(
  filter: AskedFilter,
  { all, domain }: ActOptions,
  access: QueueAccess,
  confirm: Confirming['confirm'],
  terminal: Terminal,
): Promise<'yes' | ExitCode> {
  const counts = await actOnAll('count', filter, undefined, access, terminal)
  if (!counts) return 2
  if (counts.messages === 0) {
    const nothing = all === true ? 'Nothing is held.' : noneFits(undeclaredText(domain, access.settings))
    return tellLeft(counts, { nothing, keptBack: 0, ended: 0 }, terminal)
  }
  const what = `${counted(counts.messages, 'message')} (${counted(counts.recipients, 'recipient')}, ${sizeText(counts.octets)})`
  if (!confirm) {
    terminal.err(`waypost: this would remove ${what}: say --yes if that is meant\n`)
    return 2
  }
  if (await confirm(`Remove ${what} for good, and tell nobody?`)) return 'yes'
  terminal.err('Nothing was removed.\n')
  return 1
}

const noSuchWay = z.object({ kind: z.literal('no-such-way'), choices: z.array(z.string()).optional() })

/** A page after the other. @returns undefined where it could not be done, which has been said */
async function actOnAll(
  act: Act,
  filter: AskedFilter,
  to: string | undefined,
  access: QueueAccess,
  terminal: Terminal,
): Promise<ActAnswer | undefined> {
  const sum = {
    messages: 0,
    recipients: 0,
    octets: 0,
    left: [] as ActAnswer['left'],
    leftCount: 0,
    next: null,
    withoutBackend: 0,
  }
  for (let after: string | null = ''; after !== null; ) {
    const given: Record<string, unknown> = {
      act,
      filter,
      ...(after === '' ? {} : { after }),
      ...(to === undefined ? {} : { to }),
    }
    const page: z.output<typeof actAnswer> | z.output<typeof noSuchWay> | undefined = await access.ask(
      'queue.act',
      given,
      z.union([actAnswer, noSuchWay]),
    )
    if (!page) return undefined
    if ('kind' in page) {
      terminal.err(`waypost: ${whyNoWay(to ?? '', page.choices)}\n`)
      return undefined
    }
    sum.messages += page.messages
    sum.recipients += page.recipients
    sum.octets += page.octets
    sum.left.push(...page.left.slice(0, leftShown - sum.left.length))
    sum.leftCount += page.leftCount
    sum.withoutBackend += page.withoutBackend ?? 0
    after = page.next
  }
  return sum
}

function whyNoWay(to: string, choices: readonly string[] | undefined): string {
  if (!choices) return 'the configuration cannot be read, so there is no way to choose'
  const near = nearest(to, choices)
  const meant = near === undefined ? '' : `; did you mean "${printable(near)}"?`
  const shown = choices.slice(0, waysShown).map((each) => printable(each))
  const more = choices.length > waysShown ? `, and ${choices.length - waysShown} more` : ''
  return `"${printable(to)}" is no backend or route of waypost.yaml for it${meant || ';'} ${meant ? 'There' : 'there'} are ${shown.join(', ')}${more}`
}

const waysShown = 20
const leftShown = 10

/** Messages that a person keeps back, which these two pass over in silence unless they are named. @returns undefined where it could not be asked */
async function countKeptBack(
  act: Act,
  filter: AskedFilter,
  access: QueueAccess,
  terminal: Terminal,
): Promise<number | undefined> {
  if ((act !== 'retry' && act !== 'hold') || filter.ids !== undefined || filter.states !== undefined) return 0
  return (await actOnAll('count', { ...filter, states: ['held'] }, undefined, access, terminal))?.messages
}

/** Messages that came to their end, which `retry` passes over unless they are named; asked where it found nothing else. */
async function countEnded(
  act: Act,
  { messages, leftCount }: ActAnswer,
  filter: AskedFilter,
  access: QueueAccess,
  terminal: Terminal,
): Promise<number> {
  if (act !== 'retry' || messages > 0 || leftCount > 0 || filter.ids !== undefined || filter.states !== undefined)
    return 0
  const states: RecipientState[] = ['refused', 'expired', 'set-aside', 'corrupt']
  return (await actOnAll('count', { ...filter, states }, undefined, access, terminal))?.messages ?? 0
}

async function isEmpty(
  isAll: boolean | undefined,
  { messages, leftCount }: ActAnswer,
  access: QueueAccess,
): Promise<boolean> {
  if (!isAll || messages > 0 || leftCount > 0) return false
  return (await access.ask('queue.stats', { most: 0 }, statsAnswer))?.messages === 0
}

function tellDone({ messages, recipients, withoutBackend = 0 }: ActAnswer, done: string, terminal: Terminal): void {
  const atOnce = messages - withoutBackend
  const all = recipients > messages ? ` (${counted(recipients, 'recipient')})` : ''
  if (atOnce > 0) terminal.out(`${counted(atOnce, 'message')}${withoutBackend > 0 ? '' : all} ${done}.\n`)
  if (withoutBackend > 0)
    terminal.out(
      `${counted(withoutBackend, 'message')}${atOnce > 0 ? '' : all} will go as soon as a backend is up: none was at the last look, and they are looked at now.\n`,
    )
}

const noneFits = (undeclared: string | undefined) =>
  `Nothing is held that fits.${undeclared === undefined ? '' : `\n${undeclared}`}`

interface Unchanged {
  /** What is said where there is nothing. */
  readonly nothing: string
  /** Messages. */
  readonly keptBack: number
  readonly ended: number
}

function tellLeft(
  { messages, left, leftCount }: ActAnswer,
  { nothing, keptBack, ended }: Unchanged,
  terminal: Terminal,
): ExitCode {
  for (const { id, why } of left) terminal.err(`${printable(id)} stays as it is: ${printable(why)}\n`)
  if (leftCount > left.length) terminal.err(`… and ${counted(leftCount - left.length, 'more')}\n`)
  if (keptBack > 0)
    terminal.err(
      `${counted(keptBack, 'message')} ${keptBack === 1 ? 'is' : 'are'} kept back by a person: "waypost queue release" lets them go.\n`,
    )
  if (ended > 0)
    terminal.err(
      `${counted(ended, 'message')} came to ${ended === 1 ? 'its' : 'their'} end (refused, expired or set aside): name ${ended === 1 ? 'it' : 'them'} by id, or by --state, to try again.\n`,
    )
  if (messages === 0 && leftCount === 0 && keptBack === 0 && ended === 0) terminal.err(`${nothing}\n`)
  return messages > 0 && leftCount === 0 ? 0 : 1
}
