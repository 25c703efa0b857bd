/** The dashboard of a lab's gateway, in this process: `startWeb(t, gateway)`. For unit tests without a socket there is `asked`. */
import type { TestContext } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { parseIp } from '../../src/base/ip.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import type { WebDeps } from '../../src/web/deps.ts'
import type { WebSettings } from '../../src/web/settings.ts'
import { createWeb, type Web } from '../../src/web/web.ts'

export const noAccess: WebSettings = { listen: [], isDefaultPlace: false, tls: undefined, hosts: [], access: [] }

const loopback = parseIp('127.0.0.1')
if (!loopback) throw new Error('127.0.0.1 is an address')

/** On a free port of loopback. */
export const anyPlace: WebSettings = { ...noAccess, listen: [{ address: loopback, port: 0 }] }

/** A gateway that knows nothing, where only the site is meant. */
export const idle: WebDeps = {
  clock: systemClock,
  random: systemRandom,
  log: silentLog,
  version: '0.0.0',
  startedMs: 0,
  settings: () => noAccess,
  gateway: {
    backends: () => [],
    whyMisconfigured: () => undefined,
    setOut: async () => 'unknown',
    tryNow: () => false,
    heldMail: undefined,
    connections: 0,
  },
  since: () => ({ sinceMs: null }),
  figures: {
    minutes: () => [],
    seconds: () => [],
    lastDeliveredMs: () => undefined,
    latency: () => ({ p50Ms: undefined, p95Ms: undefined, p99Ms: undefined }),
    snapshot: () => ({
      atMs: 0,
      startedMs: 0,
      connections: 0,
      backends: [],
      held: undefined,
      heldByDomain: [],
      heldByLane: [],
      routes: [],
      domains: [],
      messagesStopped: [],
      recipientsRefused: 0,
      recipientsDeferred: 0,
      possibleDuplicates: 0,
      connectionsRefused: 0,
      refusedAfterHold: 0,
      expired: 0,
      alerts: [],
      backendChanges: [],
    }),
  },
  listen: () => undefined,
  queue: undefined,
  whyNotKept: () => undefined,
  gatewaySettings: () => {
    throw new Error('this gateway has no settings')
  },
  watch: undefined,
  dnsServer: () => undefined,
  isReady: () => true,
  readDomain: (text) => (text.includes('.') ? { kind: 'value', value: text } : { kind: 'no', why: 'it has no dot' }),
  isDeclared: () => false,
  declarationOf: () => undefined,
  check: () => Promise.reject(new Error('nothing is checked here')),
}

export interface StartedWeb {
  readonly web: Web
  /** `http://127.0.0.1:1234` */
  readonly origin: string
  /** Works once. */
  readonly link: () => string
}

export async function startWeb(t: TestContext, deps: Partial<WebDeps>): Promise<StartedWeb> {
  const web = createWeb({ ...idle, settings: () => anyPlace, ...deps })
  const [place] = await web.listen()
  t.after(() => web.stop())
  if (!place) throw new Error('the dashboard listens nowhere')
  return { web, origin: `http://127.0.0.1:${place.port}`, link: () => web.link() ?? '' }
}
