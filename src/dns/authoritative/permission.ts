/** Which secondaries may take zones, and how they prove who they are. Used by `transfer-out.ts` and `notifier.ts`. */
import type { IpAddress } from '../../base/ip.ts'
import type { NameServer } from '../servers.ts'
import type { TsigKey } from '../tsig/key.ts'

/** A server that fetches the zones from here. */
export interface Secondary {
  /** Where it is told of changes, and from where it asks. */
  readonly server: NameServer
  /** With a key, both sides sign, and without the signature nothing is given out. */
  readonly key: TsigKey | undefined
}

/** @param key  the one that the request was found to be signed with */
export function mayTransfer(secondaries: readonly Secondary[], address: IpAddress, key: TsigKey | undefined): boolean {
  return secondaries.some(
    (secondary) => secondary.server.address === address && (secondary.key === undefined || secondary.key === key),
  )
}
