/**
 * Watching within `waypost serve`: figures and history in the store of the gateway, conditions and alerts, and checks where `watch.checks` says how often.
 * `waypost report` asks for `watch.report` through the control socket.
 */
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { systemClock } from '../../base/clock.ts'
import { systemDoor } from '../../base/door.ts'
import { createHostLookup } from '../../base/host-lookup.ts'
import type { Log } from '../../base/log.ts'
import { systemRandom } from '../../base/random.ts'
import { createSecretReader } from '../../base/secret.ts'
import type { CheckerOptions } from '../../checks/check-domain.ts'
import type { Loaded } from '../../config/load.ts'
import type { Gauges } from '../../gateway/figures/gauges.ts'
import type { Gateway } from '../../gateway/gateway.ts'
import type { ControlAnswer, ControlHandlers } from '../../gateway/operate/control.ts'
import { StoreFailure } from '../../store/failure.ts'
import type { Store } from '../../store/store.ts'
import { openHistory } from '../../watch/history.ts'
import { makeReport } from '../../watch/report/report.ts'
import { createWatch, type Watch, type WatchedSettings } from '../../watch/watch.ts'
import { ownCheckOptions } from './own-checks.ts'
import type { Telling } from './telling.ts'
import { createWatchChecker } from './watch-checker.ts'

export interface WatchService {
  /** Undefined where there is no store. */
  readonly watch: Watch | undefined
  readonly handlers: ControlHandlers
  /** New settings from now on. */
  configured(loaded: Loaded): void
  stop(): Promise<void>
}

export interface WatchServiceDeps {
  readonly log: Log
  readonly telling: Telling
  readonly store: Store | undefined
  readonly read: () => Gauges
  readonly gateway: Pick<Gateway, 'ownProbeWord' | 'doubt'>
  /** Where the Internet that is checked is another one than the world's. */
  readonly laboratory: CheckerOptions
}

export async function createWatchService(initial: Loaded, deps: WatchServiceDeps): Promise<WatchService> {
  const { log, telling, store, read, gateway, laboratory } = deps
  if (!store) return none
  let loaded = initial
  const tools = { clock: systemClock, random: systemRandom, door: systemDoor }
  const checker = createWatchChecker(
    () => ({ options: ownCheckOptions(loaded, gateway, laboratory), gateway: loaded.settings.hostname }),
    tools,
  )
  const watch = await readable(
    log,
    createWatch(watchedSettings(loaded), {
      ...tools,
      log,
      history: openHistory(store, log),
      readSecret: createSecretReader((name) => process.env[name]),
      lookupHost: createHostLookup(systemClock),
      readText: (path) => readFile(path, 'utf8'),
      read,
      check: checker.check,
      whyNotWell: () => (store.state.kind === 'writable' ? undefined : 'the store cannot be written'),
    }),
  )
  if (!watch) return none
  gateway.doubt(watch.downBefore)
  telling.listen(watch.tell)
  return {
    watch,
    handlers: watchHandlers(watch, () => loaded),
    configured(next) {
      loaded = next
      checker.close()
      watch.apply(watchedSettings(next))
    },
    async stop() {
      await watch.stop()
      checker.close()
    },
  }
}

const none: WatchService = { watch: undefined, handlers: {}, configured() {}, async stop() {} }

/** Mail goes on without it. */
async function readable(log: Log, watch: Promise<Watch>): Promise<Watch | undefined> {
  try {
    return await watch
  } catch (error) {
    if (!(error instanceof StoreFailure)) throw error
    log.alert('nothing is watched, because the store cannot be read', { code: error.code })
    return undefined
  }
}

export const watchedSettings = ({ settings, publishing, watching }: Loaded): WatchedSettings => ({
  ...watching,
  gateway: settings,
  declarations: publishing.declarations,
})

const reportShape = z.strictObject({
  domain: z.string().max(300),
  fromMs: z.number().int().min(0),
  untilMs: z.number().int().min(0),
})

function watchHandlers(watch: Watch, loaded: () => Loaded): ControlHandlers {
  return {
    'watch.report': async (given): Promise<ControlAnswer> => {
      const asked = reportShape.safeParse(given)
      if (!asked.success)
        return { kind: 'failed', why: 'the gateway does not understand this; is it of another version?' }
      const { domain, ...span } = asked.data
      await watch.flush()
      const state = await watch.domain(domain)
      return {
        kind: 'done',
        result: await makeReport(domain, span, loaded().settings.destinations, watch.history, state),
      }
    },
  }
}
