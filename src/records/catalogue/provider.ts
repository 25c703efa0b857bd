/** A mail provider of the catalogue, read and ready: the type that every file here and every caller works with. */
import type { HostName } from '../../dns/name.ts'
import type { Confidence, FormEntry, ProviderEntry } from './schema.ts'
import type { Bindings, HostTemplate, Parameters } from './template.ts'

/** One MX record. `preference` 0–65535. */
export interface Exchanger {
  readonly preference: number
  readonly host: HostName
}

/** What schema.ts says of the keys; hosts and SPF terms are read. */
export interface Provider {
  readonly id: string
  readonly name: string
  readonly also: readonly string[]
  readonly kind: ProviderEntry['kind']
  readonly home: string
  readonly shared: boolean
  readonly orderMatters: boolean
  readonly source: string
  /** YYYY-MM. */
  readonly date: string
  /** YYYY-MM-DD, the last day of the service. */
  readonly ends: string | undefined
  readonly panel: string | undefined
  readonly closed: string | undefined
  readonly note: string | undefined
  readonly forms: readonly Form[]
  readonly choices: Readonly<Record<string, string>>
  readonly parameters: Parameters
  readonly hosts: readonly KnownHost[]
  readonly leftovers: readonly KnownHost[]
}

/** One of the sets of records that a provider's customers have. */
export interface Form {
  readonly id: string
  readonly name: string
  readonly status: FormEntry['status']
  readonly confidence: Confidence
  readonly when: Bindings
  /** The provider under which the hosts are recognised, where they are another's. */
  readonly hostsOf: string | undefined
  readonly records: readonly FormRecord[]
  readonly spf: readonly SpfTemplate[]
  readonly note: string | undefined
}

/** A host as the catalogue writes it, with `<names>`. */
export interface KnownHost {
  readonly text: string
  readonly templates: readonly HostTemplate[]
}

export interface FormRecord extends KnownHost {
  /** 0–65535; undefined where the account or the zone decides. */
  readonly preference: number | undefined
  readonly optional: boolean
}

/** A term of an SPF record, with `<names>`. */
export interface SpfTemplate {
  readonly text: string
  readonly confidence: Confidence
}

/** Whether facts of this confidence may go into somebody's zone. */
export function isPublishable(confidence: Confidence): boolean {
  return confidence !== 'unconfirmed'
}
