/**
 * One polite session with an exchanger, up to RCPT and never DATA, told as facts: greeting, EHLO, STARTTLS with the chain that was sent,
 * and what it answers to recipients. Called by `checks`, one session at a time with a host.
 *
 * connect → greeting (waited for whole) → EHLO, else HELO → MAIL in the clear, RSET → STARTTLS → EHLO again (RFC 3207 §4.2)
 *   → each recipient in a transaction of its own → QUIT, and its answer waited for
 * then, where they are wanted, more handshakes, each on a connection of its own
 */
import type { Clock } from '../base/clock.ts'
import type { Door } from '../base/door.ts'
import { type IpAddress, parseIp } from '../base/ip.ts'
import { describePeer, failedSide } from '../base/tls-peer.ts'
import type { HostName } from '../mail/address.ts'
import { isPositive, isTransient } from '../mail/reply.ts'
import type { ClientStep } from './client/fault.ts'
import { awaitConnection, secureSession, serverNameOption, type TlsOptions } from './client/open.ts'
import { ClientSession } from './client/session.ts'
import {
  type AskedRecipient,
  type Connected,
  type ExtraHandshake,
  type Handshake,
  type HandshakeOffer,
  keywordsOf,
  type NotSaid,
  type NotSaidReason,
  type ProbedSession,
  type RecipientPurpose,
  type Said,
} from './probe-facts.ts'
import { Connection } from './wire/connection.ts'

export interface WantedRecipient {
  readonly purpose: RecipientPurpose
  /** What stands between `<` and `>`: printable ASCII without blanks. */
  readonly address: string
  /** `null`: `MAIL FROM:<>`. */
  readonly sender: string | null
}

export interface ProbeOptions {
  readonly address: IpAddress
  readonly port: number
  /** What we call ourselves: our own resolvable name, or an address literal (RFC 5321 §4.1.1.1). */
  readonly hello: string
  /** SNI: the name in the MX record (RFC 8461 §7.1), or the TLSA base domain (RFC 7672 §8.1). */
  readonly serverName: HostName | undefined
  readonly recipients: readonly WantedRecipient[]
  readonly extras: readonly ExtraHandshake['purpose'][]
  /** Asks whether a command in one packet with STARTTLS is answered under TLS, on a connection of its own. */
  readonly injects: boolean
  readonly isPrivate: boolean
  readonly limits?: Partial<ProbeLimits>
  /**
   * What stands behind a NOOP ahead of the transactions, where the server whose greeting has this name is to know who asks; printable
   * ASCII without blanks. Undefined: there is no NOOP.
   */
  readonly introduce?: ((greetedBy: string) => Promise<string | undefined>) | undefined
}

/** Milliseconds, each for one whole step. Senders are told to wait longer (RFC 5321 §4.5.3.2); a check has a person waiting. */
export interface ProbeLimits {
  readonly connectMs: number
  readonly greetingMs: number
  readonly commandMs: number
  readonly handshakeMs: number
  /** All of one connection. */
  readonly sessionMs: number
  /** Between connections to one address. */
  readonly pauseMs: number
}

export const probeLimits: ProbeLimits = {
  connectMs: 10_000,
  greetingMs: 60_000,
  commandMs: 30_000,
  handshakeMs: 20_000,
  sessionMs: 120_000,
  pauseMs: 1_000,
}

export interface ProbeDeps {
  readonly clock: Clock
  readonly door: Door
  /** Whether one more connection may be opened; asked once for each. */
  readonly mayConnect: () => boolean
}

export async function probe(options: ProbeOptions, deps: ProbeDeps): Promise<ProbedSession> {
  const startedAtMs = deps.clock.now()
  const startMs = deps.clock.monotonicMs()
  const main = await mainSession(options, deps)
  const extras: ExtraHandshake[] = []
  for (const purpose of extrasFor(options, main.handshake))
    extras.push(await extraHandshake(purpose, main, options, deps))
  const injected = await tryInjection(main, options, deps)
  const { address, port, hello } = options
  return { address, port, hello, startedAtMs, tookMs: deps.clock.monotonicMs() - startMs, ...main, injected, extras }
}

type MainSession = Omit<ProbedSession, 'address' | 'port' | 'hello' | 'startedAtMs' | 'tookMs' | 'injected' | 'extras'>

const nothingSaid = (why: NotSaid): Omit<MainSession, 'connect'> => ({
  greeting: why,
  ehlo: why,
  helo: why,
  mailInClear: why,
  startTls: why,
  handshake: why,
  ehloInTls: why,
  mailFromNull: why,
  recipients: [],
  quit: why,
})

async function mainSession(options: ProbeOptions, deps: ProbeDeps): Promise<MainSession> {
  const { talk, connect } = await dial(options, deps)
  if (!talk) return { connect, ...nothingSaid(notSaid('not-reached', 'There was no connection.')) }
  const greeting = await talk.hear('greeting', talk.limits.greetingMs)
  if (!isReady(greeting)) {
    // RFC 5321 §3.1: whoever is greeted by a 554 waits for nothing more than the answer to QUIT.
    const why = stopReason(greeting, 'The greeting was no 220.')
    return { connect, ...nothingSaid(why), greeting, quit: await talk.quit() }
  }
  const ehlo = await talk.say('hello', `EHLO ${options.hello}`)
  const isRefused = ehlo.kind === 'reply' && !isPositive(ehlo.reply)
  const helo = isRefused
    ? await talk.say('hello', `HELO ${options.hello}`)
    : notSaid('not-reached', 'EHLO was accepted, or not answered.')
  const isGreeted = isOk(ehlo) || isOk(helo)
  if (!isGreeted) {
    const why = stopReason(isRefused ? helo : ehlo, 'It was not possible to say hello.')
    return { connect, ...nothingSaid(why), greeting, ehlo, helo, quit: await talk.quit() }
  }
  const tls = await secure(talk, options, ehlo)
  await introduce(talk, options, greeting)
  const rest = await transactions(talk, options)
  return { connect, greeting, ehlo, helo, ...tls, ...rest, quit: await talk.quit() }
}

async function introduce(talk: Talk, options: ProbeOptions, greeting: Said): Promise<void> {
  if (!options.introduce || greeting.kind !== 'reply') return
  const [name = ''] = greeting.reply.text[0]?.split(' ') ?? []
  const word = await options.introduce(name)
  if (word !== undefined) await talk.say('noop', `NOOP ${safePath(word)}`)
}

async function secure(talk: Talk, options: ProbeOptions, ehlo: Said) {
  if (!keywordsOf(ehlo).has('STARTTLS')) {
    const why = notSaid('not-reached', 'STARTTLS is not offered.')
    return { mailInClear: why, startTls: why, handshake: why, ehloInTls: why }
  }
  const mailInClear = await talk.say('mail', 'MAIL FROM:<>')
  if (isOk(mailInClear)) await talk.say('rset', 'RSET')
  const startTls = await talk.say('starttls', 'STARTTLS')
  if (!isReady(startTls)) {
    const why = stopReason(startTls, 'STARTTLS was refused.')
    return { mailInClear, startTls, handshake: why, ehloInTls: why }
  }
  const handshake = await talk.secure(offerOf(options.serverName))
  const ehloInTls = await talk.say('hello', `EHLO ${options.hello}`)
  return { mailInClear, startTls, handshake, ehloInTls }
}

async function transactions(talk: Talk, options: ProbeOptions) {
  const mailFromNull = await talk.say('mail', 'MAIL FROM:<>')
  if (isOk(mailFromNull)) await talk.say('rset', 'RSET')
  const recipients: AskedRecipient[] = []
  for (const { purpose, address, sender } of options.recipients) {
    const mail = await talk.say('mail', `MAIL FROM:<${safePath(sender ?? '')}>`)
    const said = isOk(mail)
      ? await talk.say('rcpt', `RCPT TO:<${safePath(address)}>`)
      : stopReason(mail, 'MAIL was not accepted.')
    if (isOk(mail)) await talk.say('rset', 'RSET')
    recipients.push({ purpose, address, sender, mail, said })
  }
  return { mailFromNull, recipients }
}

/** A path is ours or was parsed; one that would end a line early is a bug. */
function safePath(path: string): string {
  if (!/^[\x21-\x7e]*$/.test(path) || /[<>]/.test(path)) throw new TypeError('a path with characters that none has')
  return path
}

/** A handshake that failed is tried again in the two ways that name the cause, whatever was wanted. */
function extrasFor({ extras }: ProbeOptions, first: Handshake): readonly ExtraHandshake['purpose'][] {
  return first.kind === 'failed' ? [...new Set([...extras, 'without-sni', 'old-tls'] as const)] : extras
}

async function extraHandshake(
  purpose: ExtraHandshake['purpose'],
  main: MainSession,
  options: ProbeOptions,
  deps: ProbeDeps,
): Promise<ExtraHandshake> {
  const skipped = whyNoExtra(main)
  const offer = extraOffer(purpose, main.handshake, options.serverName)
  if (skipped || !offer) {
    const why = skipped ?? notSaid('not-reached', 'The kind of key is not known.')
    return { purpose, connect: why, handshake: why }
  }
  const ready = await dialToStartTls(options, deps)
  if (ready.kind === 'not-ready') return { purpose, connect: ready.connect, handshake: ready.why }
  const handshake = await ready.talk.secure(offer)
  await ready.talk.quit()
  return { purpose, connect: ready.connect, handshake }
}

/** A host that asked for patience is left in peace, and one that does not do STARTTLS has nothing to show. */
function whyNoExtra(main: MainSession): NotSaid | undefined {
  const steps = [main.greeting, main.ehlo, main.startTls, main.mailFromNull, main.quit]
  if (steps.some((said) => said.kind === 'reply' && isWaiting(said)))
    return notSaid('told-to-wait', 'The server has asked for patience.')
  return isReady(main.startTls) ? undefined : notSaid('not-reached', 'STARTTLS did not come about.')
}

function extraOffer(
  purpose: ExtraHandshake['purpose'],
  first: Handshake,
  serverName: HostName | undefined,
): HandshakeOffer | undefined {
  const usual = offerOf(serverName)
  switch (purpose) {
    case 'without-sni':
      return { ...usual, serverName: undefined }
    case 'tls-1.2':
      return { ...usual, maxVersion: 'TLSv1.2' }
    case 'old-tls':
      return { ...usual, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' }
    case 'other-key': {
      if (first.kind !== 'secured' || first.leafKey === 'other') return undefined
      return { ...usual, keys: first.leafKey === 'rsa' ? 'ecdsa' : 'rsa' }
    }
  }
}

const offerOf = (serverName: HostName | undefined): HandshakeOffer => ({
  serverName,
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  keys: 'any',
})

/** RFC 3207 §4.2: what came in the clear behind STARTTLS must be thrown away. */
async function tryInjection(
  main: MainSession,
  options: ProbeOptions,
  deps: ProbeDeps,
): Promise<ProbedSession['injected']> {
  if (!options.injects) return notSaid('not-wanted', 'It is asked on demand alone.')
  const skipped = whyNoExtra(main)
  if (skipped) return skipped
  const ready = await dialToStartTls(options, deps, 'STARTTLS\r\nNOOP')
  if (ready.kind === 'not-ready') return ready.why
  const { talk } = ready
  const handshake = await talk.secure(offerOf(options.serverName))
  if (handshake.kind !== 'secured') return notSaid('not-reached', 'The handshake did not succeed.')
  const answer = await talk.hear('hello', Math.min(3_000, talk.limits.commandMs))
  await talk.quit()
  return { kind: answer.kind === 'reply' ? 'answered' : 'ignored' }
}

/** `ready`: STARTTLS was answered by 220, and the handshake is due. */
type ReadyForTls =
  | { readonly kind: 'ready'; readonly talk: Talk; readonly connect: Connected }
  | { readonly kind: 'not-ready'; readonly connect: Connected; readonly why: NotSaid }

/** A new connection, up to the 220 to STARTTLS. */
async function dialToStartTls(options: ProbeOptions, deps: ProbeDeps, command = 'STARTTLS'): Promise<ReadyForTls> {
  const { pauseMs } = { ...probeLimits, ...options.limits }
  await new Promise<void>((resolve) => deps.clock.after(pauseMs, resolve))
  const { talk, connect } = await dial(options, deps)
  if (!talk) return { kind: 'not-ready', connect, why: notSaid('not-reached', 'There was no connection.') }
  const greeting = await talk.hear('greeting', talk.limits.greetingMs)
  const ehlo = isReady(greeting) ? await talk.say('hello', `EHLO ${options.hello}`) : greeting
  const startTls = isOk(ehlo) && isReady(greeting) ? await talk.say('starttls', command) : ehlo
  if (isReady(startTls) && isOk(ehlo)) return { kind: 'ready', talk, connect }
  await talk.quit()
  return { kind: 'not-ready', connect, why: stopReason(startTls, 'STARTTLS was not reached on this connection.') }
}

async function dial(
  options: ProbeOptions,
  deps: ProbeDeps,
): Promise<{ readonly talk: Talk | undefined; readonly connect: Connected }> {
  const { address, port, isPrivate } = options
  if (!deps.mayConnect()) {
    return { talk: undefined, connect: notSaid('budget-spent', 'The connections of this domain are spent.') }
  }
  const opening = deps.door.open('check', { kind: 'tcp', address, port }, isPrivate)
  if (opening.kind === 'forbidden') return { talk: undefined, connect: { kind: 'forbidden', why: opening.why } }
  const { clock } = deps
  const { socket } = opening
  const session = new ClientSession('smtp', new Connection(socket, clock), clock, undefined)
  const talk = new Talk(session, { ...probeLimits, ...options.limits })
  const startMs = clock.monotonicMs()
  const failed = await awaitConnection(session, socket, socket, startMs + talk.limits.connectMs)
  const tookMs = clock.monotonicMs() - startMs
  if (failed) return { talk: undefined, connect: { kind: 'failed', fault: failed.fault, tookMs } }
  return { talk, connect: { kind: 'connected', tookMs, localAddress: parseIp(socket.localAddress ?? '') } }
}

/** One connection: says, hears, and after its end says nothing more. */
class Talk {
  readonly limits: ProbeLimits
  readonly #session: ClientSession
  readonly #untilMs: number
  /** Why nothing more is said. */
  #over: NotSaid | undefined

  constructor(session: ClientSession, limits: ProbeLimits) {
    this.#session = session
    this.limits = limits
    this.#untilMs = session.clock.monotonicMs() + limits.sessionMs
  }

  async say(step: ClientStep, command: string): Promise<Said> {
    if (this.#over) return this.#over
    // A server that talks unasked would have each of its words taken for the answer to another command.
    const unasked = await this.#session.unasked(step)
    if (unasked) return this.#took(unasked, 0)
    this.#session.send(`${command}\r\n`)
    return this.hear(step, this.limits.commandMs)
  }

  async hear(step: ClientStep, limitMs: number): Promise<Said> {
    if (this.#over) return this.#over
    const { clock } = this.#session
    const startMs = clock.monotonicMs()
    const answer = await this.#session.reply(step, Math.min(startMs + limitMs, this.#untilMs))
    return this.#took(answer, clock.monotonicMs() - startMs)
  }

  async secure(offer: HandshakeOffer): Promise<Handshake> {
    if (this.#over) return this.#over
    const { clock } = this.#session
    const startMs = clock.monotonicMs()
    const untilMs = Math.min(startMs + this.limits.handshakeMs, this.#untilMs)
    const securing = await secureSession(this.#session, tlsOptions(offer), untilMs)
    const tookMs = clock.monotonicMs() - startMs
    if (securing.kind === 'secured') return { kind: 'secured', offer, tookMs, ...describePeer(securing.socket) }
    this.#over = notSaid('not-reached', 'The TLS handshake failed.')
    const { why, code } = securing
    const side = why === 'timeout' ? 'timeout' : failedSide(code)
    return { kind: 'failed', offer, side, detail: securing.failed.fault.detail, tookMs }
  }

  /** Some servers count a connection that goes without a word as abuse, so the answer is waited for. */
  async quit(): Promise<Said> {
    const said = await this.say('quit', 'QUIT')
    this.#session.destroy()
    return said
  }

  #took(answer: Awaited<ReturnType<ClientSession['reply']>>, tookMs: number): Said {
    if (answer.kind === 'failed') {
      this.#over = notSaid('not-reached', `The session ended before: ${answer.fault.detail}.`)
      return { kind: 'failed', fault: answer.fault, tookMs }
    }
    // RFC 5321 §3.8: whoever says 421 closes.
    if (answer.reply.code === 421) this.#over = notSaid('told-to-wait', 'The server said 421 and closes.')
    return { kind: 'reply', reply: answer.reply, tookMs }
  }
}

function tlsOptions(offer: HandshakeOffer): TlsOptions {
  // No roots of our own: what is not sent must not be seen. Security level 0, because this looks at the server, and our library's
  // opinion of its keys would hide them.
  const usual = { rejectUnauthorized: false, ca: [], ciphers: 'DEFAULT:@SECLEVEL=0' }
  const { serverName, minVersion, maxVersion, keys } = offer
  return {
    ...usual,
    minVersion,
    maxVersion,
    ...serverNameOption(serverName),
    ...(keys === 'any' ? {} : { sigalgs: signatureAlgorithms[keys] }),
  }
}

const signatureAlgorithms = {
  rsa: 'rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:RSA+SHA256:RSA+SHA384:RSA+SHA512',
  ecdsa: 'ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512',
}

const notSaid = (reason: NotSaidReason, why: string): NotSaid => ({ kind: 'not-said', reason, why })

/** What the steps behind this one say, which are not taken because of it. */
function stopReason(said: Said, why: string): NotSaid {
  if (said.kind === 'not-said') return said
  return notSaid(isWaiting(said) ? 'told-to-wait' : 'not-reached', why)
}

const isOk = (said: Said) => said.kind === 'reply' && isPositive(said.reply)
const isReady = (said: Said) => said.kind === 'reply' && said.reply.code === 220
const isWaiting = (said: Said) => said.kind === 'reply' && isTransient(said.reply)
