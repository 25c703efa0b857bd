/** What `waypost serve` is handed by `process.ts`, by the demo and by tests. */
import type { CreateGateway, Gateway } from '../../gateway/gateway.ts'
import type { ControlHandlers } from '../../gateway/operate/control.ts'
import type { OpenHolding } from '../holding.ts'
import type { Signals } from './signals.ts'
import type { StuckOptions } from './stuck.ts'

export interface ServeDeps {
  readonly createGateway: CreateGateway
  readonly openHolding: OpenHolding
  /** What the control socket answers beside `config.reload`. */
  readonly handlers: (gateway: Gateway) => ControlHandlers
  /** How the process is told things; tests hand in their own. */
  readonly signals: Signals
  /** Ends the process where it does not get on. @returns ends that; none where the process is not the gateway's alone */
  readonly endWhenStuck?: (options: StuckOptions) => () => void
  readonly writeLog: (line: string) => void
  readonly color: boolean
  /** A person sees what is written to standard output; else it is a file or the system's log, which others may read. */
  readonly isWatched: boolean
  /** Of Waypost. */
  readonly version: string
  /** How one calls `waypost send` where this was started: for the line to try. */
  readonly sendCommand: string
  /** How one calls Waypost there: `bin/waypost`. */
  readonly program: string
}
