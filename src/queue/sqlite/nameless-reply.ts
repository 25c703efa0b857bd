/** What a backend said of a recipient, as it is kept: without the recipient's name, so that a copy of the database names nobody. For `known.ts`. */
import type { Recipient } from '../../mail/message.ts'

const mostText = 500
/** Stands for the address and the local part in the words of a backend that are kept. */
const addressMark = '\x01'
const localPartMark = '\x02'

/** Backends repeat the address in their replies; it is kept out of the rows, and put back when it is asked for again. */
export function withoutName(text: string, { text: address, localPart }: Recipient): string {
  const clean = text.slice(0, mostText).replaceAll(addressMark, '').replaceAll(localPartMark, '')
  return replaceEach(replaceEach(clean, address, addressMark), localPart, localPartMark)
}

/** The words as the backend said them, but for the case of letters. @param text  as `withoutName` left it */
export function withName(text: string, { text: address, localPart }: Recipient): string {
  return text.replaceAll(addressMark, () => address).replaceAll(localPartMark, () => localPart)
}

/** In any case of letters. */
function replaceEach(text: string, what: string, by: string): string {
  if (what === '') return text
  const lower = text.toLowerCase()
  const wanted = what.toLowerCase()
  // A letter whose lower case is longer would move the places; replies are ASCII nearly always.
  if (lower.length !== text.length) return text
  let result = ''
  let at = 0
  for (let found = lower.indexOf(wanted); found >= 0; found = lower.indexOf(wanted, at)) {
    result += text.slice(at, found) + by
    at = found + wanted.length
  }
  return result + text.slice(at)
}
