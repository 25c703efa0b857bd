/**
 * The words of zone text (RFC 1035 §5.1): blanks, comments, parentheses, quotes and escapes, and nothing of what they mean. Text is a string
 * of octets, one character (0–255) each, so that every place in it is a place in the file. Used by `zone-text/` and `rdata-text.ts`.
 */

export interface Word {
  /** As it is written, escapes in their place, without quotes around it. */
  readonly text: string
  readonly quoted: boolean
  /** Offsets into the whole text, with the quotes. */
  readonly start: number
  readonly end: number
}

/** Lines that belong together: one, or several that parentheses join. */
export interface Entry {
  readonly words: readonly Word[]
  /** Whether it begins with a blank, so that it states no owner. */
  readonly startsBlank: boolean
  readonly start: number
  /** Behind its line end. */
  readonly end: number
  /** What was wrong first. */
  readonly problem: { readonly at: number; readonly why: string } | undefined
}

/** The data of a record has at most 65,535 octets, and in the longest way to write them each is a word of its own. */
const maxWords = 66_000

/** Reads the entry that starts at this offset, which is the start of a line. Linear time; never throws. */
export function readEntry(text: string, start: number): Entry {
  const words: Word[] = []
  let at = start
  let problem: Entry['problem']
  const fail = (where: number, why: string) => {
    problem ??= { at: where, why }
  }
  const opened: number[] = []
  while (at < text.length) {
    const character = text.charAt(at)
    if (character === '\n') {
      at++
      if (opened.length === 0) break
    } else if (character === ' ' || character === '\t') {
      at++
    } else if (character === '\r' && text.charAt(at + 1) === '\n') {
      at++
    } else if (character === ';') {
      const lineEnd = text.indexOf('\n', at)
      at = lineEnd < 0 ? text.length : lineEnd
    } else if (character === '(') {
      opened.push(at++)
    } else if (character === ')') {
      if (opened.pop() === undefined) fail(at, 'a ")" without its "("')
      at++
    } else {
      const word = character === '"' ? readQuoted(text, at) : readBare(text, at)
      if ('why' in word) fail(at, word.why)
      else if (words.length < maxWords) words.push(word)
      else fail(at, `more than ${maxWords} words`)
      at = word.end
    }
  }
  const unclosed = opened[0]
  if (unclosed !== undefined) fail(unclosed, 'a "(" without its ")"')
  return { words, startsBlank: /[ \t]/.test(text.charAt(start)), start, end: at, problem }
}

interface NoWord {
  readonly why: string
  /** Where reading goes on. */
  readonly end: number
}

// Loops and no regular expressions: those keep a stack of their own, which a long word would overflow.
function readBare(text: string, start: number): Word | NoWord {
  let end = start
  while (end < text.length && !endsWord(text.charCodeAt(end))) {
    if (text.charCodeAt(end) !== codes.backslash) end++
    // Behind it, not behind its first character: what is left of it would fail here again.
    else if (escapesNothing(text, end)) return { why: 'a backslash at the end of a line', end: end + 1 }
    else end += 2
  }
  if (end === start) return { why: 'a control character', end: end + 1 }
  return { text: text.slice(start, end), quoted: false, start, end }
}

/**
 * A string may run over line ends: they are part of it, like all between the quotes (RFC 1035 §5.1). Where it fails, what stands behind its quote
 * is read as words: there is no quote among it that is not escaped, so it is gone over once more and not again.
 */
function readQuoted(text: string, start: number): Word | NoWord {
  const failed = (why: string): NoWord => ({ why, end: start + 1 })
  let at = start + 1
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (code === codes.quote) return { text: text.slice(start + 1, at), quoted: true, start, end: at + 1 }
    if (code === codes.backslash && escapesNothing(text, at))
      return failed('a string with a backslash at the end of a line')
    at += code === codes.backslash ? 2 : 1
  }
  return failed('a string without its closing quote')
}

const codes = { quote: 0x22, backslash: 0x5c } as const

/** Blanks and controls, quotes, parentheses and the comment's semicolon. */
const endsWord = (code: number) =>
  code <= 0x20 || code === 0x7f || code === codes.quote || code === 0x28 || code === 0x29 || code === 0x3b

const escapesNothing = (text: string, backslash: number) => /^[\r\n]?$/.test(text.charAt(backslash + 1))

/** The octets that a word or a string means, or undefined where a backslash has neither three digits up to 255 nor a character behind it. */
export function octetsOf(text: string): Buffer | undefined {
  if (!text.includes('\\')) return Buffer.from(text, 'latin1')
  let wrong = false
  const plain = text.replace(/\\(\d{3}|.)/gs, (_, escaped: string) => {
    // RFC 4343 §2.1: exactly three digits, decimal.
    if (/^\d$/.test(escaped) || Number(escaped) > 255) wrong = true
    return escaped.length === 3 ? String.fromCharCode(Number(escaped) & 255) : escaped
  })
  return wrong ? undefined : Buffer.from(plain, 'latin1')
}

/** A quoted string of these octets. */
export function quote(octets: Uint8Array): string {
  const text = Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1')
  return `"${text.replace(/["\\]|[^ -~]/g, (octet) => {
    const code = octet.charCodeAt(0)
    return code > 0x20 && code < 0x7f ? `\\${octet}` : `\\${String(code).padStart(3, '0')}`
  })}"`
}

/** Text of people as octets, in UTF-8. */
export function octetText(text: string): string {
  return /^[\x00-\x7f]*$/.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1')
}
