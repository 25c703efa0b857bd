/** What a resolver said, in facts that rules are tested with. */
import type { NotExamined, NotExaminedReason, View } from '../../../src/checks/facts.ts'
import type { DnsRecord } from '../../../src/dns/message.ts'
import type { Rdata, RdataOf } from '../../../src/dns/rdata.ts'
import type { FailureReason } from '../../../src/dns/read-answer.ts'
import type { RecordType } from '../../../src/dns/types.ts'
import { wire } from './names.ts'
import { record } from './records.ts'

interface ViewWords {
  /** Default `secure`. */
  readonly trust?: 'secure' | 'insecure' | 'untold'
  readonly aliases?: readonly string[]
  readonly ttl?: number
  readonly bytes?: number
}

const answered = (name: string, words: ViewWords) => ({
  name: wire(name),
  aliases: (words.aliases ?? []).map(wire),
  canonicalName: wire(words.aliases?.at(-1) ?? name),
  trust: words.trust ?? 'secure',
  ttlSeconds: words.ttl ?? 3600,
  bytes: words.bytes ?? 200,
  extendedErrors: [],
  tookMs: 12,
})

export function answer<D extends Rdata>(
  name: string,
  data: readonly D[],
  words: ViewWords = {},
): View<Extract<D['type'], RecordType>> {
  const known = answered(name, words)
  const records = data.map((one) => record(known.canonicalName, one, known.ttlSeconds))
  return {
    kind: 'answer',
    ...known,
    records: records as unknown as DnsRecord<RdataOf<Extract<D['type'], RecordType>>>[],
  }
}

export const noData = (name: string, words: ViewWords = {}) => ({ kind: 'no-data', ...answered(name, words) }) as const

export const noSuchName = (name: string, words: ViewWords = {}) =>
  ({ kind: 'no-such-name', ...answered(name, words) }) as const

/** `bogus`: SERVFAIL, and an answer with CD set. */
export function failed(name: string, reason: FailureReason = 'servfail', more: 'bogus' | 'broken' = 'broken') {
  const unchecked = reason !== 'servfail' ? 'not-asked' : more === 'bogus' ? 'answer' : 'failed'
  const extendedErrors = more === 'bogus' ? [{ code: 6, text: Buffer.from('') }] : []
  const why = `192.0.2.53:53: ${reason}`
  return { kind: 'failed', name: wire(name), aliases: [], reason, why, unchecked, extendedErrors, tookMs: 20 } as const
}

export const notExamined = (reason: NotExaminedReason, why = 'The test left it out.'): NotExamined => ({
  kind: 'not-examined',
  reason,
  why,
})
