/** What a server's response code says to one who wanted to change or to read a zone. Used by the clients of dynamic update and zone transfer. */
import { rcodeName, rcodes } from './types.ts'

export interface SaidNo {
  readonly kind: /** By its policy: for this key, this address or these records. */
    | 'refused'
    /** NOTAUTH: it does not serve this zone. Unsigned, it may also mean the key or the clock (PowerDNS). */
    | 'not-authoritative'
    /** It does not know this kind of request at all. */
    | 'not-implemented'
    /** SERVFAIL, FORMERR or any other code. */
    | 'failed'
  readonly rcode: string
  /** Whether a signature vouches for it; where there is no key, nothing does. */
  readonly isSigned: boolean
}

/** @param rcode  any but NOERROR */
export function saidNo(rcode: number, isSigned: boolean): SaidNo {
  return { kind: kinds.get(rcode) ?? 'failed', rcode: rcodeName(rcode), isSigned }
}

const kinds: ReadonlyMap<number, SaidNo['kind']> = new Map([
  [rcodes.refused, 'refused'],
  [rcodes.notAuth, 'not-authoritative'],
  [rcodes.notImp, 'not-implemented'],
])
