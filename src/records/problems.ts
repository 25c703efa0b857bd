/** Collects what is wrong in a record's text, with its place, as each parser of this room does. */
import { placeAt, type TextProblem } from '../base/place.ts'
import { printable } from '../base/printable.ts'

/** One mistake at the start makes hundreds behind it. */
const mostProblems = 20

export interface Problems {
  /** @param at  offset into the text */
  add(at: number, message: string): void
  readonly list: readonly TextProblem[]
}

export function createProblems(text: string): Problems {
  const list: TextProblem[] = []
  return {
    list,
    add(at, message) {
      if (list.length < mostProblems) list.push({ ...placeAt(text, at), message })
    },
  }
}

/** Text of others within a message of ours. */
export const shown = (text: string) => `"${printable(text, 60)}"`
