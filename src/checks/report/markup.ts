/** Text → HTML and XML: the one place where markup is made harmless. Pure. */
import { printable } from '../../base/printable.ts'

/** For element content and quoted attributes alike, in HTML and XML: controls are shown as `\x1b`, so no character is left that XML forbids. */
export function escaped(text: string, maxLength = 20_000): string {
  return printable(text, maxLength)
    .replace(/[\ufffe\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16)}`)
    .replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`)
}
