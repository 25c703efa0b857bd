/** What `waypost send` does once it knows what to send and where: sessions, messages, and what to tell. Called by `send.ts`. */
import type { IpAddress } from '../../base/ip.ts'
import { printable } from '../../base/printable.ts'
import type { Mailbox } from '../../mail/address.ts'
import type { Envelope } from '../../mail/message.ts'
import { isPositive, type Reply, replyText } from '../../mail/reply.ts'
import { sendData } from '../../smtp/client/data.ts'
import { sendEnvelope } from '../../smtp/client/envelope.ts'
import type { ClientFault } from '../../smtp/client/fault.ts'
import { openSession } from '../../smtp/client/open.ts'
import type { ClientSession } from '../../smtp/client/session.ts'
import { patientSteps } from '../../smtp/client/step-limits.ts'
import { type Composed, compose } from './compose.ts'
import type { SendIo } from './io.ts'
import type { SendOptions } from './options.ts'

/** What became of one message. `isOver`: the session cannot be used again. */
interface Outcome {
  readonly exit: 0 | 1 | 2
  readonly lines: readonly string[]
  readonly isOver: boolean
}

const openMs = 30_000
/** RFC 5321 §4.5.3.2. */
const recipientsMs = 30 * 60_000
const bodyMs = 30 * 60_000
const dotMs = 10 * 60_000

export async function sendAll(
  options: SendOptions,
  addresses: readonly IpAddress[],
  content: Buffer | undefined,
  io: SendIo,
): Promise<0 | 1 | 2> {
  const first = composeOne(options, content, io)
  if (first.kind === 'invalid') {
    io.err(`waypost: ${first.why}`)
    return 2
  }
  const tally = { sent: 0, left: options.count, worst: 0 as 0 | 1 | 2, isStopped: false }
  const beganMs = io.clock.monotonicMs()
  const tell = (outcome: Outcome) => {
    if (outcome.exit === 0) tally.sent++
    if (outcome.exit > tally.worst) tally.worst = outcome.exit
    if (options.count > 1 && outcome.exit === 0) return
    for (const line of outcome.lines) (outcome.exit === 2 ? io.err : io.out)(line)
  }
  const worker = async () => {
    let session: ClientSession | undefined
    while (tally.left > 0 && !tally.isStopped) {
      tally.left--
      const opened = session ?? (await connect(options, addresses, io))
      if (typeof opened === 'string') {
        // What cannot be reached once is not tried a thousand times.
        tally.left++
        if (!tally.isStopped) io.err(`waypost: ${opened}`)
        tally.isStopped = true
        tally.worst = 2
        return
      }
      session = opened
      const outcome = await sendOne(session, options, composeOne(options, content, io), io)
      tell(outcome)
      if (outcome.isOver) session.destroy()
      if (outcome.isOver) session = undefined
    }
    session?.quit()
  }
  await Promise.all(Array.from({ length: Math.min(options.concurrency, options.count) }, worker))
  if (options.count > 1) {
    const seconds = Math.max(0.001, (io.clock.monotonicMs() - beganMs) / 1000)
    io.out(
      `sent ${tally.sent} of ${options.count} messages in ${seconds.toFixed(1)} s, ${Math.round(tally.sent / seconds)} a second`,
    )
    if (tally.isStopped)
      io.err(
        `waypost: stopped with ${tally.left} not tried, because there was no new connection: what cannot be reached once is not tried again and again`,
      )
  }
  // Whoever named no server may have met another one than they think.
  if (tally.worst === 1) io.err(`waypost: refused by ${hostText(options.server.host)}:${options.server.port}`)
  return tally.worst
}

const hostText = (host: string) => (host.includes(':') ? `[${host}]` : host)

function composeOne(options: SendOptions, content: Buffer | undefined, io: SendIo): Composed {
  const { from, to, subject, helo } = options
  const id = `${Math.floor(io.clock.now()).toString(36)}.${io.random.bytes(9).toString('hex')}`
  return compose({
    from,
    to,
    subject,
    content,
    now: io.clock.now(),
    id,
    hostname: /^[\w.-]+$/.test(helo) ? helo : 'localhost',
  })
}

/** A session to the first address that gives one; in words, what went wrong where none does. */
async function connect(
  options: SendOptions,
  addresses: readonly IpAddress[],
  io: SendIo,
): Promise<ClientSession | string> {
  const { server, tls, helo, verbose } = options
  let why = ''
  for (const address of addresses) {
    const where = `${hostText(address)}:${server.port}`
    const opening = io.door.open('client', { kind: 'tcp', address, port: server.port })
    if (opening.kind === 'forbidden')
      throw new TypeError(`the door is closed for what a person asks for: ${opening.why}`)
    const opened = await openSession(
      opening.socket,
      {
        protocol: 'smtp',
        hello: helo,
        tls: tls ? 'require' : 'off',
        serverName: server.host,
        ...(verbose
          ? { dialogue: (side, line) => io.err(`${side === 'client' ? 'C' : 'S'}: ${printable(line)}`) }
          : {}),
      },
      io.clock,
      io.clock.monotonicMs() + openMs,
    )
    if (opened.kind === 'open') return opened.session
    why = whyNot(opened.fault, where)
  }
  return why
}

/** RFC 5321 §3.8: it closes the connection, and says nothing of the message. */
const fewer = '. It may take one later, or fewer at once (--concurrency).'

/** One line: what happened, and what to look at. */
function whyNot(fault: ClientFault, where: string): string {
  switch (fault.kind) {
    case 'refused':
      return `nothing listens on ${where}. Is the server running there? "waypost serve" starts a gateway, --server names another one.`
    case 'unreachable':
      return `${where} cannot be reached (${fault.detail}). Is the address right, and is the network up?`
    case 'timeout':
      return `${where} does not answer (${fault.step}). Is it an SMTP server, and does a firewall stand between?`
    case 'garbage':
      return `${where} does not speak SMTP (${fault.detail}). Is the port right? TLS from the first octet (465) is not tried here.`
    case 'rejected':
      return `${where} does not want to talk: ${fault.reply ? replyText(fault.reply) : fault.detail}${fault.reply?.code === 421 ? fewer : ''}`
    case 'tls':
      return `no TLS with ${where}: ${fault.detail}. Without --tls it is sent in clear.`
    default:
      return `${where} closed the connection (${fault.step}). Its log should say why.`
  }
}

async function sendOne(session: ClientSession, options: SendOptions, composed: Composed, io: SendIo): Promise<Outcome> {
  if (composed.kind === 'invalid') return { exit: 2, lines: [composed.why], isOver: false }
  const { bytes, has8bit } = composed
  const envelope: Envelope = {
    sender: options.from,
    body: has8bit ? '8BITMIME' : undefined,
    declaredSize: bytes.length,
    ret: undefined,
    envid: undefined,
  }
  const nowMs = io.clock.monotonicMs()
  const limits = { steps: patientSteps, mailUntilMs: nowMs + patientSteps.mailMs, untilMs: nowMs + recipientsMs }
  const asked = await sendEnvelope(session, envelope, options.to, limits)
  if (asked.kind === 'failed') return broken(asked.fault, 'the message was not sent')
  if (asked.kind === 'mail-refused') return refused([`${replyText(asked.reply)} (for the sender)`], true)

  const refusals = asked.replies.flatMap((reply, at) => (isPositive(reply) ? [] : [forOne(reply, options.to[at])]))
  const accepted = asked.replies.length - refusals.length
  if (accepted === 0 || asked.isClosing) {
    const isOver = asked.isClosing || !(await session.reset())
    return refused(refusals, isOver)
  }
  const began = io.clock.monotonicMs()
  const content = { trace: Buffer.alloc(0), size: bytes.length, blocks: () => [bytes] }
  const sent = await sendData(session, content, 1, {
    steps: patientSteps,
    bodyUntilMs: began + bodyMs,
    untilMs: began + bodyMs + dotMs,
  })
  if (sent.kind === 'lost') return broken(sent.fault, 'the message was not sent')
  if (sent.kind === 'unknown') return broken(sent.fault, 'whether the server took the message is unknown')
  const lines = [...refusals, ...sent.replies.map(replyText)]
  const isOver = sent.isClosing || (sent.step === 'data' && !(await session.reset()))
  return refusals.length === 0 && sent.replies.every(isPositive) ? { exit: 0, lines, isOver } : refused(lines, isOver)
}

const refused = (lines: readonly string[], isOver: boolean): Outcome => ({ exit: 1, lines, isOver })

const broken = (fault: ClientFault, what: string): Outcome => ({
  exit: 2,
  lines: [`waypost: ${what}: ${fault.detail} (${fault.step})`],
  isOver: true,
})

const forOne = (reply: Reply, recipient: Mailbox | undefined) =>
  `${replyText(reply)} (for ${recipient?.text ?? 'a recipient'})`
