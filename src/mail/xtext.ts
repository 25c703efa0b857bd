/**
 * xtext (RFC 3461 §4): how ENVID and ORCPT carry what may not stand in a parameter. Values travel on as they came; they are decoded to be
 * judged, and where they are written into a notification.
 */

/** "!" to "~" without "+" and "=", and "+" with two upper-case hexadecimal digits. */
const xtext = /^(?:[!-*,-<>-~]|\+[0-9A-F]{2})*$/

/** @returns the octets as latin1 characters, whatever they are; undefined where the text is not xtext */
export function decodeXtext(text: string): string | undefined {
  if (!xtext.test(text)) return undefined
  if (!text.includes('+')) return text
  return text.replace(/\+(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
