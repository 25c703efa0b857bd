/** `waypost backend list|out|in`: what the running gateway knows of its backends, and taking one out by hand. */
import { Command } from 'commander'
import { z } from 'zod'
import { systemClock } from '../base/clock.ts'
import { printable } from '../base/printable.ts'
import type { LeftWithout } from '../gateway/backends/left-without.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { ControlAnswer, ControlRequest } from '../gateway/operate/control.ts'
import { backendUrl, parseBackend } from '../routing/parse-backend.ts'
import { askGateway } from './ask.ts'
import { backendList, backendTable } from './backend-list.ts'
import { runningConfigOption } from './config-path.ts'
import { Misuse } from './misuse.ts'
import type { ExitCode, Run, Terminal } from './terminal.ts'

interface BackendCommandOptions {
  readonly config: string | undefined
  readonly json: boolean | undefined
}

const exitCodes = '\nExit code: 0 done, 2 there is no such backend, or no running gateway.'

export function backendCommand(run: Run): Command {
  const command = new Command('backend').summary('list the backends of the running gateway, take one out, put it back')
  command.addHelpText('after', '\nExample:\n  waypost backend out smtp://10.0.0.11:25')
  command
    .command('list')
    .description(
      'Lists the backends of the running gateway: their state and since when (">": when the gateway began it was so), sessions, the share of the mail that goes there now, preference and weight, and the route or domains that they serve. An address that is not in the URL, and the last error, stand below.',
    )
    .addOption(runningConfigOption())
    .option('--json', 'for programs')
    .addHelpText(
      'after',
      '\nExit code: 0 all are up, 1 some are not, 2 there is no running gateway.\n\nExample:\n  waypost backend list -c waypost.yaml',
    )
    .action((options: BackendCommandOptions) => run((terminal) => list(options, terminal)))
  command
    .command('out')
    .alias('drain')
    .description(
      'Takes a backend out of service: it gets no new mail until it is put back in. Mail of domains that have no other is held meanwhile.',
    )
    .argument('<url>', 'the backend, as it stands in waypost.yaml')
    .addOption(runningConfigOption())
    .addHelpText(
      'after',
      `\n"drain" is another name of this; it hands out no held mail.\n${exitCodes}\n\nExample:\n  waypost backend out smtp://10.0.0.11:25`,
    )
    .action((url: string, options: BackendCommandOptions) =>
      run((terminal) => tell('backend.drain', url, options, terminal)),
    )
  command
    .command('in')
    .alias('enable')
    .description('Puts a backend back that was taken out.')
    .argument('<url>', 'the backend, as it stands in waypost.yaml')
    .addOption(runningConfigOption())
    .addHelpText('after', `${exitCodes}\n\nExample:\n  waypost backend in smtp://10.0.0.11:25`)
    .action((url: string, options: BackendCommandOptions) =>
      run((terminal) => tell('backend.enable', url, options, terminal)),
    )
  return command
}

async function list(options: BackendCommandOptions, terminal: Terminal): Promise<ExitCode> {
  const heard = await askGateway(options.config, { command: 'backend.list' }, terminal)
  if (heard.kind !== 'done') return 2
  const backends = backendList.safeParse(heard.result)
  if (!backends.success) {
    terminal.err('waypost: the answer of the running gateway cannot be read; is it of another version?\n')
    return 2
  }
  terminal.out(options.json ? `${JSON.stringify(backends.data)}\n` : backendTable(backends.data, systemClock.now()))
  return backends.data.every((backend) => backend.state === 'up') ? 0 : 1
}

async function tell(
  command: 'backend.drain' | 'backend.enable',
  url: string,
  options: BackendCommandOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const parsed = parseBackend(url, process.cwd())
  if (parsed.kind === 'invalid') {
    throw new Misuse(`"${printable(url)}" is no backend: ${parsed.why}; "waypost backend list" shows those there are`)
  }
  const canonical = backendUrl(parsed.address)
  const request: ControlRequest = { command, arguments: { url: canonical } }
  const heard = await askGateway(options.config, request, terminal)
  if (heard.kind !== 'done') return 2
  const told = toldShape.safeParse(heard.result).data ?? {}
  if (command === 'backend.enable') {
    terminal.out(`${canonical} ${backInText(told)}\n`)
    return 0
  }
  terminal.out(`${canonical} ${told.wasSo ? 'is out already' : 'gets no new mail'}.\n`)
  const left = leftShape.safeParse(heard.result)
  if (left.success && !told.wasSo) terminal.err(leftText(left.data, canonical))
  return 0
}

/** What a running gateway answers to both; one of an older version says none of it. */
const toldShape = z.object({
  /** It was out, or in, before. */
  wasSo: z.boolean().optional(),
  /** Why no address of it can be handed mail now, where none can. */
  trouble: z.string().optional(),
})

function backInText({ wasSo, trouble }: z.output<typeof toldShape>): string {
  const why = trouble === undefined ? '' : ` It is down (${printable(trouble, 200)}) and is looked at now.`
  if (wasSo) return `was not out of service.${why}`
  return why === '' ? 'takes mail again.' : `is back in service.${why}`
}

const someNames = z.object({ first: z.array(z.string()), more: z.number() })

/** What a running gateway answers to `backend.drain`; one of an older version answers nothing, or less. */
const leftShape = z.object({
  held: someNames,
  deferred: someNames,
  /** Those whose backends were all away before. */
  before: someNames.optional(),
})

type Left = z.output<typeof leftShape>

const someOf = (names: readonly string[]): Left['held'] => ({
  first: names.slice(0, 3),
  more: Math.max(0, names.length - 3),
})

function leftText({ held, deferred, before = someOf([]) }: Left, url: string): string {
  const lines: string[] = []
  if (before.first.length > 0)
    lines.push(`No backend of ${namesText(before)} was up before: nothing changes for that mail.`)
  if (held.first.length > 0)
    lines.push(
      `No backend is left for ${namesText(held)}: from now on that mail is held. "waypost queue list" shows it.`,
      `It goes when a backend is up again: "waypost backend in ${printable(url)}" puts this one back, and "waypost queue retry --all" hurries what is held.`,
    )
  if (deferred.first.length > 0)
    lines.push(
      `No backend is left for ${namesText(deferred)}: with "hold: off" their senders hear 451, and must come again.`,
    )
  return lines.map((line) => `${line}\n`).join('')
}

function namesText({ first, more }: Left['held']): string {
  const names = first.map((name) => printable(name, 300)).join(', ')
  return more > 0 ? `${names} and ${more.toLocaleString('en')} more` : names
}

/** What the control socket answers about backends, beside the list (`serve/backends-now.ts`). */
export function backendHandlers(gateway: Gateway) {
  const of = (url: string) => gateway.backends().filter((backend) => backend.url === url)
  /** @param had  those that were left without before it was taken out */
  const leftOf = (url: string, had: LeftWithout): Left => {
    const { held, deferred } = gateway.leftWithout(url)
    const before = new Set([...had.held, ...had.deferred])
    const isNew = (name: string) => !before.has(name)
    return { held: someOf(held.filter(isNew)), deferred: someOf(deferred.filter(isNew)), before: someOf([...before]) }
  }
  /** Of what was put back. */
  const troubleOf = (url: string): string | undefined => {
    const addresses = of(url)
    if (addresses.length === 0 || addresses.some(({ state }) => state !== 'down')) return undefined
    return addresses.find(({ lastError }) => lastError !== null)?.lastError ?? 'it does not answer'
  }
  const setOut =
    (isOut: boolean) =>
    async (given: Readonly<Record<string, unknown>>): Promise<ControlAnswer> => {
      const url = String(given.url)
      const had = gateway.leftWithout(url)
      const outcome = await gateway.setOut(url, isOut)
      const wasSo = outcome === 'was-so'
      if (outcome !== 'unknown') {
        // Nobody is warned a second time.
        if (isOut) return { kind: 'done', result: wasSo ? { wasSo } : { ...leftOf(url, had), wasSo } }
        gateway.tryNow(url)
        return { kind: 'done', result: { wasSo, trouble: troubleOf(url) } }
      }
      const known = [...new Set(gateway.backends().map((backend) => backend.url))]
      return { kind: 'failed', why: `${url} is no backend of this gateway; there are ${known.join(', ')}` }
    }
  return {
    'backend.drain': setOut(true),
    'backend.enable': setOut(false),
  }
}
