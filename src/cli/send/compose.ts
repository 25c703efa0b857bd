/**
 * The message that `waypost send` sends: from a text for a body, or from a whole message on standard input. What comes out is canonical
 * (lines end in CRLF only), with the header fields that a message must have (RFC 5322 §3.6).
 */
import type { Mailbox, ReversePath } from '../../mail/address.ts'

export interface Composition {
  readonly from: ReversePath
  readonly to: readonly Mailbox[]
  /** Undefined: "Test from waypost send", where the message has none of its own. */
  readonly subject: string | undefined
  /** A text, or a whole message; undefined: a sentence. */
  readonly content: Buffer | undefined
  /** Wall clock, milliseconds. */
  readonly now: number
  /** Unique; the part of Message-ID in front of "@". */
  readonly id: string
  readonly hostname: string
}

export type Composed =
  | { readonly kind: 'message'; readonly bytes: Buffer; readonly has8bit: boolean }
  | { readonly kind: 'invalid'; readonly why: string }

export function compose(what: Composition): Composed {
  if (what.subject !== undefined && /[\x00-\x1f\x7f]/.test(what.subject))
    return { kind: 'invalid', why: 'the subject has control characters or more than one line' }
  const content = canonical(what.content ?? Buffer.from('This is a test message, sent by "waypost send".\n'))
  const fields = what.content ? headerBlock(content) : undefined
  if (fields === undefined) {
    const head = Buffer.from(headerOf(what, has8bit(content)), 'utf8')
    return message(Buffer.concat([head, content]))
  }
  if (what.subject === undefined) return message(content)
  if (/^subject:/im.test(fields))
    return { kind: 'invalid', why: 'the message has a Subject of its own: leave --subject out' }
  return message(Buffer.concat([Buffer.from(`Subject: ${encodedWords(what.subject)}\r\n`), content]))
}

const message = (bytes: Buffer): Composed => ({ kind: 'message', bytes, has8bit: has8bit(bytes) })

const has8bit = (bytes: Buffer) => bytes.some((octet) => octet > 127)

function headerOf(what: Composition, eightBit: boolean): string {
  // RFC 5322 §3.6.2: a From there must be; RFC 5321 allows the null path in the envelope alone.
  const from = what.from?.text ?? `postmaster@${what.hostname}`
  const lines = [
    `From: ${from}`,
    `To: ${what.to.map((mailbox) => mailbox.text).join(',\r\n ')}`,
    `Subject: ${encodedWords(what.subject ?? 'Test from waypost send')}`,
    // RFC 5322 §3.3: the zone is a number.
    `Date: ${new Date(what.now).toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: <${what.id}@${what.hostname}>`,
  ]
  if (eightBit)
    lines.push('MIME-Version: 1.0', 'Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: 8bit')
  return `${lines.join('\r\n')}\r\n\r\n`
}

/** The header fields where the text starts with some, as RFC 5322 §2.2 writes them, else undefined. */
function headerBlock(content: Buffer): string | undefined {
  const end = content.indexOf('\r\n\r\n')
  const block = content.toString('latin1', 0, end < 0 ? Math.min(content.length, 65_536) : end)
  const lines = block.split('\r\n')
  // Every line is a field or goes on with one; a text that starts "Dear all: …" is no header for long.
  const isBlock = lines.every((line, at) => /^[!-9;-~]+[ \t]*:/.test(line) || (at > 0 && /^[ \t]/.test(line)))
  return end >= 0 && isBlock ? block : undefined
}

/** CRLF at every end of a line, and at the end; a CR or LF alone is one too. */
function canonical(content: Buffer): Buffer {
  // latin1 is one character an octet, so that nothing else changes.
  const text = content.toString('latin1').replace(/\r\n|\r|\n/g, '\r\n')
  return Buffer.from(text === '' || text.endsWith('\r\n') ? text : `${text}\r\n`, 'latin1')
}

/** RFC 2047 where the text is not ASCII: words of at most 75 characters, each with whole characters. */
function encodedWords(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text
  const words: string[] = []
  let word = ''
  for (const character of text) {
    if (Buffer.byteLength(word + character) > 45) {
      words.push(word)
      word = ''
    }
    word += character
  }
  words.push(word)
  return words.map((each) => `=?utf-8?B?${Buffer.from(each).toString('base64')}?=`).join('\r\n ')
}
