/** Macros in SPF records (RFC 7208 §7): their grammar, and the part of their meaning that is known without a message. Used by `spf.ts`. */

/** Literal text, or a macro. */
export type MacroPart = string | SpfMacro

export interface SpfMacro {
  /** In lower case. */
  readonly letter: string
  /** How many labels are kept, from the right; all of them where undefined. */
  readonly labels: number | undefined
  readonly isReversed: boolean
  /** What splits the value, `.` where none is named. */
  readonly delimiters: string
  /** An upper-case letter: the value is escaped as in a URI. */
  readonly isEscaped: boolean
}

export type ParsedMacros =
  | { readonly kind: 'macros'; readonly parts: readonly MacroPart[] }
  /** `at`: offset into the text. */
  | { readonly kind: 'invalid'; readonly at: number; readonly why: string }

/** RFC 7208 §7.1 */
const macro = /%\{([slodiphcrtvSLODIPHCRTV])(\d*)([rR]?)([.\-+,/_=]*)\}/y

/** @param mayExplain  whether `c`, `r` and `t` may stand here, which is in explanations alone (§7.2) */
export function parseMacros(text: string, mayExplain = false): ParsedMacros {
  const parts: MacroPart[] = []
  for (let at = 0; at < text.length; ) {
    const percent = text.indexOf('%', at)
    const literal = text.slice(at, percent < 0 ? text.length : percent)
    const wrong = /[^\x21-\x7e]/.exec(literal)
    if (wrong)
      return { kind: 'invalid', at: at + wrong.index, why: 'a blank or a character that is not printable ASCII' }
    if (literal !== '') parts.push(literal)
    if (percent < 0) break
    const plain = { '%': '%', _: ' ', '-': '%20' }[text.charAt(percent + 1)]
    if (plain !== undefined) {
      parts.push(plain)
      at = percent + 2
      continue
    }
    macro.lastIndex = percent
    const match = macro.exec(text)
    if (!match) return { kind: 'invalid', at: percent, why: 'a "%" that begins no macro' }
    const [whole, letter = '', digits = '', reverse, delimiters = ''] = match
    const why = whyNotMacro(letter, digits, mayExplain)
    if (why) return { kind: 'invalid', at: percent, why }
    parts.push({
      letter: letter.toLowerCase(),
      labels: digits === '' ? undefined : Number(digits),
      isReversed: reverse !== '',
      delimiters: delimiters === '' ? '.' : delimiters,
      isEscaped: letter !== letter.toLowerCase(),
    })
    at = percent + whole.length
  }
  return { kind: 'macros', parts }
}

function whyNotMacro(letter: string, digits: string, mayExplain: boolean): string | undefined {
  if (!mayExplain && /[crt]/i.test(letter)) return `the macro letter "${letter}" outside of an explanation`
  // RFC 7208 §7.3. More labels than a name can have mean all of them; a number of any length is no use.
  if (digits !== '' && (/^0+$/.test(digits) || digits.length > 3)) return 'a macro that keeps no label, or over 999'
  return undefined
}

/** The text where only the domain of the record itself is needed (`%{d}`), or undefined where it hangs on the message. */
export function expandForDomain(parts: readonly MacroPart[], domain: string): string | undefined {
  let text = ''
  for (const part of parts) {
    if (typeof part === 'string') text += part
    else if (part.letter === 'd') text += transformed(part, domain)
    else return undefined
  }
  return text
}

function transformed({ labels, isReversed, delimiters, isEscaped }: SpfMacro, value: string): string {
  let split = [value]
  for (const delimiter of delimiters) split = split.flatMap((part) => part.split(delimiter))
  if (isReversed) split.reverse()
  const kept = (labels === undefined ? split : split.slice(-labels)).join('.')
  return isEscaped ? encodeURIComponent(kept) : kept
}
