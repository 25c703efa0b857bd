/** What the dashboard is told: `config` makes it from waypost.yaml, defaults and sentences stand in `options.ts`. */
import type { ListenAddress } from '../base/listen-address.ts'
import type { AccessSettings } from './access/credential.ts'

export interface WebSettings extends AccessSettings {
  /** Empty: no dashboard. */
  readonly listen: readonly ListenAddress[]
  /** Nobody wrote down where: then a port that is taken keeps no mail from being served. */
  readonly isDefaultPlace: boolean
  /** Absolute paths of PEM files; undefined: plain HTTP, on loopback alone. */
  readonly tls: { readonly certificate: string; readonly key: string } | undefined
  /** Names, beside the addresses that are listened on, by which a browser may call us: lower case, with or without a port. */
  readonly hosts: readonly string[]
}
