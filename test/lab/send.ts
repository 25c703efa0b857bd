/**
 * The simple sender: one message in one connection, and the reply that decided. Used as `lab.send()`.
 */
import { Dialogue, type HeardReply } from './dialogue.ts'

export interface Sending {
  readonly to: string | readonly string[]
  /** Default `someone@sender.test`; empty is the null sender. */
  readonly from?: string
  /** A line or more of text, to which headers are added. Default `hello`. */
  readonly body?: string
  /** The whole message instead, headers and all, as octets with CRLF line ends; dots are stuffed on the way. */
  readonly message?: Uint8Array | string
  /** Behind the address in MAIL, such as `BODY=8BITMIME`. */
  readonly mailParameters?: string
  readonly hello?: string
  /** STARTTLS first. */
  readonly tls?: boolean
  /** MAIL, every RCPT and DATA in one write. Default false: lockstep. */
  readonly pipelined?: boolean
  readonly source?: string
  readonly waitMs?: number
  /** Where to; default the gateway that the lab started last. */
  readonly via?: { readonly address: string; readonly port: number }
}

export interface Sent {
  /**
   * What the sender was told in the end: the reply to the dot, or the one that ended it before (greeting, MAIL, the last RCPT where
   * none was accepted, DATA). 0 where the connection ended without a word.
   */
  readonly code: number
  readonly enhanced: string | undefined
  readonly text: string
  /** The reply to each RCPT, in order. */
  readonly recipients: readonly HeardReply[]
  /** The step whose reply that was. */
  readonly step: 'greeting' | 'hello' | 'mail' | 'rcpt' | 'data' | 'dot'
  readonly transcript: readonly string[]
}

/** @returns what the sender was told; rejects where it cannot connect or nothing comes in time */
export async function sendMessage(via: { address: string; port: number }, sending: Sending): Promise<Sent> {
  const { source, waitMs } = sending
  const dialogue = await Dialogue.open({
    address: via.address,
    port: via.port,
    ...(source === undefined ? {} : { source }),
    ...(waitMs === undefined ? {} : { waitMs }),
  })
  try {
    return await converse(dialogue, sending)
  } finally {
    dialogue.destroy()
  }
}

async function converse(dialogue: Dialogue, sending: Sending): Promise<Sent> {
  const recipients: HeardReply[] = []
  const ending = (step: Sent['step'], heard: HeardReply | undefined): Sent => ({
    code: heard?.code ?? 0,
    enhanced: heard?.enhanced,
    text: heard?.text ?? `the connection was ${dialogue.ended}`,
    recipients,
    step,
    transcript: dialogue.transcript,
  })
  const greeting = await dialogue.nextReply()
  if (greeting?.code !== 220) return ending('greeting', greeting)
  const hello = `EHLO ${sending.hello ?? 'sender.test'}`
  const offered = await say(dialogue, hello)
  if (offered?.code !== 250) return ending('hello', offered)
  if (sending.tls) {
    await dialogue.startTls()
    await dialogue.command(hello, 250)
  }
  const lines = envelopeOf(sending)
  if (sending.pipelined) await dialogue.write(lines.map((line) => `${line}\r\n`).join(''))
  const ask = (line: string) => (sending.pipelined ? dialogue.nextReply() : say(dialogue, line))
  for (const line of lines) {
    const step = stepOf(line)
    // In lockstep nobody asks for DATA where no recipient was accepted.
    if (step === 'data' && !sending.pipelined && !recipients.some((heard) => heard.code === 250))
      return ending('rcpt', recipients.at(-1))
    const heard = await ask(line)
    if (step === 'rcpt' && heard) recipients.push(heard)
    const isFatal = heard === undefined || heard.code === 421 || (step !== 'rcpt' && heard.code >= 400)
    if (isFatal) return step === 'data' && heard?.code === 503 ? ending('rcpt', recipients.at(-1)) : ending(step, heard)
  }
  await dialogue.write(stuffed(messageOf(sending)))
  const verdict = await dialogue.nextReply()
  if (verdict) await say(dialogue, 'QUIT')
  return ending('dot', verdict)
}

async function say(dialogue: Dialogue, line: string): Promise<HeardReply | undefined> {
  await dialogue.write(`${line}\r\n`)
  return dialogue.nextReply()
}

function envelopeOf(sending: Sending): readonly string[] {
  const parameters = sending.mailParameters ? ` ${sending.mailParameters}` : ''
  const to = typeof sending.to === 'string' ? [sending.to] : sending.to
  return [
    `MAIL FROM:<${sending.from ?? 'someone@sender.test'}>${parameters}`,
    ...to.map((recipient) => `RCPT TO:<${recipient}>`),
    'DATA',
  ]
}

const stepOf = (line: string) => (line.startsWith('MAIL') ? 'mail' : line.startsWith('RCPT') ? 'rcpt' : 'data')

/** The message that `lab.send` sends: what the backend must have behind our trace line. */
export function messageOf(sending: Pick<Sending, 'to' | 'from' | 'body' | 'message'>): Buffer {
  if (typeof sending.message === 'string') return Buffer.from(sending.message, 'latin1')
  if (sending.message) return Buffer.from(sending.message)
  const to = typeof sending.to === 'string' ? sending.to : (sending.to[0] ?? '')
  const text = (sending.body ?? 'hello').replace(/\r?\n/g, '\r\n')
  const from = sending.from ?? 'someone@sender.test'
  return Buffer.from(`From: <${from}>\r\nTo: <${to}>\r\nSubject: test\r\n\r\n${text}\r\n`, 'latin1')
}

/** RFC 5321 §4.5.2: the octets that stand between 354 and the verdict, dots stuffed and the last dot added. */
export function stuffed(message: Buffer): Buffer {
  const parts: Buffer[] = message[0] === 0x2e ? [Buffer.from('.')] : []
  let from = 0
  for (let at = message.indexOf('\r\n.'); at >= 0; at = message.indexOf('\r\n.', at + 3)) {
    parts.push(message.subarray(from, at + 3), Buffer.from('.'))
    from = at + 3
  }
  parts.push(message.subarray(from))
  const isEnded = message.length === 0 || message.subarray(-2).equals(Buffer.from('\r\n'))
  parts.push(Buffer.from(isEnded ? '.\r\n' : '\r\n.\r\n'))
  return Buffer.concat(parts)
}
