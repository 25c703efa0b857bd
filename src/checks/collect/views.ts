/**
 * What the recursive resolver says, as `View`s, shared by all domains of a run: the same question is asked once while its answer lives.
 *
 * question → cached, or in progress? → each server in turn, over TCP where truncated → aliases that are not finished: ask on
 *         → SERVFAIL: once more with CD (RFC 4035 §3.2.2), which tells failed validation from broken servers; and all of it again after a
 *           pause, for a rate limit of the servers above the resolver is over in a moment
 */
import { type Clock, within } from '../../base/clock.ts'
import type { Message } from '../../dns/message.ts'
import { type Failure, type FailureReason, maxAliases, readAnswer } from '../../dns/read-answer.ts'
import { type NameServer, nameServerText, systemServers } from '../../dns/servers.ts'
import { type RecordType, rcodes, typeCodes } from '../../dns/types.ts'
import { foldName, type WireName } from '../../dns/wire-name.ts'
import type { ExtendedError, FailedView, View } from '../facts.ts'
import type { Exchange, Exchanged } from './exchange.ts'
import { createShared, keptKiB, type Sharing } from './shared.ts'

export interface Views {
  /**
   * @param mayAsk  called before each question that goes out; false ends the look-up as not examined
   * @param untilMs  on the monotonic clock
   */
  see(name: WireName, type: RecordType, mayAsk: () => boolean, untilMs: number): Promise<View>
  servers(): Promise<readonly NameServer[]>
}

export interface ViewOptions {
  /** Empty: those of this machine. */
  readonly resolvers: readonly NameServer[]
  readonly timeoutMs: number
  /** Between SERVFAIL and the second question. */
  readonly pauseMs: number
  /** Whether AD can be believed. */
  readonly believesAd: () => Promise<boolean>
}

/** An answer is kept no longer: a run over many domains takes minutes, and says when it looked. */
const keepMs = 300_000
/** RFC 9520 §3.2. */
const keepFailureMs = 5_000
const roomKiB = 50_000
const triesAServer = 2

export const viewSharing: Sharing<View> = {
  room: roomKiB,
  // One that gave up for want of budget or time did so for its own domain alone.
  keepMs: (view) => {
    if (view.kind === 'not-examined') return 0
    return view.kind === 'failed' ? keepFailureMs : Math.min(keepMs, Math.max(1, view.ttlSeconds) * 1000)
  },
  cost: (view) => ('bytes' in view ? keptKiB(view.bytes, view.kind === 'answer' ? view.records : []) : 1),
}

const overBudget: View = { kind: 'not-examined', reason: 'budget-spent', why: 'The time for this domain is over.' }

export function createViews(options: ViewOptions, exchange: Exchange, clock: Clock): Views {
  const shared = createShared<View>(viewSharing, clock)
  let known: Promise<readonly NameServer[]> | undefined

  /** False, at once, where the time of the domain would be over before it. */
  const pause = (pauseMs: number, untilMs: number) =>
    new Promise<boolean>((resolve) => {
      if (clock.monotonicMs() + pauseMs >= untilMs) resolve(false)
      else clock.after(pauseMs, () => resolve(true))
    })

  const servers = () => {
    known ??= options.resolvers.length > 0 ? Promise.resolve(options.resolvers) : systemServers()
    return known
  }

  const look = async (name: WireName, type: RecordType, mayAsk: () => boolean, untilMs: number): Promise<View> => {
    const list = await servers()
    const lookup = new Lookup({ exchange, clock, servers: list, timeoutMs: options.timeoutMs, mayAsk, untilMs })
    const first = await lookup.run(name, type)
    const isOver = first?.kind !== 'failed' || first.reason !== 'servfail' || !(await pause(options.pauseMs, untilMs))
    const view = isOver ? first : ((await lookup.run(name, type)) ?? first)
    if (!view) return overBudget
    if (view.kind === 'failed' || view.kind === 'not-examined') return view
    // Until it is known what AD is worth, it is worth nothing.
    const trust = (await within(options.believesAd(), untilMs, clock)) ? view.trust : 'untold'
    return { ...view, trust } satisfies View
  }

  return {
    servers,
    see: (name, type, mayAsk, untilMs) => shared(`${type} ${foldName(name)}`, () => look(name, type, mayAsk, untilMs)),
  }
}

interface LookupDeps {
  readonly exchange: Exchange
  readonly clock: Clock
  readonly servers: readonly NameServer[]
  readonly timeoutMs: number
  readonly mayAsk: () => boolean
  readonly untilMs: number
}

type Heard = Extract<Exchanged, { kind: 'response' }> & { readonly server: NameServer }

class Lookup {
  readonly #deps: LookupDeps
  readonly #startMs: number

  constructor(deps: LookupDeps) {
    this.#deps = deps
    this.#startMs = deps.clock.monotonicMs()
  }

  async run(name: WireName, type: RecordType): Promise<View | undefined> {
    const seen = new Set<string>()
    const aliases: WireName[] = []
    let isSecure = true
    let bytes = 0
    let ttlSeconds = Number.POSITIVE_INFINITY
    for (;;) {
      const at = aliases.at(-1) ?? name
      const heard = await this.#askServers(at, type)
      if (heard === undefined) return undefined
      if (heard.kind === 'failed') return this.#failed(name, aliases, heard, 'not-asked', [])
      const { message } = heard
      const reading = readAnswer(message, at, type, seen)
      if (reading.kind === 'failed') {
        const unchecked =
          message.rcode === rcodes.servFail ? await this.#unchecked(heard.server, name, type) : 'not-asked'
        const followed = [...aliases, ...aliasesBeforeFailure(message, at)]
        return this.#failed(name, followed, reading, unchecked, extendedErrorsOf(message))
      }
      for (const passed of [at, ...reading.aliases].slice(0, -1)) seen.add(foldName(passed))
      aliases.push(...reading.aliases)
      isSecure &&= message.authenticData
      bytes += heard.bytes
      ttlSeconds = Math.min(ttlSeconds, reading.ttlSeconds)
      if (reading.kind === 'unfinished') {
        if (aliases.length <= maxAliases) continue
        const why = `more than ${maxAliases} aliases`
        return this.#failed(name, aliases, { reason: 'cname-loop', why }, 'not-asked', [])
      }
      const answered = {
        name,
        aliases,
        canonicalName: aliases.at(-1) ?? name,
        trust: isSecure ? ('secure' as const) : ('insecure' as const),
        ttlSeconds,
        bytes,
        extendedErrors: extendedErrorsOf(message),
        tookMs: this.#took(),
      }
      if (reading.kind !== 'answer') return { kind: reading.kind, ...answered }
      // `readAnswer` takes records of the wanted type alone.
      return { kind: 'answer', ...answered, records: reading.records } as View
    }
  }

  /** The first good answer; else what a server said, for that tells more than the silence of another; else why there is none. */
  async #askServers(name: WireName, type: RecordType): Promise<Heard | Failure | undefined> {
    const { servers } = this.#deps
    let failure: Failure = { kind: 'failed', reason: 'unreachable', why: 'there is no name server to ask' }
    let refusal: Heard | undefined
    const hasSpoken = new Set<NameServer>()
    for (let round = 0; round < triesAServer; round++) {
      for (const server of servers) {
        if (hasSpoken.has(server)) continue
        const exchanged = await this.#askServer(server, name, type, false)
        if (exchanged === undefined) return refusal
        if (exchanged.kind !== 'response') {
          failure = failureOf(server, exchanged)
          continue
        }
        hasSpoken.add(server)
        const heard = { ...exchanged, server }
        if (heard.message.rcode === rcodes.noError || heard.message.rcode === rcodes.nxDomain) return heard
        refusal ??= heard
      }
    }
    return refusal ?? failure
  }

  async #askServer(
    server: NameServer,
    name: WireName,
    type: RecordType,
    checkingDisabled: boolean,
  ): Promise<Exchanged | undefined> {
    const { exchange, mayAsk } = this.#deps
    const question = {
      name,
      type: typeCodes[type],
      over: 'udp',
      edns: true,
      recursion: true,
      checkingDisabled,
    } as const
    if (!mayAsk()) return undefined
    const udp = await exchange.ask(server, question, this.#timeoutMs())
    if (udp.kind !== 'response' || !udp.message.truncated) return udp
    if (!mayAsk()) return undefined
    return exchange.ask(server, { ...question, over: 'tcp' }, this.#timeoutMs())
  }

  async #unchecked(server: NameServer, name: WireName, type: RecordType): Promise<FailedView['unchecked']> {
    const exchanged = await this.#askServer(server, name, type, true)
    if (exchanged?.kind !== 'response') return 'failed'
    const { kind } = readAnswer(exchanged.message, name, type)
    return kind === 'unfinished' ? 'answer' : kind
  }

  #failed(
    name: WireName,
    aliases: readonly WireName[],
    { reason, why }: { readonly reason: FailureReason; readonly why: string },
    unchecked: FailedView['unchecked'],
    extendedErrors: readonly ExtendedError[],
  ): FailedView {
    return { kind: 'failed', name, aliases, reason, why, unchecked, extendedErrors, tookMs: this.#took() }
  }

  #took = () => this.#deps.clock.monotonicMs() - this.#startMs

  #timeoutMs = () => Math.max(1, Math.min(this.#deps.timeoutMs, this.#deps.untilMs - this.#deps.clock.monotonicMs()))
}

function failureOf(server: NameServer, exchanged: Exclude<Exchanged, { kind: 'response' }>): Failure {
  const isSilent = exchanged.kind === 'timeout' || exchanged.kind === 'unsent'
  const [reason, why] = isSilent ? (['timeout', 'no answer'] as const) : ([exchanged.kind, exchanged.why] as const)
  return { kind: 'failed', reason, why: `${nameServerText(server)}: ${why}` }
}

/** How far the aliases of a message go that cannot be read to the end. */
function aliasesBeforeFailure(message: Message, name: WireName): WireName[] {
  const found: WireName[] = []
  const seen = new Set([foldName(name)])
  for (let at = name; found.length <= maxAliases; ) {
    const cname = message.answers.find(
      ({ name: owner, data }) => data.type === 'CNAME' && foldName(owner) === foldName(at),
    )
    if (cname?.data.type !== 'CNAME') break
    at = cname.data.target
    found.push(at)
    if (seen.has(foldName(at))) break
    seen.add(foldName(at))
  }
  return found
}

/** RFC 8914 §2. */
const extendedErrorOption = 15
/** Servers say one or two; thousands fit into an answer, and are kept with it. */
const mostExtendedErrors = 20

export function extendedErrorsOf(message: Message): readonly ExtendedError[] {
  return (message.edns?.options ?? [])
    .filter(({ code, data }) => code === extendedErrorOption && data.length >= 2)
    .slice(0, mostExtendedErrors)
    .map(({ data }) => ({ code: data.readUInt16BE(0), text: data.subarray(2) }))
}
