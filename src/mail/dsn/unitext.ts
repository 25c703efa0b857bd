/**
 * The utf-8 address type (RFC 6533 §3): an address beyond ASCII as it is, and its form for places that take ASCII alone, where such a
 * character is written `\x{HEX}`.
 */
import { printable } from '../../base/printable.ts'

/** QCHAR: printable ASCII without "\", "+", "=" and the blank. */
const plainCharacters = '!-*,-<>-[\\]-~'
/** HEXPOINT; the letters of a number are of either case, that of `\x` is not. */
const hex = '[0-9A-Fa-f]'
const hexPoint = [
  '0[1-9]|1[0-9]|20|2[Bb]|3[Dd]|5[Cc]|7[Ff]',
  `[89A-Fa-f]${hex}|[1-9A-Fa-f]${hex}{2}`,
  `[1-9A-CEFa-cef]${hex}{3}|[Dd][0-7]${hex}{2}`,
  `[1-9A-Fa-f]${hex}{4}|10${hex}{4}`,
].join('|')
const addressXtext = new RegExp(`^(?:[${plainCharacters}]|\\\\x\\{(?:${hexPoint})\\})+$`)
const notPlain = new RegExp(`[^${plainCharacters}]`, 'gu')

/** The form that is ASCII alone, utf-8-addr-xtext. */
export function encodeUnitext(address: string): string {
  return address.replace(notPlain, (character) => {
    const point = (character.codePointAt(0) ?? 0).toString(16).toUpperCase()
    return `\\x{${point.padStart(2, '0')}}`
  })
}

/**
 * The address itself. What does not follow the syntax is left as it is, as RFC 6533 §3 asks; so is what would put a control or an
 * invisible character into a field.
 * @param text  utf-8-addr-xtext
 */
export function decodeUnitext(text: string): string {
  if (!addressXtext.test(text)) return text
  const decoded = text.replace(/\\x\{([0-9A-Fa-f]+)\}/g, (_, point: string) =>
    String.fromCodePoint(Number.parseInt(point, 16)),
  )
  return printable(decoded) === decoded ? decoded : text
}
