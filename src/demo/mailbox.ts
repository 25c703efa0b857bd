/**
 * A mail server with toy mailboxes, one of the demo's backends: the real SMTP server with a handler that counts what arrives and keeps nothing of
 * it. It can be slow, and it can be killed: then nothing listens on its port, until it is revived there.
 */
import type { Clock } from '../base/clock.ts'
import { type IpAddress, parseIp } from '../base/ip.ts'
import type { Log } from '../base/log.ts'
import { reply } from '../mail/reply.ts'
import type { BodySink, SessionHandler } from '../smtp/server/handler.ts'
import { createSmtpServer, type SmtpServerOptions } from '../smtp/server/server.ts'
import { people } from './letter.ts'
import { Pauses } from './pauses.ts'

export interface Mailbox {
  /** 1, 2, 3: the key that kills it. */
  readonly number: number
  readonly place: { readonly address: IpAddress; readonly port: number }
  readonly isDead: boolean
  /** How long it takes over each message before it answers. */
  readonly tookMs: number
  readonly isSlow: boolean
  /** Messages that it has stored. */
  readonly received: number
  /** What it is busy with is stored at once and answered; then every connection ends, and none is taken any more. */
  kill(): Promise<void>
  /** Listens again at its place. Rejects with the system's error where somebody else does meanwhile (EADDRINUSE). */
  revive(): Promise<void>
  /** @param tookMs  undefined: as quick as it was made */
  slow(tookMs: number | undefined): void
  /** The end. */
  stop(): Promise<void>
}

export interface MailboxOptions {
  readonly number: number
  readonly domain: string
  /** How long it usually takes over a message. */
  readonly usualMs: number
}

export interface MailboxDeps {
  readonly clock: Clock
  readonly log: Log
  /** A message is stored: how it begins, as latin1. */
  readonly stored: (head: string, mailbox: Mailbox) => void
}

const home = parseIp('127.0.0.1') as IpAddress
const headOctets = 4096
/** For sessions to end by themselves: their answers are on their way. */
const graceMs = 1_000

/** Resolves when it listens. */
export async function startMailbox(options: MailboxOptions, deps: MailboxDeps): Promise<Mailbox> {
  const { number, domain, usualMs } = options
  const { clock, log } = deps
  const working = new Pauses(clock)
  let tookMs = usualMs
  let isDead = false
  let received = 0
  /** Killing and reviving take their turns. */
  let turn: Promise<void> = Promise.resolve()

  const server = createSmtpServer(
    serverOptions(`backend${number}.${domain}`, () => handler()),
    { clock, log },
  )
  const place = await server.listen(home, 0)

  const handler = (): SessionHandler => ({
    mail: () => reply(250, '2.1.0', 'Sender OK'),
    rcpt: async (recipients) =>
      recipients.map(({ localPart }) => (isHere(localPart) ? reply(250, '2.1.5', 'Recipient OK') : noSuchPerson)),
    recipientsAtOnce: () => 100,
    data: () => sink(),
    reset() {},
    closed() {},
  })

  function sink(): BodySink {
    let head = ''
    return {
      write(chunk) {
        if (head.length < headOctets) head += chunk.toString('latin1', 0, headOctets - head.length)
      },
      async end() {
        if (!isDead && tookMs > 0) await working.pause(tookMs)
        received++
        deps.stored(head, mailbox)
        return reply(250, '2.0.0', `Stored at backend ${number}`)
      },
      abort() {},
    }
  }

  function inTurn(work: () => Promise<void>): Promise<void> {
    const next = turn.then(work)
    turn = next.catch(() => undefined)
    return next
  }

  const close = async () => {
    isDead = true
    // Behind a dot without an answer nobody knows what became of the message: such an accident is not this story's.
    working.endAll()
    await server.close(graceMs)
  }

  const mailbox: Mailbox = {
    number,
    place,
    get isDead() {
      return isDead
    },
    get tookMs() {
      return tookMs
    },
    get isSlow() {
      return tookMs > usualMs
    },
    get received() {
      return received
    },
    kill: () => inTurn(close),
    revive: () =>
      inTurn(async () => {
        if (!isDead) return
        await server.listen(place.address, place.port)
        isDead = false
      }),
    slow(ms) {
      tookMs = ms ?? usualMs
      if (ms === undefined) working.endAll()
    },
    stop: () => inTurn(close),
  }
  return mailbox
}

const isHere = (localPart: string) => people.some((person) => person === localPart.toLowerCase())
const noSuchPerson = reply(550, '5.1.1', `No such person here; there are ${people.join(', ')}`)

function serverOptions(hostname: string, handler: () => SessionHandler): SmtpServerOptions {
  return {
    hostname,
    tls: () => undefined,
    bareNewline: 'reject',
    dsn: false,
    onConnect: () => ({ kind: 'handler', handler: handler() }),
    limits: {
      messageBytes: 10 * 1024 * 1024,
      recipients: 100,
      hops: 100,
      errors: 20,
      idleCommands: 1_000,
      minimumRate: 500,
    },
    budgets: {
      commandMs: 300_000,
      firstMailMs: 300_000,
      connectionMs: 86_400_000,
      blockMs: 60_000,
      messageMs: 300_000,
      handshakeMs: 30_000,
    },
  }
}
