/**
 * A zone at a server that takes dynamic updates (RFC 2136), signed by TSIG (RFC 8945): BIND, Knot, PowerDNS and others. Made by
 * `create-target.ts`.
 *
 * Read by a transfer of the whole zone where that is allowed, else question by question. What was read is the prerequisite of the update, so
 * that a change of another hand in between makes the server refuse all of it (RFC 2136 §3.2).
 */
import type { Clock } from '../../base/clock.ts'
import type { Door } from '../../base/door.ts'
import { printable } from '../../base/printable.ts'
import type { Random } from '../../base/random.ts'
import type { SaidNo } from '../../dns/server-said.ts'
import { type NameServer, nameServerText } from '../../dns/servers.ts'
import { type TransferOutcome, transferZone } from '../../dns/transfer/client.ts'
import { createTransport, type Transport } from '../../dns/transport.ts'
import type { TsigFailure } from '../../dns/tsig/answer-reader.ts'
import type { TsigKey } from '../../dns/tsig/key.ts'
import { typeCodes } from '../../dns/types.ts'
import { createUpdateClient, type UpdateOutcome } from '../../dns/update/client.ts'
import type { Change, Prerequisite } from '../../dns/update/message.ts'
import { nameText, sameName, type WireName } from '../../dns/wire-name.ts'
import { askServer, isFromWildcard } from '../sets/ask-server.ts'
import { collectSets } from '../sets/collect-sets.ts'
import { byKey, dataKey, type RecordSet, type SetName, setKey, setText } from '../sets/record-set.ts'
import { conflictOf, movedOf } from './conflict.ts'
import {
  noLimits,
  type SetChange,
  type Target,
  type TargetApplied,
  type TargetFailure,
  type TargetRead,
} from './target.ts'

export interface Rfc2136Options {
  readonly publisher: string
  readonly zone: WireName
  /** The primary. */
  readonly server: NameServer
  readonly key: TsigKey | undefined
  /** For one question, one transfer, one update. */
  readonly timeoutMs: number
}

export interface Rfc2136Deps {
  readonly clock: Clock
  readonly random: Random
  readonly door: Door
}

/** A zone that is larger than this is read by questions. */
const transferLimits = { maxRecords: 200_000, maxBytes: 32 * 1024 * 1024 }

export function createRfc2136Target(options: Rfc2136Options, deps: Rfc2136Deps): Target {
  const { zone, server, key, timeoutMs } = options
  const transport = createTransport(deps)
  const client = createUpdateClient({ server, key, timeoutMs }, deps)
  const at = nameServerText(server)

  /**
   * "No such key" is what Knot says to one, too, that may write and not transfer. So it is asked for an update of nothing: whoever says it to that
   * will not take another either.
   */
  const wrongInItself = async (failure: TsigFailure): Promise<TsigFailure | undefined> => {
    if (failure.problem === 'bad-signature' || failure.problem === 'bad-time') return failure
    if (failure.problem !== 'bad-key') return undefined
    const said = await client.send({ zone, prerequisites: [], changes: [] })
    return said.kind === 'tsig' && said.problem === 'bad-key' ? said : undefined
  }

  const read = async (names: readonly SetName[]): Promise<TargetRead> => {
    const transferred = await transferZone(zone, { server, key, timeoutMs, ...transferLimits }, deps)
    if (transferred.kind === 'zone') return done(collectSets(transferred.zone.records, names), [])
    if (transferred.kind === 'unreachable') return unreachable(at, transferred.why)
    // A key that is wrong in itself will not write either.
    const wrongKey = transferred.kind === 'tsig' ? await wrongInItself(transferred) : undefined
    if (wrongKey) return tsigFailure(wrongKey, at, key)
    const asked = await readByQuestions(transport, server, names, { zone, timeoutMs })
    if (asked.kind !== 'read' || transferred.kind === 'refused') return asked
    return { ...asked, notes: [`the zone was read question by question: ${whyNotTransferred(transferred)}`] }
  }

  return {
    publisher: options.publisher,
    place: `dynamic updates at ${at}`,
    zone,
    limits: noLimits,
    servers: [server],
    read,

    async apply({ changes }) {
      // Prerequisites say nothing of TTLs (§3.2.3); and what is wrong is told better before anything is sent.
      const seen = await read(changes)
      if (seen.kind !== 'read') return seen
      const moved = movedOf(changes, seen.sets)
      if (moved.length > 0) return conflictOf(moved, seen.sets)
      const outcome = await client.send({
        zone,
        prerequisites: prerequisitesOf(changes),
        changes: changes.flatMap(updatesOf),
      })
      return judge(outcome, { at, zone, key, changes, lookAgain: () => read(changes) })
    },

    close() {
      client.close()
      transport.close()
    },
  }
}

const done = (sets: readonly RecordSet[], notes: readonly string[]): TargetRead => ({
  kind: 'read',
  sets,
  version: '',
  isNewZone: false,
  notes,
})

async function readByQuestions(
  transport: Transport,
  server: NameServer,
  names: readonly SetName[],
  { zone, timeoutMs }: { readonly zone: WireName; readonly timeoutMs: number },
): Promise<TargetRead> {
  const at = nameServerText(server)
  const soa = await askServer(transport, server, { name: zone, code: typeCodes.SOA }, timeoutMs)
  if (soa.kind === 'silent') return unreachable(at, soa.why)
  if (soa.kind === 'not-its-zone' || soa.content === undefined) {
    const said = soa.kind === 'not-its-zone' ? ` (${soa.why})` : ''
    return noSuchZone(at, zone, said)
  }
  const sets: RecordSet[] = []
  for (const set of names) {
    const said = await askServer(transport, server, set, timeoutMs)
    if (said.kind === 'silent') return unreachable(at, said.why)
    if (said.kind === 'not-its-zone')
      return { kind: 'unusable', why: `${at} does not answer for ${setText(set)}: ${said.why}` }
    if (!said.content) continue
    const found = { ...set, ...said.content }
    if (sameName(set.name, zone) || !(await isFromWildcard(transport, server, found, timeoutMs))) sets.push(found)
  }
  return done(sets, [])
}

/** RFC 2136 §2.4. Nothing is added beside an alias that came in between: servers leave such changes out without a word (§3.4.2.2). */
function prerequisitesOf(changes: readonly SetChange[]): Prerequisite[] {
  const asWas = changes.map(
    ({ name, code, before }): Prerequisite =>
      before ? { kind: 'rrset-is', name, records: before.data } : { kind: 'rrset-absent', name, type: code },
  )
  const said = new Set(changes.map(setKey))
  const aliases = changes.flatMap(({ name, code, after }) =>
    after && code !== typeCodes.CNAME ? [{ name, code: typeCodes.CNAME }] : [],
  )
  const unsaid = [...byKey(aliases).values()].filter((alias) => !said.has(setKey(alias)))
  return [...asWas, ...unsaid.map(({ name, code }): Prerequisite => ({ kind: 'rrset-absent', name, type: code }))]
}

function updatesOf({ name, code, before, after }: SetChange): Change[] {
  if (!after) return [{ kind: 'delete-rrset', name, type: code }]
  const { ttlSeconds } = after
  const add = (data: (typeof after.data)[number]): Change => ({ kind: 'add', name, ttlSeconds, data })
  // Servers differ in what adding a record again with another TTL does (§3.4.2.2, §2.5.1), so all of the set goes and comes.
  if (before && before.ttlSeconds !== ttlSeconds)
    return [{ kind: 'delete-rrset', name, type: code }, ...after.data.map(add)]
  const wanted = new Set(after.data.map(dataKey))
  const there = new Set((before?.data ?? []).map(dataKey))
  // First in, then out: a set that is never empty in between needs no server to be right about the last record.
  const added = after.data.filter((data) => !there.has(dataKey(data))).map(add)
  const removed = (before?.data ?? []).filter((data) => !wanted.has(dataKey(data)))
  return [...added, ...removed.map((data): Change => ({ kind: 'delete-record', name, data }))]
}

interface Sent {
  readonly at: string
  readonly zone: WireName
  readonly key: TsigKey | undefined
  readonly changes: readonly SetChange[]
  readonly lookAgain: () => Promise<TargetRead>
}

async function judge(outcome: UpdateOutcome, sent: Sent): Promise<TargetApplied> {
  const { at, changes } = sent
  switch (outcome.kind) {
    case 'done':
      return { kind: 'applied' }
    case 'prerequisite-failed': {
      const seen = await sent.lookAgain()
      return conflictOf(changes, seen.kind === 'read' ? seen.sets : undefined)
    }
    case 'outside-zone':
      return { kind: 'refused', why: `${at} says that a name lies outside of ${nameText(sent.zone)} (NOTZONE)` }
    case 'too-large':
      return {
        kind: 'refused',
        why: 'the changes do not fit into one message, and nothing was sent',
        remedy: 'Apply some domains at a time: waypost apply DOMAIN…',
      }
    case 'unreachable':
      return unreachable(at, outcome.why)
    case 'unknown':
      return {
        kind: 'unknown',
        why: `${at} was sent the update and did not answer: ${outcome.why}`,
        remedy: 'Run "waypost plan" to see whether it was done; sending it again does no harm.',
      }
    case 'tsig': {
      const failure = tsigFailure(outcome, at, sent.key)
      return outcome.mayBeDone ? { ...failure, kind: 'unknown' } : failure
    }
    default:
      return saidNoFailure(outcome, sent)
  }
}

const unreachable = (at: string, why: string): TargetFailure => ({
  kind: 'unreachable',
  why: `${at} does not answer: ${printable(why, 200)}`,
  remedy: 'Check the address and the port, that the server runs, and that it takes TCP from here.',
})

const noSuchZone = (at: string, zone: WireName, said: string): TargetFailure => ({
  kind: 'no-such-zone',
  why: `${at} does not serve the zone ${nameText(zone)}${said}`,
  remedy: 'Name the zone that the domain lies in by "zone:" under the publisher.',
})

function saidNoFailure(said: SaidNo, { at, zone, key }: Sent): TargetFailure {
  const rcode = said.rcode
  const unsigned = said.isSigned ? '' : ', unsigned'
  switch (said.kind) {
    case 'not-implemented':
      return {
        kind: 'refused',
        why: `${at} does not know dynamic updates (${rcode})`,
        remedy: 'Publish to its zone file instead (type: zonefile); NSD, for one, has no other way.',
      }
    case 'not-authoritative':
      return {
        kind: 'refused',
        why: `${at} says that it is not responsible for ${nameText(zone)} (${rcode}${unsigned})`,
        remedy:
          key && !said.isSigned
            ? 'Either the zone has another name (see "zone:"), or some servers say the same of a key that they do not know, or of a clock that is wrong.'
            : 'Name the zone by its own name (see "zone:"), and its primary as the server.',
      }
    case 'refused':
      return {
        kind: 'refused',
        why: `${at} refused the update (${rcode}${unsigned})`,
        remedy: refusedRemedy(key, said.isSigned),
      }
    case 'failed':
      return { kind: 'refused', why: `${at} could not do it (${rcode}${unsigned})`, remedy: 'Its log says why.' }
  }
}

function refusedRemedy(key: TsigKey | undefined, isSigned: boolean): string {
  if (!key) return 'It may want a key: say "tsig:" under the publisher.'
  if (!isSigned)
    return `PowerDNS answers so to a key that it does not know, a wrong secret and a wrong clock; others to "${nameText(key.name)}" without permission. The server's log says which.`
  return `The key ${nameText(key.name)} is right, and its permission is not: see update-policy or allow-update (BIND), acl (Knot), TSIG-ALLOW-DNSUPDATE (PowerDNS). BIND also refuses an exchanger inside the zone without an address: give it "addresses:".`
}

function tsigFailure({ problem, skewSeconds }: TsigFailure, at: string, key: TsigKey | undefined): TargetFailure {
  const name = key ? nameText(key.name) : ''
  switch (problem) {
    case 'bad-key':
      return {
        kind: 'refused',
        why: `${at} does not know the key ${name} with the algorithm ${key?.algorithm ?? ''} (BADKEY)`,
        remedy:
          'Name and algorithm must be those of the server. Knot says the same of a key that may not change this zone.',
      }
    case 'bad-signature':
      return {
        kind: 'refused',
        why: `${at} has another secret for the key ${name} (BADSIG)`,
        remedy: 'Compare the secrets.',
      }
    case 'bad-time':
      return {
        kind: 'refused',
        why: `the clocks differ too much for a signature (BADTIME)${skewText(skewSeconds, at)}`,
        remedy: 'Set the clock that is wrong; NTP does it for good.',
      }
    case 'bad-truncation':
    case 'other':
      return { kind: 'refused', why: `${at} did not take the signature`, remedy: 'Its log says why.' }
    case 'answer-unsigned':
      return {
        kind: 'unusable',
        why: `${at} answers without a signature, so that the answer may be anybody's`,
        remedy: 'Look whether something stands between here and the server that answers in its place.',
      }
    case 'answer-other-key':
    case 'answer-other-algorithm':
    case 'answer-bad-signature':
    case 'answer-truncated-signature':
      return {
        kind: 'unusable',
        why: `the answer of ${at} is not signed as it must be (${problem})`,
        remedy: 'Look whether something stands between here and the server that answers in its place.',
      }
  }
}

function skewText(seconds: number | undefined, at: string): string {
  if (seconds === undefined) return ''
  return `: that of ${at} is ${Math.abs(seconds)} seconds ${seconds > 0 ? 'ahead of' : 'behind'} ours`
}

function whyNotTransferred(outcome: Exclude<TransferOutcome, { kind: 'zone' }>): string {
  switch (outcome.kind) {
    case 'tsig':
      if (outcome.problem === 'bad-key') return 'the server lets the key transfer nothing (BADKEY)'
      return `a transfer was not signed as it must be (${outcome.problem})`
    case 'too-large':
      return 'it is too large for a transfer'
    case 'unreachable':
    case 'interrupted':
    case 'malformed':
      return `the transfer failed: ${printable(outcome.why, 200)}`
    default:
      return `a transfer was not given (${outcome.rcode})`
  }
}
