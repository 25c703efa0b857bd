/** What is wanted of one set of records in a zone's text: judged by `refuse.ts`, done by `edit.ts`. */
import type { Rdata } from '../rdata.ts'
import type { WireName } from '../wire-name.ts'

/** What the whole set of this name and type shall be; no data removes it. */
export interface RrsetEdit {
  readonly name: WireName
  /** Of the type; not SOA. */
  readonly code: number
  readonly ttlSeconds: number
  readonly data: readonly Rdata[]
}
