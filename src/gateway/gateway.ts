/**
 * The gateway: its table of contents.
 */
import type { Clock } from '../base/clock.ts'
import type { Door } from '../base/door.ts'
import type { IpAddress } from '../base/ip.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import type { GatewaySettings } from './settings.ts'

export interface GatewayDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly door: Door
}

export interface Gateway {
  /** Binds the listeners; resolves with where they listen. Rejects with the system's error (EADDRINUSE, EACCES). */
  start(): Promise<readonly { readonly address: IpAddress; readonly port: number }[]>
  /** New settings from now on; sessions in progress keep theirs. Listeners that changed are bound anew. */
  apply(settings: GatewaySettings): Promise<void>
  /** No new connections; what is in progress gets `shutdownGraceMs`. */
  stop(): Promise<void>
}

export type CreateGateway = (settings: GatewaySettings, deps: GatewayDeps) => Gateway
