/**
 * What waypost.yaml says of the records of one domain, parsed: `options.ts` has its keys, `config` reads them into this, `wanted.ts` makes
 * records of it.
 */
import type { IpAddress } from '../../base/ip.ts'
import type { HostName } from '../../dns/name.ts'
import type { Rdata } from '../../dns/rdata.ts'
import type { WireName } from '../../dns/wire-name.ts'
import type { TextKind } from '../sets/text-kind.ts'

export interface Declaration {
  readonly domain: HostName
  /** `none`: a null MX (RFC 7505). Undefined: its MX records are nobody's business here. */
  readonly exchangers: readonly DeclaredExchanger[] | 'none' | undefined
  /** The built-in server leaves out addresses of these exchangers that are known to be down. */
  readonly isHealthy?: boolean
  readonly ttlSeconds: number
  /** The name under `publishers:`; undefined: it can be planned against what DNS says, and not applied. */
  readonly publisher: string | undefined
  readonly texts: readonly DeclaredText[]
  readonly absent: readonly DeclaredAbsence[]
  /** Addresses of hosts whether or not they are exchangers of the domain: a step of a migration says so, and no waypost.yaml. */
  readonly hosts?: readonly HostAddresses[]
}

/** One set of a host. */
export interface HostAddresses {
  readonly host: HostName
  readonly type: 'A' | 'AAAA'
  /** `whole`: these and no others. `without`: none of these, whatever else is there. */
  readonly means: 'whole' | 'without'
  readonly addresses: readonly IpAddress[]
  readonly ttlSeconds: number
}

export interface DeclaredExchanger {
  /** 0–65535 */
  readonly preference: number
  readonly host: HostName
  /** All of its addresses, or undefined where they are kept by somebody else. */
  readonly addresses: readonly IpAddress[] | undefined
}

/** A TXT record of which a domain has one of its kind. */
export interface DeclaredText {
  readonly kind: TextKind
  /** Printable ASCII, valid as its kind. */
  readonly text: string
}

/** Records that are removed where they are: the whole set, or the one with this data. Never NS or SOA. */
export interface DeclaredAbsence {
  readonly name: WireName
  readonly code: number
  readonly data: Rdata | undefined
}

/** With the hosts and addresses that it names; none where it says `none`, or nothing. */
export const declaredExchangers = ({ exchangers }: Pick<Declaration, 'exchangers'>): readonly DeclaredExchanger[] =>
  exchangers === undefined || exchangers === 'none' ? [] : exchangers
