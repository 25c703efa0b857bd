/** A place in a text that people edit, as every parser of text names it. Offsets become places only where something is reported. */

export interface Place {
  /** From 1. */
  readonly line: number
  /** From 1, in the units of the text: characters, or octets where the text holds one character an octet. */
  readonly column: number
}

/** Something that is wrong at a place, or worth a look. `message` is of our words; what it quotes went through `printable`. */
export interface TextProblem extends Place {
  readonly message: string
}

/** @param offset  from 0; behind the end means the end */
export function placeAt(text: string, offset: number): Place {
  const at = Math.min(offset, text.length)
  let line = 1
  let lineStart = 0
  for (let end = text.indexOf('\n'); end >= 0 && end < at; end = text.indexOf('\n', lineStart)) {
    line++
    lineStart = end + 1
  }
  return { line, column: at - lineStart + 1 }
}
