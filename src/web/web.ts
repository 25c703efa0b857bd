/**
 * The dashboard: its table of contents. Made by `cli/serve/web-service.ts` beside a gateway; it listens, and answers from what the gateway knows.
 *   listening (where) → server (connections, limits) → site (who may what) → api/ (a file a resource, beside it what it is made of), page/ (documents, scripts)
 */
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { ListenAddress } from '../base/listen-address.ts'
import { createToldSparingly } from '../gateway/told-sparingly.ts'
import { calledBy } from './access/called-by.ts'
import { createSecrets } from './access/secrets.ts'
import { createSessions } from './access/sessions.ts'
import { addBackends } from './api/backends.ts'
import { addChecks } from './api/checks.ts'
import { addDomain } from './api/domain.ts'
import { addEvents } from './api/events.ts'
import { addHealth } from './api/health.ts'
import { addHistory } from './api/history.ts'
import { addMessages } from './api/messages.ts'
import { addMetrics } from './api/metrics.ts'
import { addOpenApi } from './api/open-api.ts'
import { addOverview } from './api/overview.ts'
import { addQueue } from './api/queue.ts'
import { addSession, cookieName } from './api/session.ts'
import { createChecks } from './check/checks.ts'
import type { WebDeps } from './deps.ts'
import { createListening } from './listening.ts'
import { addAssets } from './page/assets.ts'
import { createInlines } from './page/scripts.ts'
import { addPages, createNothing, createWayIn } from './page/shell.ts'
import { createSite, type SiteEnv } from './site.ts'
import { createCanKeep } from './state/can-keep.ts'
import { createNow } from './state/now.ts'

export interface Web {
  /** Listens where the settings say, at the start and when they have changed: see `Listening.apply`. */
  listen(): Promise<readonly ListenAddress[]>
  stop(): Promise<void>
  /** `https://mx1.example.com:8025`. Undefined where it does not listen. */
  origin(): string | undefined
  /** A link that works once, within half an hour, and lets whoever opens it do everything. Undefined where it does not listen. */
  link(): string | undefined
  /** Everything that is served, for tests. */
  readonly app: OpenAPIHono<SiteEnv>
}

export function createWeb(deps: WebDeps): Web {
  const { clock, random, log, settings } = deps
  const sessions = createSessions({ clock, random })
  const secrets = createSecrets(clock, () => settings().access)
  const sparingly = createToldSparingly({ clock, log })
  const inlines = createInlines()
  const wayIn = createWayIn(inlines)
  const site = createSite({
    clock,
    log,
    sparingly,
    watch: deps.watch,
    sessions,
    secrets,
    settings,
    cookieName,
    wayIn: (context) => wayIn(context, 401),
    nothing: createNothing(inlines),
  })
  addSession(site, { clock, sessions, secrets, settings })
  const canKeep = createCanKeep(clock, deps.whyNotKept)
  deps.listen(canKeep.tell)
  const now = createNow({ ...deps, canKeep })
  addHealth(site, { isReady: () => deps.isReady() && !(canKeep.whyNot() && now.isFailing()) })
  addOverview(site, now, deps)
  addBackends(site, now, deps)
  const failed = (error: unknown) => log.error('a check failed', { error })
  const checks = createChecks(deps.check, { clock, random, failed })
  addChecks(site, checks, deps)
  addDomain(site, now, checks, deps)
  addQueue(site, deps)
  addMessages(site, deps)
  addHistory(site, deps)
  addMetrics(site, deps)
  const events = addEvents(site, now, deps)
  addOpenApi(site, deps.version)
  addAssets(site)
  addPages(site, inlines, wayIn)

  const listening = createListening({
    ...{ clock, log, settings },
    fetch: (request, env) => site.app.fetch(request, env),
  })

  function origin(): string | undefined {
    const [first] = listening.places
    if (!first) return undefined
    return `${listening.isTls ? 'https' : 'http'}://${calledBy(first, settings().hosts[0])}`
  }

  return {
    app: site.app,
    origin,
    listen: () => listening.apply(),
    async stop() {
      events.stop()
      await listening.stop()
      sparingly.stop()
    },
    link() {
      const at = origin()
      return at && `${at}/enter#${sessions.invite()}`
    },
  }
}
