/** What `watch` is told, parsed and checked: `config` makes it from waypost.yaml. Defaults, units and ranges stand in `options.ts`. */
import type { AlertOptions, WatchOptions } from './options.ts'

export interface WatchingSettings {
  readonly watch: WatchOptions
  /** Paths are absolute. */
  readonly alerts: AlertOptions
}
