/**
 * Loads waypost.yaml again while the gateway runs: on SIGHUP and on `waypost config reload`. One at a time; a wrong file changes nothing.
 */

import type { Log } from '../../base/log.ts'
import { type DomainChanges, domainChanges } from '../../config/domain-changes.ts'
import type { Loaded, LoadedConfig, LoadedNames } from '../../config/load.ts'
import { settingChanges } from '../../config/setting-changes.ts'
import { formatProblems, type Problem } from '../../config/source.ts'
import type { Gateway } from '../../gateway/gateway.ts'
import type { ControlAnswer, ControlHandler } from '../../gateway/operate/control.ts'
import type { GatewaySettings } from '../../gateway/settings.ts'
import { takenPlace } from './places-taken.ts'

export interface ReloadDeps {
  readonly path: string
  readonly current: Loaded
  readonly gateway: Gateway
  readonly log: Log
  /** The gateway runs on these settings from now on. @returns in words, what of them could not be done */
  readonly applied?: (settings: GatewaySettings) => string | undefined
  /** What has to follow, by name and in this order; each says in words for the person who asked what of it did not. One that fails stops none behind it. */
  readonly followers?: Readonly<Record<string, (loaded: Loaded) => Promise<string | undefined>>>
  readonly load: (reload: { reloadOf: LoadedNames; allowRemoval: boolean }) => Promise<LoadedConfig>
}

export interface Reloader {
  /** Waits for a reload in progress, then loads again. Never rejects. */
  reload(options: { readonly allowRemoval: boolean }): Promise<ControlAnswer>
  /** The answer to `config.reload`. */
  readonly handler: ControlHandler
  /** Resolves when no reload is in progress. */
  settled(): Promise<void>
}

export function createReloader(deps: ReloadDeps): Reloader {
  const { path, gateway, log } = deps
  let current = deps.current
  let last: Promise<unknown> = Promise.resolve()

  async function load(allowRemoval: boolean): Promise<ControlAnswer> {
    const loaded = await deps.load({ reloadOf: current.names, allowRemoval })
    if (loaded.kind === 'invalid') return refuse(loaded.problems)
    if (loaded.kind === 'too-many-removed') {
      const why = `it would drop ${loaded.removed.length} of ${loaded.before} domains (${loaded.removed.slice(0, 3).join(', ')}, …)`
      log.error('reload refused: the running configuration stays', { path, why })
      return {
        kind: 'failed',
        why: `the running configuration stays, because ${why}: if that is meant, say --allow-removal`,
      }
    }
    if (loaded.settings.state !== current.settings.state) {
      const why = 'the state folder changed, which takes a restart'
      log.error('reload refused: the running configuration stays', { path, why })
      return { kind: 'failed', why: `the running configuration stays, because ${why}` }
    }
    try {
      await gateway.apply(loaded.settings)
    } catch (error) {
      const taken = takenPlace(error, loaded.listeners, path)
      if (taken === undefined) throw error
      return refuse([taken])
    }
    const changes = [changesText(await domainChanges(current, loaded)), ...settingChanges(current, loaded)].join('; ')
    current = loaded
    const notDone = deps.applied?.(loaded.settings)
    const later = [...(notDone === undefined ? [] : [notDone]), ...(await follow(loaded))]
    for (const what of later) log.warn('reloaded, but for one thing', { path, what })
    await keepCopy(loaded, log)
    tellRemarks(loaded, path, log)
    const { domains, routes } = loaded.summary
    log.info('reloaded', { path, domains, routes, changes })
    return { kind: 'done', result: { ...loaded.summary, later, changes } }
  }

  function refuse(wrong: readonly Problem[]): ControlAnswer {
    const problems = formatProblems(wrong)
    log.error('reload refused: the running configuration stays', { path, problems })
    return { kind: 'failed', why: `the running configuration stays, because:\n${problems}` }
  }

  /** Mail goes by the new configuration already, whatever comes of this. */
  async function follow(loaded: Loaded): Promise<readonly string[]> {
    const later: string[] = []
    for (const [name, configured] of Object.entries(deps.followers ?? {})) {
      try {
        const words = await configured(loaded)
        if (words !== undefined) later.push(words)
      } catch (error) {
        log.error('not all of the gateway followed the configuration', { path, part: name, error })
        later.push(`the ${name} could not follow; see the log`)
      }
    }
    return later
  }

  function reload({ allowRemoval }: { readonly allowRemoval: boolean }): Promise<ControlAnswer> {
    const next = last
      .then(() => load(allowRemoval))
      .catch((error): ControlAnswer => {
        log.error('reload refused: the running configuration stays', { path, error })
        return { kind: 'failed', why: 'the gateway met an error while it reloaded; see its log' }
      })
    last = next
    return next
  }

  return {
    reload,
    handler: (given) => reload({ allowRemoval: given.allowRemoval === true }),
    async settled() {
      await last
    },
  }
}

/** `1 domain came (a.example), 5 changed (b.example, c.example, d.example and 2 more)`; the first three of each are named. */
export function changesText({ came, went, changed }: DomainChanges): string {
  const parts = Object.entries({ came, went, changed }).filter(([, names]) => names.length > 0)
  if (parts.length === 0) return 'no domain came, went or changed'
  return parts
    .map(([what, names], at) => {
      const domains = at === 0 ? ` domain${names.length === 1 ? '' : 's'}` : ''
      const more = names.length > 3 ? ` and ${(names.length - 3).toLocaleString('en')} more` : ''
      return `${names.length.toLocaleString('en')}${domains} ${what} (${names.slice(0, 3).join(', ')}${more})`
    })
    .join(', ')
}

/** What is in order and probably not meant, such as a certificate that has ended. */
export function tellRemarks({ summary: { remarks } }: Loaded, path: string, log: Log): void {
  if (remarks.length > 0)
    log.warn('the configuration is in order, and probably not meant', { path, problems: formatProblems(remarks) })
}

/** Keeps the copy of a configuration that runs. Mail goes on where it cannot be kept, and the log says so. */
export async function keepCopy(loaded: Loaded, log: Log): Promise<void> {
  try {
    await loaded.commit()
  } catch (error) {
    log.error('the copy of the configuration could not be kept', { state: loaded.settings.state, error })
  }
}
