/** Who is asked whether what a place was given has arrived, and what their answers may lack: the same for every command that looks. Pure. */
import type { WireName } from '../../dns/wire-name.ts'
import type { PublisherOptions } from '../options.ts'

/** Beside the servers of the target. */
export interface Witnesses {
  /** Whether the zone's own name servers are asked, too. */
  readonly asksZone: boolean
  /** Whether these are asked at addresses, too, that not everybody reaches. */
  readonly isPrivate: boolean
  /** And at which port. Default: 53. */
  readonly dnsPort?: number | undefined
  /** Hosts whose addresses the built-in server leaves out while they are down, at a shorter TTL; folded. */
  readonly healthy: ReadonlySet<WireName>
}

export interface WitnessOptions extends Pick<Witnesses, 'isPrivate' | 'dnsPort' | 'healthy'> {
  readonly publishers: Readonly<Record<string, PublisherOptions>>
}

/** @param publisher  the name under `publishers:`; undefined: nobody said where the records are kept */
export function witnessesOf(
  publisher: string | undefined,
  { publishers, isPrivate, dnsPort, healthy }: WitnessOptions,
): Witnesses {
  const said = publisher === undefined ? undefined : publishers[publisher]
  // Who is named there is all that shall be asked; the built-in server may be one that nobody has delegated to.
  return { asksZone: said?.servers === undefined && said?.type !== 'builtin', isPrivate, dnsPort, healthy }
}
