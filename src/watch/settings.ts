/** What `watch` is told, parsed and checked: `config` makes it from waypost.yaml. Defaults, units and ranges stand in `options.ts`. */
import type { HostName } from '../mail/address.ts'
import type { Declaration } from '../publish/declare/declaration.ts'
import type { AlertOptions, WatchOptions } from './options.ts'

export interface WatchingSettings {
  readonly watch: WatchOptions
  /** Paths are absolute. */
  readonly alerts: AlertOptions
}

/** A domain that is checked again and again. */
export interface WatchedDomain {
  readonly name: HostName
  /** What waypost.yaml declares of its records. */
  readonly declaration: Declaration | undefined
}
