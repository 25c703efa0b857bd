/** Taking characters off the end of a text, for every room that reads text of people or strangers. */

/**
 * The text without those of the characters that stand at its end. A loop: a regular expression (`/[ab]+$/`) begins anew at each character of a row that
 * does not reach the end, which takes the square of its length.
 */
export function trimEnd(text: string, characters: string): string {
  let end = text.length
  while (end > 0 && characters.includes(text.charAt(end - 1))) end--
  return text.slice(0, end)
}
