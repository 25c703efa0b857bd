/** The words of a small internet (`internet.ts`): zones with their servers and records, and what is wrong with them. */
import type { Message } from '../../../src/dns/message.ts'
import type { LabRecords } from '../records.ts'

export interface AskedOfLab {
  /** `MX`, `example.lab.` */
  readonly type: string
  readonly name: string
  readonly over: 'udp' | 'tcp'
  readonly edns: boolean
}

/** What a server does instead of answering rightly: nothing at all, or the right answer with changes. */
export type LabFault = (asked: AskedOfLab, right: Message) => 'silence' | Partial<Message> | undefined

export interface LabServerWords {
  /** Its name, in any zone. */
  readonly name: string
  /** Default: a free one of 127/8. */
  readonly address?: string
  readonly fault?: LabFault
  /** Records that this server has instead of the zone's. */
  readonly records?: Readonly<Record<string, LabRecords>>
  readonly serial?: number
}

export interface LabZoneWords {
  readonly servers: readonly LabServerWords[]
  readonly records: Readonly<Record<string, LabRecords>>
  /** Default true. */
  readonly isSigned?: boolean
  /** What a validating resolver finds: `bogus` is SERVFAIL unless CD is set; `dead` is SERVFAIL in any case. */
  readonly state?: 'bogus' | 'dead'
}

export interface InternetWords {
  /** By apex, the root as `.`; a zone is delegated from the nearest zone above. */
  readonly zones: Readonly<Record<string, LabZoneWords>>
  /** What the resolver does wrong. */
  readonly resolverFault?: LabFault
  /** Default true. */
  readonly validates?: boolean
}
