/**
 * Text that is no YAML: what the parser noticed, told where the mistake was made and as who writes it sees it, because what people get wrong most often shows
 * only behind it. Called by `yaml.ts`.
 */
import type { Problem, Source } from './source.ts'

interface Mistake {
  readonly start: number
  readonly end: number
  readonly why: string
}

/** Each knows one kind of mistake by the text around the place. The first that finds its own is right. */
const kinds: readonly ((text: string, at: number) => Mistake | undefined)[] = [
  tab,
  unknownEscape,
  star,
  bracketedAddress,
  unclosedQuote,
  withinBrackets,
  onLine,
]

/** @param at  where the parser noticed it; @param reason  in its own words */
export function syntaxProblem(source: Source, at: number, reason: string): Problem {
  for (const kind of kinds) {
    const mistake = kind(source.text, at)
    if (mistake) return source.problem(mistake.start, mistake.end, mistake.why)
  }
  // The end of the file is where nobody looks.
  const shown = Math.min(at, Math.max(0, source.text.trimEnd().length - 1))
  return source.problem(shown, shown + 1, `not valid YAML: ${reason}`)
}

/** Asked for a place in front of the text, `lastIndexOf` looks at its first letter: who goes up the lines would never get past an empty first one. */
const lineStartOf = (text: string, at: number) => (at === 0 ? 0 : text.lastIndexOf('\n', at - 1) + 1)

function lineEndOf(text: string, at: number): number {
  const end = text.indexOf('\n', at)
  return end < 0 ? text.length : end
}

interface Content {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** What stands in a line less its comment and the spaces around it. */
function contentOf(text: string, lineStart: number): Content {
  const line = text.slice(lineStart, lineEndOf(text, lineStart)).replace(/(?:^|\s)#.*$/s, '')
  const start = lineStart + line.length - line.trimStart().length
  const content = line.trim()
  return { start, end: start + content.length, text: content }
}

/** The nearest line above that says something. */
function contentAbove(text: string, lineStart: number): Content | undefined {
  for (let end = lineStart - 1; end >= 0; end = lineStartOf(text, end) - 1) {
    const content = contentOf(text, lineStartOf(text, end))
    if (content.text !== '') return content
  }
  return undefined
}

function tab(text: string, at: number): Mistake | undefined {
  const [indentation = ''] = /^[ ]*\t?/.exec(text.slice(lineStartOf(text, at))) ?? []
  if (!indentation.endsWith('\t')) return undefined
  const end = lineStartOf(text, at) + indentation.length
  return { start: end - 1, end, why: 'a tab in the indentation: YAML takes spaces only' }
}

function unknownEscape(text: string, at: number): Mistake | undefined {
  const [begun] = /\\(?:[xuU][\da-fA-F]*)?$/.exec(text.slice(Math.max(0, at - 10), at)) ?? []
  const quote = begun === undefined ? undefined : openQuote(text, at)
  if (quote === undefined || text[quote] !== '"' || begun === undefined || at >= text.length) return undefined
  const written = `${begun}${text[at]}`
  const why = `"${written}" is no escape: write a backslash twice within double quotes, or the whole in single ones`
  return { start: at - begun.length, end: at + 1, why }
}

function star(text: string, at: number): Mistake | undefined {
  const lineStart = lineStartOf(text, at)
  const found = /(?:^|[\s[{,])(\*[^\s,[\]{}]*?):?\s*$/.exec(text.slice(lineStart, at))
  if (found?.[1] === undefined) return undefined
  const start = lineStart + found.index + found[0].indexOf('*')
  const word = found[1] === '*' ? '*.example.com' : found[1]
  return { start, end: start + found[1].length, why: `"*" begins a YAML alias here: write it in quotes, "${word}"` }
}

/** The address in brackets, or the URL with one, that stands at a place of a line, or ends there. */
export function bracketedAddress(text: string, at: number): Mistake | undefined {
  const lineStart = lineStartOf(text, at)
  const line = text.slice(lineStart).split('\n', 1)[0] ?? ''
  for (const { 0: found, index } of line.matchAll(/(?:[a-z]{1,16}:\/\/)?\[[\da-f.]*:[\da-f.:]*\](?::\d+)?/gi)) {
    const start = lineStart + index
    const end = start + found.length
    if (start <= at && at <= end)
      return { start, end, why: `brackets make a list in YAML: write it in quotes, "${found}"` }
  }
  return undefined
}

function unclosedQuote(text: string, at: number): Mistake | undefined {
  const quote = openQuote(text, at)
  if (quote === undefined) return undefined
  return { start: quote, end: quote + 1, why: 'not valid YAML: the quote that opens here is not closed' }
}

/** How far in front of an error the quote is looked for that may be the reason. */
const quoteReach = 65_536

/** The first quote in front of `at` that begins a value and does not end before it. */
function openQuote(text: string, at: number): number | undefined {
  const before = text.slice(Math.max(0, at - quoteReach), at)
  let from = 0
  for (const { 0: quote, index } of before.matchAll(/(?<=^ *|[:-] +|[[{,]\s*)["']/gm)) {
    // Within one that was closed, or within a comment.
    const isComment = /(?:^|\s)#[^\n]*$/.test(before.slice(Math.max(from, before.lastIndexOf('\n', index) + 1), index))
    if (index < from || isComment) continue
    const end = endOfQuoted(before, index, quote)
    if (end === undefined) return at - before.length + index
    from = end
  }
  return undefined
}

function endOfQuoted(text: string, start: number, quote: string): number | undefined {
  for (let at = start + 1; at < text.length; at++) {
    if (quote === '"' && text[at] === '\\') at++
    else if (text[at] !== quote) continue
    else if (quote === "'" && text[at + 1] === quote) at++
    else return at + 1
  }
  return undefined
}

/** More of a word need not be shown. */
const longestWord = 200

/** Between a bracket or a brace and what closes it. */
function withinBrackets(text: string, at: number): Mistake | undefined {
  const open = openBracket(text, at)
  if (open === undefined) return undefined
  const found = text[at]
  const closing = text[open] === '{' ? '}' : ']'
  const here = (why: string) => ({ start: at, end: at + 1, why: `not valid YAML: ${why}` })
  // Noticed at the beginning of a later line, or at the end of the file, where nobody looks.
  const isLater = open < lineStartOf(text, at) && /^\s*$/.test(text.slice(lineStartOf(text, at), at))
  if (at >= text.trimEnd().length || (isLater && found !== closing))
    return { start: open, end: open + 1, why: `not valid YAML: the "${text[open]}" that opens here is not closed` }
  if (found === ']' || found === '}')
    return here(`"${found}" closes nothing here: the "${text[open]}" in front of it wants a "${closing}"`)
  if (found === ',') return here('there is nothing between two commas')
  const [word = ''] = /[^\s,[\]{}]*$/.exec(text.slice(Math.max(open + 1, at - longestWord), at)) ?? []
  if (found === ':')
    return { start: at - word.length, end: at, why: `not valid YAML: a comma is missing in front of "${word}:"` }
  if (word !== '' && (found === '{' || found === '[')) {
    const [behind = ''] = /^[{[][^\s,[\]{}]*[\]}]?[^\s,[\]{}]*/.exec(text.slice(at)) ?? []
    const written = `${word}${behind}`
    const why = `"${found}" has a meaning of its own in YAML here: write the whole in quotes, "${written}"`
    return { start: at - word.length, end: at + behind.length, why }
  }
  const isValue = /[[{,:]\s*$/.test(text.slice(open, at))
  return isValue ? undefined : here('a comma is missing in front of this')
}

/** The innermost bracket in front of `at` that begins a value and is not closed before it. */
function openBracket(text: string, at: number): number | undefined {
  const open: number[] = []
  const tokens = /"(?:[^"\\]|\\.)*"|'[^']*'|(?<=^|\s)#[^\n]*|(?<=^\s*|[:-]\s+|[[{,]\s*)[[{]|[\]}]/gm
  for (const { 0: found, index } of text.slice(0, at).matchAll(tokens)) {
    if (found === '[' || found === '{') open.push(index)
    else if (found === ']' || found === '}') open.pop()
  }
  return open.at(-1)
}

/** Where lines and their indentation make the structure. */
function onLine(text: string, at: number): Mistake | undefined {
  const lineStart = lineStartOf(text, at)
  const line = contentOf(text, lineStart)
  const before = text.slice(lineStart, at)
  const found = text[at] ?? ''
  const told = (start: number, end: number, why: string) => ({ start, end, why: `not valid YAML: ${why}` })
  if (found === ':') return atColon(text, at)
  if (/(?:^|[:-] )\s*$/.test(before) && /[@%`]/.test(found))
    return told(at, line.end, `no value begins with "${found}": write it in quotes, "${text.slice(at, line.end)}"`)
  if (/[&!]$/.test(before))
    return told(at - 1, at, `"${text[at - 1]}" has a meaning of its own here: write it in quotes`)
  if (/["'\]}]\s*$/.test(before) && at < line.end)
    return told(
      at,
      line.end,
      found === ','
        ? 'commas stand within [ ] and { } only: leave this one out'
        : `nothing can stand behind the closing ${/["']\s*$/.test(before) ? 'quote' : 'bracket'}`,
    )
  if (at === line.start && /[\]}]/.test(found)) return told(at, at + 1, `"${found}" closes nothing`)
  if (line.text !== '' && !/:(?:\s|$)/.test(line.text) && !line.text.startsWith('- '))
    return told(
      line.start,
      line.end,
      'a key with a colon belongs here, as in "deliver: mx"; what stands in a list begins with "- "',
    )
  if (at === line.start)
    return (
      colonAbove(text, lineStart) ??
      told(
        at,
        line.end,
        'this line begins in a column in which none above does: line it up with those that it belongs to',
      )
    )
  return undefined
}

/** A key without its colon, or without the space behind it, which YAML takes for text that goes on in the next line. */
function colonAbove(text: string, lineStart: number): Mistake | undefined {
  const above = contentAbove(text, lineStart)
  if (!above || above.text.startsWith('- ')) return undefined
  const told = (what: string, meant: string) => ({
    start: above.start,
    end: above.end,
    why: `not valid YAML: a ${what} is missing: write "${meant}"`,
  })
  if (/^[\w-]+:[^\s/]+$/.test(above.text)) return told('space', above.text.replace(':', ': '))
  if (above.text.includes(':') || /["'\]}]$/.test(above.text)) return undefined
  return told('colon', above.text.includes(' ') ? above.text.replace(' ', ': ') : `${above.text}:`)
}

/** A colon behind what cannot be a key. */
function atColon(text: string, at: number): Mistake | undefined {
  const line = contentOf(text, lineStartOf(text, at))
  const told = (start: number, end: number, why: string) => ({ start, end, why: `not valid YAML: ${why}` })
  const [key] = /^[^:]*:\s+/.exec(text.slice(line.start, at)) ?? []
  if (key !== undefined) {
    const start = line.start + key.length
    return told(start, line.end, `a value with ": " in it is written in quotes, "${text.slice(start, line.end)}"`)
  }
  const why = 'this line begins further right than the one above it, which has its value already'
  return colonAbove(text, lineStartOf(text, at)) ?? told(line.start, at, why)
}
