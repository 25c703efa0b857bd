/**
 * `waypost watch`: checks the declared domains again and again, tells what changed as it happens, and alerts. It needs no gateway: it keeps a store of its own in
 * `watch` under the state folder, because the gateway's has one owner. Where a gateway runs beside it, it notices when that one answers no more.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Command } from 'commander'
import { type Clock, Deadline, systemClock } from '../../base/clock.ts'
import { systemDoor } from '../../base/door.ts'
import { errorCode } from '../../base/error-code.ts'
import { createHostLookup } from '../../base/host-lookup.ts'
import { systemRandom } from '../../base/random.ts'
import { createSecretReader } from '../../base/secret.ts'
import { lengthText, timeText } from '../../base/time-text.ts'
import { allRules } from '../../checks/rules/all.ts'
import type { Loaded } from '../../config/load.ts'
import { makeStateFolder } from '../../config/state-files.ts'
import { askControl, controlPath } from '../../gateway/operate/control.ts'
import { openStore, whyNotOpened } from '../../store/open.ts'
import type { Condition } from '../../watch/condition.ts'
import { type History, openHistory, watchModule } from '../../watch/history.ts'
import { createWatch, type Watch, type WatchedSettings } from '../../watch/watch.ts'
import { laboratoryOptions, privateOption } from '../check/check.ts'
import { type CheckFlags, checkerOptions } from '../check/options.ts'
import { configOption } from '../config-path.ts'
import { loadForCommand } from '../load-for-command.ts'
import { createLog } from '../log.ts'
import type { Signals } from '../serve/signals.ts'
import { createWatchChecker, type WatchChecker } from '../serve/watch-checker.ts'
import { watchedSettings } from '../serve/watch-service.ts'
import type { ExitCode, Run, Terminal } from '../terminal.ts'
import { testAlert } from './test-alert.ts'

interface WatchFlags extends Omit<CheckFlags, 'smtp' | 'failOn'> {
  readonly once?: boolean
  readonly testAlert?: boolean
}

export interface WatchCommandDeps {
  readonly signals: Pick<Signals, 'on' | 'exit'>
  readonly writeLog: (line: string) => void
  readonly color: boolean
}

const usualMs = 3_600_000
const pingMs = 10_000
/** Restarts take less. */
const silentMs = 60_000

export function watchCommand(run: Run, deps: WatchCommandDeps): Command {
  const command = new Command('watch')
    .summary('check all declared domains again and again, and alert')
    .description(
      'Checks the domains of waypost.yaml again and again, tells what appears, worsens, goes and changes as it happens, and alerts whom waypost.yaml names. "waypost serve" does the same beside its work where watch.checks says how often; this is for another machine, or without a gateway.',
    )
    .addOption(configOption())
    .option('--once', 'each domain once, then the end')
    .option('--test-alert', 'send a message of test each way that alerts: names, and say whether it went')
    .addOption(privateOption())
  laboratoryOptions(command)
  return command
    .addHelpText(
      'after',
      `
Signals: SIGHUP loads waypost.yaml again (a wrong one changes nothing); SIGTERM and SIGINT stop it.

Exit code: 0 it was stopped, or all is well with --once; 1 something is wrong (--once), or a message did not go (--test-alert); 2 it could not start, or a domain could not be examined (--once).

Examples:
  waypost watch -c waypost.yaml
  waypost watch --once
  waypost watch --test-alert`,
    )
    .action((flags: WatchFlags) => run((terminal) => runWatch(flags, terminal, deps)))
}

async function runWatch(flags: WatchFlags, terminal: Terminal, deps: WatchCommandDeps): Promise<ExitCode> {
  const loaded = await loadForCommand(flags.config, terminal)
  if (!loaded) return 2
  if (flags.testAlert) return await testAlert(loaded, terminal)
  const folder = join(loaded.settings.state, 'watch')
  try {
    await makeStateFolder(loaded.settings.state)
  } catch (error) {
    const code = errorCode(error)
    if (code === undefined) throw error
    terminal.err(`waypost: the state folder ${loaded.settings.state} cannot be made (${code})\n`)
    return 2
  }
  const opened = await openStore({ folder, modules: [watchModule] }, { clock: systemClock })
  if (opened.kind !== 'opened') {
    terminal.err(`waypost: ${whyNotOpened(opened, folder)}\n`)
    return 2
  }
  const log = createLog({ form: 'pretty', level: 'warn', color: deps.color, write: deps.writeLog })
  const { store } = opened
  const history = telling(openHistory(store, log), terminal)
  const checker = await checkerFor(flags, loaded)
  const watch = await createWatch(settingsOf(loaded, flags), {
    clock: systemClock,
    random: systemRandom,
    door: systemDoor,
    log,
    history,
    readSecret: createSecretReader((name) => process.env[name]),
    lookupHost: createHostLookup(systemClock),
    readText: (path) => readFile(path, 'utf8'),
    read: undefined,
    check: checker.check,
    whyNotWell: () => (store.state.kind === 'writable' ? undefined : 'the store cannot be written'),
  })
  try {
    if (flags.once) return await once(watch, terminal)
    const reload = reloading(flags, { watch, checker }, terminal)
    deps.signals.on('SIGHUP', () => void reload())
    return await untilStopped(watch, loaded, checksEveryMs(loaded), terminal, deps)
  } finally {
    await watch.stop()
    checker.close()
    await store.close()
  }
}

/** By itself it checks now and then, whatever `serve` does. */
function settingsOf(loaded: Loaded, { once: isOnce }: WatchFlags): WatchedSettings {
  const settings = watchedSettings(loaded)
  return { ...settings, watch: { ...settings.watch, checks: isOnce ? 0 : checksEveryMs(loaded) } }
}

/** Whoever watches wants checks, also where a gateway makes none. */
const checksEveryMs = ({ watching: { watch } }: Loaded): number => watch.checks || usualMs

interface ReloadableChecker extends WatchChecker {
  /** Checks by this configuration from now on. */
  configured(loaded: Loaded): Promise<void>
}

async function checkerFor(flags: WatchFlags, loaded: Loaded): Promise<ReloadableChecker> {
  const optionsOf = ({ settings: { hostname, state, resolver } }: Loaded) =>
    checkerOptions(
      { ...flags, smtp: true, failOn: 'warning' },
      allRules,
      { hostname, state, resolvers: resolver.servers },
      systemClock,
    )
  const settingsNow = async (now: Loaded) => ({ options: await optionsOf(now), gateway: now.settings.hostname })
  let settings = await settingsNow(loaded)
  const checker = createWatchChecker(() => settings, { clock: systemClock, random: systemRandom, door: systemDoor })
  return {
    ...checker,
    async configured(next) {
      settings = await settingsNow(next)
      checker.close()
    },
  }
}

/** Loads waypost.yaml again, one time after the other; a wrong one changes nothing. The state folder stays the one of the start. */
function reloading(
  flags: WatchFlags,
  { watch, checker }: { readonly watch: Watch; readonly checker: ReloadableChecker },
  terminal: Terminal,
): () => Promise<void> {
  let last: Promise<void> = Promise.resolve()
  async function load(): Promise<void> {
    const loaded = await loadForCommand(flags.config, terminal)
    if (!loaded) {
      terminal.err('Not loaded: the running configuration stays.\n')
      return
    }
    await checker.configured(loaded)
    watch.apply(settingsOf(loaded, flags))
    terminal.err(`Loaded again: ${counted(watch.domains().length, 'domain')}.\n`)
  }
  return () => {
    last = last.then(load).catch((error: unknown) => terminal.err(`Not loaded again: ${String(error)}\n`))
    return last
  }
}

/** Everything that is noted is said too. */
function telling(history: History, terminal: Terminal): History {
  return {
    ...history,
    note(event) {
      history.note(event)
      const detail = event.detail === '' ? '' : `\n    ${event.detail.replaceAll('\n', '\n    ')}`
      terminal.out(`${timeText(event.atMs)}  ${event.severity}: ${event.title}${detail}\n`)
    },
  }
}

async function once(watch: Watch, terminal: Terminal): Promise<ExitCode> {
  let wrong = 0
  let unseen = 0
  const domains = watch.domains()
  for (const { name } of domains) {
    const { findings, couldExamine } = await watch.checkNow(name)
    wrong += findings.filter(({ severity }) => severity !== 'notice').length
    if (!couldExamine) unseen++
  }
  await watch.tellNow()
  const counts = [
    counted(domains.length, 'domain'),
    ...(unseen > 0 ? [`${unseen} could not be examined`] : []),
    `${counted(wrong, 'thing')} wrong`,
  ]
  terminal.err(`${counts.join(', ')}\n`)
  return wrong > 0 ? 1 : unseen > 0 ? 2 : 0
}

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`

async function untilStopped(
  watch: Watch,
  loaded: Loaded,
  everyMs: number,
  terminal: Terminal,
  { signals }: WatchCommandDeps,
): Promise<ExitCode> {
  const ends = createEnd(signals)
  const gateway = watchGateway(controlPath(loaded.settings.state), watch, systemClock)
  const domains = counted(watch.domains().length, 'domain')
  terminal.err(`Watching ${domains}, with a check every ${lengthText(everyMs)} (watch.checks). Ctrl-C ends it.\n`)
  await ends
  gateway.stop()
  return 0
}

const createEnd = (signals: WatchCommandDeps['signals']) =>
  new Promise<void>((done) => {
    let isStopping = false
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      signals.on(signal, () => {
        if (isStopping) signals.exit(1)
        isStopping = true
        done()
      })
  })

/** A gateway that has answered once and answers no more for a minute is missed. */
function watchGateway(path: string, watch: Watch, clock: Clock): { stop(): void } {
  let answeredMs: number | undefined
  let isStopped = false
  const alarm = new Deadline(clock, () => {
    void look().finally(() => {
      if (!isStopped) alarm.arm(pingMs)
    })
  })
  alarm.arm(0)

  async function look(): Promise<void> {
    const asked = await askControl(path, { command: 'ping' }, { clock, timeoutMs: pingMs })
    if (isStopped) return
    const nowMs = clock.monotonicMs()
    if (asked.kind === 'done') {
      answeredMs = nowMs
      watch.clear(gatewaySilent.key, 'the gateway on this machine answers again')
    } else if (answeredMs !== undefined && nowMs - answeredMs >= silentMs) watch.raise(gatewaySilent)
  }

  return {
    stop() {
      isStopped = true
      alarm.end()
    },
  }
}

const gatewaySilent: Condition = {
  key: 'gateway',
  kind: 'gateway-silent',
  severity: 'error',
  domain: undefined,
  title: 'the gateway on this machine does not answer',
  detail: 'It has answered on its control socket before, and does so no more: it has stopped, or hangs.',
  remedy: 'See its log; start it again.',
}
