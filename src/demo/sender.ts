/**
 * The demo's sender: so many messages a second, each over a connection of its own, as if each came from somebody else. Like any mail server it
 * comes again with what was not taken, until it hears 250 (RFC 5321 §4.5.4.1, in a hurry).
 */
import type { Clock, Timer } from '../base/clock.ts'
import type { Door } from '../base/door.ts'
import type { IpAddress } from '../base/ip.ts'
import { type Mailbox as Address, parseMailbox } from '../mail/address.ts'
import { isPositive } from '../mail/reply.ts'
import { sendData } from '../smtp/client/data.ts'
import { sendEnvelope } from '../smtp/client/envelope.ts'
import { openSession } from '../smtp/client/open.ts'
import type { ClientSession } from '../smtp/client/session.ts'
import { shortSteps } from '../smtp/client/step-limits.ts'
import type { Ledger } from './ledger.ts'
import { type Letter, writeLetter } from './letter.ts'
import { Pauses } from './pauses.ts'

export interface Sender {
  start(): void
  /** No new messages. Resolves when each under way was taken, or at that time: what was not taken by then never was. @param withinMs  from now */
  stop(withinMs: number): Promise<void>
  /** Messages whose sender waits for an answer now. */
  readonly waiting: number
}

export interface SenderOptions {
  readonly to: { readonly address: IpAddress; readonly port: number }
  readonly domain: string
  /** Messages, 1–20. */
  readonly perSecond: number
  /** Names this run in its messages: lower-case hex. */
  readonly run: string
}

export interface SenderDeps {
  readonly clock: Clock
  readonly door: Door
  readonly ledger: Ledger
}

const mostAtOnce = 60
const againMs = 1_000
const openMs = 30_000
const answerMs = 120_000

export function createSender(options: SenderOptions, deps: SenderDeps): Sender {
  const { clock, ledger } = deps
  const everyMs = 1000 / options.perSecond
  const underWay = new Set<Promise<void>>()
  const sessions = new Set<ClientSession>()
  const pauses = new Pauses(clock)
  let nextMs = 0
  let timer: Timer | undefined
  let isStopped = false

  function tick(): void {
    const nowMs = clock.monotonicMs()
    // What a busy machine kept from being sent in time is not sent in a burst.
    if (nextMs < nowMs - 1_000) nextMs = nowMs
    while (nextMs <= nowMs) {
      nextMs += everyMs
      if (underWay.size < mostAtOnce) begin()
    }
    timer = clock.after(Math.max(1, nextMs - clock.monotonicMs()), tick)
  }

  function begin(): void {
    const id = ledger.next()
    if (id === undefined) return
    const sending = send(id).finally(() => underWay.delete(sending))
    underWay.add(sending)
  }

  async function send(id: number): Promise<void> {
    const letter = writeLetter(id, options.run, options.domain, clock.now())
    const beganMs = clock.monotonicMs()
    while (!(await isTaken(letter))) {
      ledger.turnedAway()
      if (isStopped) return
      await pauses.pause(againMs)
      if (isStopped) return
    }
    ledger.taken(id, clock.monotonicMs() - beganMs)
  }

  /** One try. */
  async function isTaken(letter: Letter): Promise<boolean> {
    const opening = deps.door.open('client', { kind: 'tcp', ...options.to })
    if (opening.kind === 'forbidden') return false
    const opened = await openSession(
      opening.socket,
      { protocol: 'smtp', hello: 'sender.example', tls: 'off', serverName: undefined },
      clock,
      clock.monotonicMs() + openMs,
    )
    if (opened.kind !== 'open') return false
    const { session } = opened
    sessions.add(session)
    try {
      return await handOver(session, letter, clock)
    } finally {
      sessions.delete(session)
      session.quit()
    }
  }

  return {
    start() {
      nextMs = clock.monotonicMs()
      tick()
    },
    async stop(withinMs) {
      isStopped = true
      timer?.cancel()
      pauses.endAll()
      const late = clock.after(withinMs, () => {
        for (const session of sessions) session.abandon()
      })
      await Promise.all(underWay)
      late.cancel()
    },
    get waiting() {
      return underWay.size
    },
  }
}

/** @returns whether the server has taken it */
async function handOver(session: ClientSession, { from, to, bytes }: Letter, clock: Clock): Promise<boolean> {
  const untilMs = clock.monotonicMs() + answerMs
  const limits = { steps: shortSteps, mailUntilMs: untilMs, bodyUntilMs: untilMs, untilMs }
  const envelope = {
    sender: addressOf(from),
    body: undefined,
    declaredSize: bytes.length,
    ret: undefined,
    envid: undefined,
  }
  const asked = await sendEnvelope(session, envelope, [addressOf(to)], limits)
  if (asked.kind !== 'answered' || asked.isClosing || !asked.replies.every(isPositive)) return false
  const content = { trace: Buffer.alloc(0), size: bytes.length, blocks: () => [bytes] }
  const sent = await sendData(session, content, 1, limits)
  return sent.kind === 'answered' && sent.step === 'dot' && sent.replies.every(isPositive)
}

function addressOf(text: string): Address {
  const parsed = parseMailbox(text)
  if (parsed.kind === 'invalid') throw new TypeError(`${text} ${parsed.why}`)
  return parsed.mailbox
}
