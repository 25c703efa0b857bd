/**
 * Semicolon-separated `name=value` fields with their places: what DMARC, MTA-STS and TLSRPT records consist of. Each of them says itself
 * which blanks and characters it allows. Pure.
 */

export interface TagField {
  readonly name: string
  readonly value: string
  /** Offsets of the field's first character that is no blank, and of its value. */
  readonly at: number
  readonly valueAt: number
  /** Whether there is an "=" in it. */
  readonly hasValue: boolean
  /** Whether blanks stand around its "=". */
  readonly hasBlanks: boolean
}

/** All fields, those without anything in them too (`name` is empty then). Blanks are space and tab, and no part of name or value. */
export function splitTags(text: string): TagField[] {
  const fields: TagField[] = []
  for (let start = 0; start <= text.length; ) {
    const semicolon = text.indexOf(';', start)
    const end = semicolon < 0 ? text.length : semicolon
    fields.push(readField(text, start, end))
    start = end + 1
  }
  return fields
}

function readField(text: string, start: number, end: number): TagField {
  const part = text.slice(start, end)
  const equals = part.indexOf('=')
  const left = equals < 0 ? part : part.slice(0, equals)
  const right = equals < 0 ? '' : part.slice(equals + 1)
  const name = trim(left)
  const value = trim(right)
  const at = start + (left.length - trimStart(left).length)
  const valueAt = equals < 0 ? start + left.length : start + equals + 1 + (right.length - trimStart(right).length)
  return {
    name,
    value,
    at,
    valueAt,
    hasValue: equals >= 0,
    hasBlanks: equals >= 0 && (trimEnd(left) !== left || trimStart(right) !== right),
  }
}

const isBlank = (character: string) => character === ' ' || character === '\t'

// Loops: a regular expression for trailing blanks looks at each run of them again and again.
function trimStart(text: string): string {
  let start = 0
  while (start < text.length && isBlank(text.charAt(start))) start++
  return text.slice(start)
}

function trimEnd(text: string): string {
  let end = text.length
  while (end > 0 && isBlank(text.charAt(end - 1))) end--
  return text.slice(0, end)
}

const trim = (text: string) => trimStart(trimEnd(text))
