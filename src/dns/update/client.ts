/**
 * Sends dynamic updates (RFC 2136) to one server and tells what became of each: done, not done and why, or not known. Used by publishing.
 *
 * Always over TCP: over UDP a lost answer would have to be asked for again, and the second time a value prerequisite fails because the first
 * time it held (§7.8).
 */
import type { Clock } from '../../base/clock.ts'
import type { Door } from '../../base/door.ts'
import type { Random } from '../../base/random.ts'
import { type SaidNo, saidNo } from '../server-said.ts'
import type { NameServer } from '../servers.ts'
import { converseOverTcp } from '../tcp-conversation.ts'
import { createAnswerReader, type ReadAnswer, type TsigFailure } from '../tsig/answer-reader.ts'
import type { TsigKey } from '../tsig/key.ts'
import { signRequest, tsigBytes } from '../tsig/request.ts'
import { opcodes, rcodes } from '../types.ts'
import { encodeUpdate, type Update } from './message.ts'

export interface UpdateOptions {
  /** The primary server of the zone. */
  readonly server: NameServer
  /** Without one, nothing is signed: the server then goes by our address. */
  readonly key: TsigKey | undefined
  /** For one update, connection and answer. */
  readonly timeoutMs: number
}

export type UpdateOutcome =
  /** The server says so. It also says so of changes that it leaves out by its rules (RFC 2136 §3.4.2), so look whether they are there. */
  | { readonly kind: 'done' }
  /** Nothing was changed, because the zone is not as the prerequisites say: somebody else was there. */
  | { readonly kind: 'prerequisite-failed'; readonly rcode: PrerequisiteRcode; readonly isSigned: boolean }
  /** NOTZONE: a name of the update lies outside of the zone. Nothing was changed. */
  | { readonly kind: 'outside-zone'; readonly isSigned: boolean }
  /** Nothing was changed. */
  | SaidNo
  /** Signatures: ours was not taken, or the answer's proves nothing. `mayBeDone`: it says that the changes were made. */
  | (TsigFailure & { readonly mayBeDone: boolean })
  /** It does not fit into one message, and nothing was sent. */
  | { readonly kind: 'too-large' }
  /** Nothing was sent. `why` for logs: words of ours and system codes. */
  | { readonly kind: 'unreachable'; readonly why: string }
  /** It was sent, and no answer came that says anything: it may have been done. */
  | { readonly kind: 'unknown'; readonly why: string }

/** NXRRSET and YXRRSET speak of a set, NXDOMAIN and YXDOMAIN of a name (RFC 2136 §2.4). */
export type PrerequisiteRcode = 'NXRRSET' | 'YXRRSET' | 'NXDOMAIN' | 'YXDOMAIN'

export interface UpdateClient {
  /**
   * Sends one update and waits for its answer, `timeoutMs` at most. Never twice. One after the other, where they share a key: a server may
   * refuse what was signed before the last that it saw (RFC 8945 §5.2.3).
   */
  send(update: Update): Promise<UpdateOutcome>
  /** Ends what is on its way. */
  close(): void
}

export interface UpdateDeps {
  readonly clock: Clock
  readonly random: Random
  readonly door: Door
}

export function createUpdateClient(options: UpdateOptions, deps: UpdateDeps): UpdateClient {
  const { server, key, timeoutMs } = options
  const open = new Set<() => void>()
  return {
    async send(update) {
      const id = deps.random.bytes(2).readUInt16BE(0)
      const bare = encodeUpdate(update, id, maxMessageBytes - (key ? tsigBytes(key) : 0))
      if (!bare) return { kind: 'too-large' }
      const signed = key && signRequest(bare, key, Math.floor(deps.clock.now() / 1000))
      const asked = { id, opcode: opcodes.update, signed: key && signed && { key, mac: signed.mac } }
      const reader = createAnswerReader(asked, deps.clock)
      let outcome: UpdateOutcome | undefined
      let strangers = 0
      const take = (bytes: Buffer) => {
        outcome = judge(reader.read(bytes), key !== undefined)
        if (!outcome) strangers++
        return outcome ? 'enough' : 'more'
      }
      const message = signed?.bytes ?? bare
      const end = await converseOverTcp({ server, message, timeoutMs, purpose: 'publisher', take, open }, deps)
      if (outcome) return outcome
      const why = end.kind === 'lost' ? end.code : `no answer within ${timeoutMs} ms`
      if (end.kind !== 'done' && !end.isSent) return { kind: 'unreachable', why }
      return { kind: 'unknown', why: strangers > 0 ? `${strangers} answers to something else; ${why}` : why }
    },
    close() {
      for (const close of open) close()
    },
  }
}

const maxMessageBytes = 65_535

/** What a message makes of the update; undefined where it is no answer to it. */
function judge(read: ReadAnswer, mustBeSigned: boolean): UpdateOutcome | undefined {
  if (read.kind === 'stranger') return undefined
  if (read.kind === 'malformed') return { kind: 'unknown', why: `an answer that cannot be read: ${read.why}` }
  if (read.kind === 'tsig') return { ...read, mayBeDone: read.rcode === rcodes.noError }
  const { rcode } = read.message
  const isSigned = read.trust === 'signed'
  if (rcode === rcodes.noError) {
    if (isSigned || !mustBeSigned) return { kind: 'done' }
    return { kind: 'tsig', problem: 'answer-unsigned', skewSeconds: undefined, rcode, mayBeDone: true }
  }
  const prerequisite = prerequisiteRcodes.get(rcode)
  if (prerequisite) return { kind: 'prerequisite-failed', rcode: prerequisite, isSigned }
  return rcode === rcodes.notZone ? { kind: 'outside-zone', isSigned } : saidNo(rcode, isSigned)
}

const prerequisiteRcodes: ReadonlyMap<number, PrerequisiteRcode> = new Map([
  [rcodes.nxDomain, 'NXDOMAIN'],
  [rcodes.yxDomain, 'YXDOMAIN'],
  [rcodes.yxRrset, 'YXRRSET'],
  [rcodes.nxRrset, 'NXRRSET'],
])
