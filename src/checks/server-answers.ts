/**
 * What one authoritative server says to a question, out of all that it was asked: over UDP and TCP, with EDNS and without. Pure; called by
 * the rules that compare servers.
 */
import { type DnsRecord, type Message, refusesEdns } from '../dns/message.ts'
import type { RdataOf } from '../dns/rdata.ts'
import type { RecordType } from '../dns/types.ts'
import { foldName, sameName, type WireName } from '../dns/wire-name.ts'
import type { Direct, NotExamined, ServerFacts, ZoneFacts } from './facts.ts'
import { directs, readingOf } from './read-facts.ts'

export type ServerAnswer<T extends RecordType = RecordType> =
  /** `unfinished`: it is an alias, and its end is of another zone. */
  | (Said & {
      readonly kind: 'answer' | 'no-data' | 'no-such-name' | 'unfinished'
      readonly records: readonly DnsRecord<RdataOf<T>>[]
      readonly aliases: readonly WireName[]
    })
  /** An error code, or a referral. */
  | (Said & { readonly kind: 'refused'; readonly why: string })
  | { readonly kind: 'silence'; readonly direct: Direct }
  | { readonly kind: 'malformed'; readonly direct: Direct; readonly why: string }
  | NotExamined
  | { readonly kind: 'not-asked' }

interface Said {
  readonly direct: Direct
  readonly message: Message
}

/** The best that it said: a whole answer before a truncated one, one before an error, an error before silence. */
export function answerOf<T extends RecordType>(
  server: ServerFacts,
  name: WireName,
  type: T,
  over?: 'udp' | 'tcp',
): ServerAnswer<T> {
  const asked = directs(server, { name, type, ...(over ? { over } : {}) })
  let best: ServerAnswer<T> = { kind: 'not-asked' }
  for (const direct of asked) {
    const answer = readDirect<T>(direct)
    if (rank(answer) > rank(best)) best = answer
  }
  return best
}

/** Every answer to the question: the same one again is another sample. */
export function samplesOf<T extends RecordType>(
  server: ServerFacts,
  name: WireName,
  type: T,
): readonly ServerAnswer<T>[] {
  return directs(server, { name, type }).map((direct) => readDirect<T>(direct))
}

export function readDirect<T extends RecordType>(direct: Direct): ServerAnswer<T> {
  const { outcome } = direct
  if (outcome.kind === 'not-examined') return outcome
  if (outcome.kind === 'malformed') return { kind: 'malformed', direct, why: outcome.why }
  if (outcome.kind !== 'response') return { kind: 'silence', direct }
  const { message } = outcome
  const reading = readingOf(direct)
  if (!reading || reading.kind === 'failed') {
    const isWrong = reading?.reason === 'malformed' || reading?.reason === 'cname-loop'
    const why = reading?.why ?? 'nothing can be read'
    return isWrong ? { kind: 'malformed', direct, why } : { kind: 'refused', direct, message, why }
  }
  // `readAnswer` takes records of the wanted type alone.
  const records = reading.records as unknown as readonly DnsRecord<RdataOf<T>>[]
  return { kind: reading.kind, direct, message, records, aliases: reading.aliases }
}

/** What of an answer does not depend on its type. */
interface AnyAnswer {
  readonly kind: ServerAnswer['kind']
  readonly message?: Message
}

function rank({ kind, message }: AnyAnswer): number {
  if (kind === 'not-asked') return 0
  if (kind === 'not-examined') return 1
  if (kind === 'silence') return 2
  if (kind === 'malformed') return 3
  if (kind === 'refused') return 4
  return message?.truncated ? 5 : 6
}

/** Whether it says so itself, and does not pass on what others say. */
export const isAuthoritative = ({ kind, message }: AnyAnswer): boolean =>
  message !== undefined && kind !== 'refused' && message.authoritative && !message.truncated

/** Whether it gave any answer over UDP. */
export const isHeard = (server: ServerFacts): boolean =>
  server.asked.some(({ over, outcome }) => over === 'udp' && outcome.kind === 'response')

/** The serial of its copy of the zone. */
export function serialOf(server: ServerFacts, zone: ZoneFacts): number | undefined {
  const answer = answerOf(server, zone.apex, 'SOA')
  return answer.kind === 'answer' ? answer.records[0]?.data.serial : undefined
}

/** The records at the name itself in an answer, of any type. */
export const recordsAt = (message: Message, name: WireName): readonly DnsRecord[] =>
  message.answers.filter((record) => sameName(record.name, name))

/** `10 mx1.example.com.` as it compares: case does not count, nor does the TTL (RFC 2181 §5.2). */
export const mxKey = ({ data }: DnsRecord<RdataOf<'MX'>>): string => `${data.preference} ${foldName(data.exchange)}`

/** A server without EDNS answers OPT so (RFC 6891 §7); the question is put again without. */
export const isEdnsRefusal = ({ edns, outcome }: Direct): boolean =>
  edns && outcome.kind === 'response' && refusesEdns(outcome.message)
