/** What the dashboard is handed: the gateway that it shows, and what only `cli` can make. */
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Read } from '../base/option.ts'
import type { Random } from '../base/random.ts'
import type { RecordLines } from '../checks/snapshot.ts'
import type { BackendReport } from '../gateway/backends/report.ts'
import type { Tell } from '../gateway/events.ts'
import type { Figures } from '../gateway/figures/figures.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { GatewaySettings } from '../gateway/settings.ts'
import type { Queue } from '../queue/queue.ts'
import type { Watch } from '../watch/watch.ts'
import type { RunCheck } from './check/checks.ts'
import type { WebSettings } from './settings.ts'

export interface WebDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Of Waypost. */
  readonly version: string
  /** As they are now: a reload hands out others. */
  readonly settings: () => WebSettings
  readonly gateway: Pick<Gateway, 'backends' | 'whyMisconfigured' | 'setOut' | 'heldMail' | 'connections' | 'tryNow'>
  /** Since when a backend is in its state, wall clock: exactly, or since the gateway knows it. */
  readonly since: (backend: BackendReport) => { readonly sinceMs: number | null; readonly sinceIsExact?: boolean }
  readonly figures: Pick<Figures, 'snapshot' | 'minutes' | 'seconds' | 'lastDeliveredMs' | 'latency'>
  /** Has what happens in the gateway told, from now on. */
  readonly listen: (hear: Tell) => void
  /** Of the hold, what is counted in memory; undefined where nothing is held. */
  readonly queue: Pick<Queue, 'totals' | 'domains' | 'lanes'> | undefined
  /** `Holding.whyNotKept`; undefined too where nothing is held. */
  readonly whyNotKept: () => string | undefined
  readonly gatewaySettings: () => GatewaySettings
  /** A domain as somebody typed it, in its canonical form; or in words, why it is none. */
  readonly readDomain: (text: string) => Read<string>
  readonly isDeclared: (domain: string) => boolean
  /** What waypost.yaml declares of its records. */
  readonly declarationOf: (domain: string) => DeclaredRecords | undefined
  readonly check: RunCheck
  /** When this process began, wall clock. */
  readonly startedMs: number
  /** What is kept over restarts and what is wrong now; undefined where there is no store. */
  readonly watch: Pick<Watch, 'conditions' | 'glance' | 'history' | 'domain'> | undefined
  /** Of the built-in DNS server, counted since the start; undefined where there is none. */
  readonly dnsServer: () => DnsServerFigures | undefined
  readonly isReady: () => boolean
}

export interface DnsServerFigures {
  readonly zones: number
  /** Owner names of all zones. */
  readonly names: number
  readonly tcpConnections: number
  /** Secondaries that were told of a change and have not answered yet. */
  readonly notifications: number
  /** By what was answered, or why it was not. */
  readonly answers: Readonly<Record<string, number>>
}

export interface DeclaredRecords {
  readonly publisher: string | null
  readonly records: readonly RecordLines[]
}
