/**
 * The gateway of the demo: `waypost serve` itself, within this process, on a waypost.yaml that is written here. The demo sees of it what `waypost
 * backend list` and `waypost queue` see, and its commands work on it from another terminal.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { IpAddress } from '../../base/ip.ts'
import type { Sight } from '../../demo/world.ts'
import type { Gateway } from '../../gateway/gateway.ts'
import type { Holding } from '../../gateway/hold/holding.ts'
import { askGateway } from '../ask.ts'
import { serve } from '../serve/serve.ts'
import type { ServeDeps } from '../serve/serve-deps.ts'

export interface DemoGateway {
  readonly place: { readonly address: IpAddress; readonly port: number }
  readonly configFile: string
  /** A link into its dashboard, which works once. */
  readonly dashboard: string | undefined
  look(): Sight
  /** As `waypost queue retry --all`: backends that are down are tried at once, and what is held with them. */
  retry(): Promise<void>
  /** As SIGTERM. @returns how many messages are held at the end */
  stop(): Promise<number>
}

export type StartedGateway =
  | { readonly kind: 'started'; readonly gateway: DemoGateway }
  | { readonly kind: 'failed'; readonly why: string }

/** What a gateway is made of, as `serve` wants it; its log and its signals are the demo's. */
export type ServingDeps = Omit<ServeDeps, 'signals' | 'writeLog' | 'color' | 'isWatched' | 'sendCommand' | 'program'>

export interface DemoConfig {
  readonly domain: string
  /** Of the backends. */
  readonly places: readonly { readonly address: IpAddress; readonly port: number }[]
}

/** What a person would write, less what only the demo needs. */
export function configGist({ domain, places }: DemoConfig): string {
  const backends = places.map(({ address, port }) => `      - smtp://${address}:${port}`)
  return ['domains:', `  ${domain}:`, '    balance: least-connections', '    deliver:', ...backends, ''].join('\n')
}

/** Ports are the system's choice; nobody's DNS is asked; six connections a backend, so that draining can be seen. */
const configText = (config: DemoConfig) => `hostname: mx.${config.domain}
listen: { smtp: 127.0.0.1:0, http: 127.0.0.1:0 }
state: state
shutdownGrace: 5s
trusted: [127.0.0.0/8]
resolver: { servers: ["127.0.0.1:9"] }
defaults: { connections: 6 }
${configGist(config)}`

export async function startDemoGateway(folder: string, config: DemoConfig, deps: ServingDeps): Promise<StartedGateway> {
  const configFile = join(folder, 'waypost.yaml')
  await writeFile(configFile, configText(config), { mode: 0o600 })
  const urls = config.places.map(({ address, port }) => `smtp://${address}:${port}`)
  const problems: string[] = []
  let stop: () => void = () => undefined
  let gateway: Gateway | undefined
  let holding: Holding | undefined
  let heldAtEnd = 0
  let place: DemoGateway['place'] | undefined
  const ready = Promise.withResolvers<void>()

  const served = serve(
    { config: configFile, log: 'json', logLevel: 'error', lastGood: undefined, stuckAfter: Number.POSITIVE_INFINITY },
    // What it says first is that everything listens.
    { out: () => ready.resolve(), err: (text) => void problems.push(text) },
    {
      ...deps,
      createGateway(settings, gatewayDeps) {
        const made = deps.createGateway(settings, gatewayDeps)
        gateway = made
        return Object.assign(Object.create(made) as Gateway, {
          async start() {
            const listeners = await made.start()
            place = listeners[0]
            return listeners
          },
        })
      },
      async openHolding(state, holdingDeps) {
        const opened = await deps.openHolding(state, holdingDeps)
        if (opened.kind !== 'opened') return opened
        holding = opened.holding
        const close = async () => {
          heldAtEnd = opened.holding.queue.totals.messages
          await opened.close()
        }
        return { ...opened, close }
      },
      signals: {
        on(signal, run) {
          if (signal === 'SIGTERM') stop = run
        },
        exit: () => undefined,
      },
      writeLog: () => undefined,
      color: false,
      isWatched: false,
      sendCommand: '',
      program: '',
    },
  )
  await Promise.race([ready.promise, served])
  if (!place || !gateway) return { kind: 'failed', why: problems.join('').trim() || 'the gateway did not start' }
  return {
    kind: 'started',
    gateway: {
      place,
      configFile,
      dashboard: await dashboardLink(configFile),
      look() {
        const reports = gateway?.backends() ?? []
        const states = urls.map((url) => reports.find((report) => report.url === url)?.state ?? 'up')
        return { held: holding?.queue.totals.messages ?? 0, states }
      },
      async retry() {
        await gateway?.heldMail?.operations.act('retry', {}, undefined)
      },
      async stop() {
        stop()
        await served
        return heldAtEnd
      },
    },
  }
}

/** As `waypost web link`. */
async function dashboardLink(configFile: string): Promise<string | undefined> {
  const heard = await askGateway(configFile, { command: 'web.link' }, { out: () => undefined, err: () => undefined })
  const parsed = z.object({ link: z.string() }).safeParse(heard.kind === 'done' ? heard.result : undefined)
  return parsed.success ? parsed.data.link : undefined
}
