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

/** The same for octets: ASCII as it is, everything else as `\xHH`. */
export function printableBytes(bytes: Uint8Array, maxLength = 1000): string {
  let text = ''
  for (const octet of bytes.subarray(0, maxLength)) {
    text += octet >= 0x20 && octet < 0x7f ? String.fromCharCode(octet) : `\\x${octet.toString(16).padStart(2, '0')}`
  }
  return bytes.length > maxLength ? `${text}…` : text
}

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`
  return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`
}
