/**
 * The dashboard within `waypost serve`: made of `listen.http` and `web:`. Where its default place is taken by another program, mail is served without it;
 * a place that was written down must be had.
 */
import { systemClock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { systemRandom } from '../../base/random.ts'
import type { CheckerOptions } from '../../checks/check-domain.ts'
import type { Loaded } from '../../config/load.ts'
import type { Figures } from '../../gateway/figures/figures.ts'
import type { Gateway } from '../../gateway/gateway.ts'
import type { Holding } from '../../gateway/hold/holding.ts'
import type { ControlHandlers } from '../../gateway/operate/control.ts'
import { declaredLines } from '../../publish/declare/declared-lines.ts'
import type { Watch } from '../../watch/watch.ts'
import { hostText } from '../../web/access/guard.ts'
import type { DeclaredRecords, DnsServerFigures, WebDeps } from '../../web/deps.ts'
import type { Web } from '../../web/web.ts'
import { readDomain } from '../option-readers.ts'
import { ownCheckOptions } from './own-checks.ts'
import type { Telling } from './telling.ts'
import { whyNotBound } from './why-not-bound.ts'

export interface WebService {
  /**
   * Rejects with the system's error where a place that was asked for cannot be had.
   * @param isWatched  a person sits there: else what is printed is kept by a log, which others may read, and a link lets in whoever has it
   * @returns what to tell who started it
   */
  start(isWatched: boolean): Promise<string | undefined>
  /** Listens where it is told to now. Never rejects. @returns in words, why it does not */
  configured(loaded: Loaded): Promise<string | undefined>
  readonly handlers: ControlHandlers
  stop(): Promise<void>
}

export interface WebServiceDeps {
  readonly log: Log
  readonly gateway: Gateway
  readonly figures: Figures
  readonly since: WebDeps['since']
  readonly holding: Holding | undefined
  readonly watch: Watch | undefined
  readonly version: string
  readonly telling: Pick<Telling, 'listen'>
  /** Where the Internet that is checked is another one than the world's. */
  readonly laboratory: CheckerOptions
  readonly dnsServer: () => DnsServerFigures | undefined
  readonly isReady: () => boolean
  /** What one types for a link. */
  readonly linkCommand: string
}

export async function createWebService(loaded: Loaded, deps: WebServiceDeps): Promise<WebService> {
  const { log, linkCommand } = deps
  let now = loaded
  let whyNone = 'listen.http is off'
  let web: Web | undefined = loaded.web.listen.length === 0 ? undefined : await make(() => now, deps)
  /** It listens as `now` says. */
  let isAsTold = false

  async function listen(to: Web): Promise<void> {
    isAsTold = false
    const places = await to.listen()
    isAsTold = true
    log.info('dashboard listening', { http: places.map(({ address, port }) => `${hostText(address)}:${port}`) })
  }

  return {
    async start(isWatched) {
      if (!web) return undefined
      try {
        await listen(web)
        return isWatched
          ? `Dashboard: ${web.link()} (this link works once, within half an hour; "${linkCommand}" makes another)\n`
          : `Dashboard: ${web.origin()}/ ("${linkCommand}" makes a link that lets you in)\n`
      } catch (error) {
        const why = whyNotBound(error)
        if (why === undefined || !now.web.isDefaultPlace) throw error
        log.warn('no dashboard: its place is taken', { why })
        whyNone = `it found at its start that ${why}: name another place with listen.http, and start it again`
        return `No dashboard, because ${why}: name another place with listen.http, or say off.\n`
      }
    },
    async configured(next) {
      const isSame = isAsTold && placeOf(next) === placeOf(now)
      now = next
      if (isSame || (!web && next.web.listen.length === 0)) return undefined
      web ??= await make(() => now, deps)
      try {
        await listen(web)
        return undefined
      } catch (error) {
        const why = whyNotBound(error) ?? (error instanceof Error ? error.message : String(error))
        whyNone = `it could not listen when it was told to, because ${why}`
        log.alert('the dashboard does not listen as it is told to', { why })
        return `the dashboard does not listen as listen.http and web.tls say, because ${why}`
      }
    },
    handlers: {
      'web.link': () => {
        const link = web?.link()
        return link === undefined
          ? { kind: 'failed', why: `this gateway has no dashboard: ${whyNone}` }
          : { kind: 'done', result: { link } }
      },
    },
    async stop() {
      await web?.stop()
    },
  }
}

const placeOf = ({ web: { listen, tls } }: Loaded): string => JSON.stringify([listen, tls])

/** Its code is read where it is wanted. */
async function make(
  now: () => Loaded,
  { log, gateway, figures, since, holding, watch, version, telling, laboratory, dnsServer, isReady }: WebServiceDeps,
): Promise<Web> {
  const { createWeb } = await import('../../web/web.ts')
  return createWeb({
    clock: systemClock,
    random: systemRandom,
    log,
    version,
    startedMs: systemClock.now(),
    settings: () => now().web,
    gateway,
    figures,
    since,
    queue: holding?.queue,
    whyNotKept: () => holding?.whyNotKept(),
    watch,
    listen: telling.listen,
    gatewaySettings: () => now().settings,
    dnsServer,
    isReady,
    readDomain(text) {
      const read = readDomain(text)
      return read.kind === 'domain' ? { kind: 'value', value: read.domain } : { kind: 'no', why: read.why }
    },
    isDeclared: (domain) => isDeclared(now(), domain),
    declarationOf: (domain) => declaredRecords(now(), domain),
    async check(domain, step) {
      const { checkForPage } = await import('./web-check.ts')
      return checkForPage(domain, step, now(), ownCheckOptions(now(), gateway, laboratory))
    },
  })
}

const isDeclared = ({ settings, publishing }: Loaded, domain: string): boolean =>
  settings.destinations.domains.some(({ name }) => name === domain) ||
  publishing.declarations.some((declaration) => declaration.domain === domain)

function declaredRecords({ publishing }: Loaded, domain: string): DeclaredRecords | undefined {
  const declaration = publishing.declarations.find((each) => each.domain === domain)
  if (!declaration) return undefined
  const records = declaredLines(declaration).filter(({ data }) => data.length > 0)
  return { publisher: declaration.publisher ?? null, records }
}
