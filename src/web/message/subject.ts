/** What a message is about, out of the lines of its header: unfolded (RFC 5322 §2.2.3), encoded words read (RFC 2047), safe to print. For a list; `read-text.ts` reads the whole. */
import { decodeWords } from 'postal-mime'
import { printable } from '../../base/printable.ts'

const mostChars = 200

/** @returns empty where there is none */
export function subjectIn(headers: readonly string[]): string {
  const at = headers.findIndex((line) => /^subject:/i.test(line))
  if (at < 0) return ''
  let text = (headers[at] ?? '').replace(/^subject:/i, '')
  for (let next = at + 1; /^[ \t]/.test(headers[next] ?? ''); next++) text += headers[next]
  return printable(
    decodeWords(text.slice(0, 2_000))
      .trim()
      .replaceAll(/[ \t]+/g, ' '),
    mostChars,
  )
}
