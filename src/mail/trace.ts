/**
 * What we write about a message: its id, and the one `Received:` line that we put in front of it (RFC 5321 §4.4).
 */
import type { Random } from '../base/random.ts'
import { literalText } from './address.ts'
import type { Client } from './message.ts'

/** Crockford's base 32: no letters that people take for digits. */
const digits = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

export interface MessageIds {
  /** 26 characters: 10 of time in milliseconds, 16 of chance; later ones sort behind earlier ones. */
  next(nowMs: number): string
}

/** Chance is drawn, and made digits of, 4 KiB at a time: for ten octets it would cost as much as for thousands. */
export function createMessageIds(random: Random): MessageIds {
  let pool: Buffer = Buffer.alloc(0)
  let used = 0
  let lastMs = -1
  let lastText = ''
  return {
    next(nowMs) {
      if (used + 16 > pool.length) {
        pool = random.bytes(4096).map((octet) => digits.charCodeAt(octet & 31)) as Buffer
        used = 0
      }
      if (nowMs !== lastMs) {
        lastMs = nowMs
        lastText = timeDigits(nowMs)
      }
      used += 16
      return lastText + pool.toString('latin1', used - 16, used)
    },
  }
}

function timeDigits(nowMs: number): string {
  let text = ''
  for (let left = nowMs, place = 0; place < 10; place++, left = Math.floor(left / 32)) text = digits[left % 32] + text
  return text
}

export interface TraceFacts {
  readonly client: Client
  readonly hostname: string
  readonly id: string
  /** Written as `for <…>` where the message has one recipient; with more it would tell each of the others. */
  readonly onlyRecipient: string | undefined
  /** As `mailDate` writes it. */
  readonly date: string
}

/** The line with CRLF at its end, folded so that no part of it is over 78 octets where that can be had. */
export function receivedLine({ client, hostname, id, onlyRecipient, date }: TraceFacts): string {
  const tls = client.tls ? `\r\n\t(using ${token(client.tls.version)} with cipher ${token(client.tls.cipher)})` : ''
  const recipient = onlyRecipient === undefined ? '' : `\r\n\tfor <${onlyRecipient}>`
  const from = `Received: from ${hello(client.hello)} (${literalText(client.address)})`
  return `${from}${tls}\r\n\tby ${hostname} with ${protocol(client)} id ${id}${recipient};\r\n\t${date}\r\n`
}

// RFC 3848; SMTP by HELO.
const protocol = (client: Client) => (client.esmtp ? (client.tls ? 'ESMTPS' : 'ESMTP') : 'SMTP')

/** What the client called itself, if that is an atom or a literal; whatever else it is must not shape our header. */
const hello = (name: string) => (/^[A-Za-z0-9._:[\]-]{1,255}$/.test(name) ? name : 'unknown')
const token = (name: string) => name.replace(/[^A-Za-z0-9._-]/g, '?')

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** RFC 5322 §3.3, in UTC. */
export function mailDate(atMs: number): string {
  const at = new Date(atMs)
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${days[at.getUTCDay()]}, ${at.getUTCDate()} ${months[at.getUTCMonth()]} ${at.getUTCFullYear()}`
  return `${day} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())} +0000`
}

/** The same for what is written many times a second: each second's date is made once. */
export function createMailDates(): (atMs: number) => string {
  let second = Number.NaN
  let text = ''
  return (atMs) => {
    const now = Math.floor(atMs / 1000)
    if (now !== second) {
      second = now
      text = mailDate(atMs)
    }
    return text
  }
}
