/**
 * The one way by which bytes that are not ours reach a terminal, a log line or a report: controls, escapes, text that
 * changes direction and other invisible characters are shown as `\x1b`, `\u202e`, never performed.
 */

// C0, DEL, C1, soft hyphen, Arabic letter mark, zero-width and direction marks, line and paragraph separators, BOM,
// lone surrogates, tags.
const unsafe =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|\u{e0001}|[\u{e0020}-\u{e007f}]/gu

/** One line, safe to print anywhere that takes plain text. @param maxLength  characters, then "…" */
export function printable(text: string, maxLength = 1000): string {
  const short = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text
  return short.replace(unsafe, escapeCharacter)
}

/**
 * Text of several lines for a page that is not ours to judge by its looks (the body of a message): line ends, tabs, and the joiners and marks that
 * scripts and emoji need stay; what turns text around, hides it or controls a terminal is shown.
 */
export function printableText(text: string): string {
  return text.replace(unsafe, (character) => (harmlessInText.has(character) ? character : escapeCharacter(character)))
}

const harmlessInText: ReadonlySet<string> = new Set([
  '\n',
  '\t',
  '\u00ad',
  '\u200b',
  '\u200c',
  '\u200d',
  '\u200e',
  '\u200f',
  '\u2060',
  '\ufeff',
])

/** The same for octets: ASCII as it is, everything else as `\xHH`. */
export function printableBytes(bytes: Uint8Array, maxLength = 1000): string {
  let text = ''
  for (const octet of bytes.subarray(0, maxLength)) {
    text += octet >= 0x20 && octet < 0x7f ? String.fromCharCode(octet) : `\\x${octet.toString(16).padStart(2, '0')}`
  }
  return bytes.length > maxLength ? `${text}…` : text
}

/** Colours as we use them, and their ends: bold, dim, red, green, yellow. */
const ourColour = /^\x1b\[(?:1|2|22|31|32|33|39)m/

/**
 * Whole lines on their way to a terminal or a log: line ends and our own colours stay, everything else that is not safe becomes `\u009b`,
 * which JSON reads as what it was. The last door, behind `printable`: what was forgotten there does no harm.
 */
export function printableLines(text: string): string {
  // Nearly everything is plain ASCII.
  if (!/[^\n -~]/.test(text)) return text
  return text.replace(unsafe, (character, at: number) => {
    if (character === '\n' || (character === '\x1b' && ourColour.test(text.slice(at, at + 6)))) return character
    return Array.from(
      { length: character.length },
      (_, unit) => `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`,
    ).join('')
  })
}

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`
  return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`
}
