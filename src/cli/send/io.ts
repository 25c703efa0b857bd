import type { Clock } from '../../base/clock.ts'
import type { Door } from '../../base/door.ts'
import type { HostLookup } from '../../base/host-lookup.ts'
import type { Random } from '../../base/random.ts'
import type { Machine } from './options.ts'

/** What `waypost send` touches of the machine; tests hand in their own. */
export interface SendIo {
  readonly clock: Clock
  readonly random: Random
  readonly door: Door
  readonly machine: Machine
  readonly lookupHost: HostLookup
  /** Where it goes when nobody says it, as `host:port`. @param config  what `-c` says */
  findServer(config: string | undefined): Promise<string>
  /** A message on standard input, or undefined where there is none. */
  readInput(): Promise<Buffer | undefined>
  out(line: string): void
  err(line: string): void
}
