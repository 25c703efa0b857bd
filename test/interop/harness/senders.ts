/** Other people's senders: swaks and Nodemailer, each for one message, and what they were told. */
import { createTransport } from 'nodemailer'
import { run } from './program.ts'

export interface ForeignSending {
  readonly via: { readonly address: string; readonly port: number }
  readonly to: readonly string[]
  readonly from?: string
  /** The whole message, CRLF line ends. */
  readonly message: Buffer
  /** STARTTLS, which must succeed. */
  readonly tls?: boolean
}

export interface ForeignSent {
  /** Whether the sender believes that its message was taken for every recipient. */
  readonly isSent: boolean
  /** All that the sender printed or was told. */
  readonly dialogue: string
}

/** swaks (Debian): exit code 0 says that the message was taken. */
export async function swaks(sending: ForeignSending): Promise<ForeignSent> {
  const ran = await run(
    'swaks',
    [
      ...['--server', sending.via.address, '--port', String(sending.via.port)],
      ...['--helo', 'swaks.test', '--from', sending.from ?? 'someone@sender.test', '--to', sending.to.join(',')],
      ...(sending.tls ? ['--tls'] : []),
      // A megabyte of message is not worth printing; "-" reads it from standard input, as it is.
      ...['--data', '-', '--no-data-fixup', '--suppress-data', '--timeout', '60'],
    ],
    // swaks stuffs no dots and adds no end of its own with --no-data-fixup.
    { input: Buffer.from(`${stuff(sending.message.toString('latin1'))}.`, 'latin1'), timeoutMs: 120_000 },
  )
  return { isSent: ran.code === 0, dialogue: ran.stdout + ran.stderr }
}

const stuff = (message: string) => message.replace(/^\./, '..').replaceAll('\r\n.', '\r\n..')

export async function nodemailer(sending: ForeignSending): Promise<ForeignSent> {
  const transport = createTransport({
    host: sending.via.address,
    port: sending.via.port,
    name: 'nodemailer.test',
    ignoreTLS: !sending.tls,
    requireTLS: sending.tls ?? false,
    tls: { rejectUnauthorized: false },
  })
  try {
    const info = await transport.sendMail({
      envelope: { from: sending.from ?? 'someone@sender.test', to: [...sending.to] },
      raw: sending.message,
    })
    return { isSent: info.rejected.length === 0, dialogue: info.response }
  } catch (error) {
    return { isSent: false, dialogue: error instanceof Error ? error.message : String(error) }
  } finally {
    transport.close()
  }
}
