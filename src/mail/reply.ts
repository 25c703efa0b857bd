/**
 * SMTP replies as values (RFC 5321 §4.2, RFC 2034): ours to senders, and what backends said.
 */

export interface Reply {
  /** 200–599. */
  readonly code: number
  /** `5.1.1` (RFC 3463), or undefined where none was given. Its class is the code's. */
  readonly enhanced: string | undefined
  /** The text of each line, without code and enhanced code; at least one. Ours are printable ASCII; a backend's are whatever it sent. */
  readonly text: readonly string[]
}

export const reply = (code: number, enhanced: string | undefined, ...text: [string, ...string[]]): Reply => ({
  code,
  enhanced,
  text,
})

/** Of what is a reply or something else that has no `code`. */
export const isReply = (it: object): it is Reply => 'code' in it

export const isPositive = (said: Reply): boolean => said.code >= 200 && said.code < 300
export const isTransient = (said: Reply): boolean => said.code >= 400 && said.code < 500
export const isPermanent = (said: Reply): boolean => said.code >= 500 && said.code < 600

/**
 * The reply as it goes over the wire: every line with code, enhanced code and CRLF, at most 512 octets (RFC 5321
 * §4.5.3.1.5), no controls, no bare CR or LF, 8-bit as "?". So whatever a backend said is safe to pass on.
 */
export function encodeReply(said: Reply): string {
  const enhanced = said.enhanced === undefined ? '' : `${said.enhanced} `
  const room = maxTextOctets - enhanced.length
  if (said.text.length === 1) return `${said.code} ${enhanced}${printableLine(said.text[0] ?? '', room)}\r\n`
  const last = said.text.length - 1
  return said.text
    .map((line, index) => `${said.code}${index === last ? ' ' : '-'}${enhanced}${printableLine(line, room)}\r\n`)
    .join('')
}

/** One line for a log or for people: `550 5.1.1 No such user`. */
export function replyText(said: Reply): string {
  return `${said.code} ${said.enhanced ? `${said.enhanced} ` : ''}${said.text.map((line) => printableLine(line, maxTextOctets)).join(' / ')}`
}

/** For the log: at most 200 characters of what a backend said, made safe. */
export const loggedReply = (said: Reply): string => replyText(said).slice(0, 200)

/** 512 less the code, the blank behind it and CRLF. */
const maxTextOctets = 506

function printableLine(text: string, room: number): string {
  const safe = allPrintable.test(text) ? text : text.replace(/[\x80-\uffff]/g, '?').replace(/[\x00-\x1f\x7f]/g, ' ')
  return safe.length > room ? safe.slice(0, room) : safe
}

const allPrintable = /^[\x20-\x7e]*$/
