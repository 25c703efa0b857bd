/** `waypost check --explain ID`: the page of a check, docs/checks/<id>.md, for a terminal. The package brings the pages along. */
import { readFile } from 'node:fs/promises'
import { isMissing } from '../../base/error-code.ts'
import { createPaint, fewestColumns, mostColumns, type Paint, table, wrapped } from '../../checks/report/layout.ts'
import { hintAtCheck, leftOut, ruleIds } from '../../checks/rule-ids.ts'
import { Misuse } from '../misuse.ts'
import { type ExitCode, outShape, type Terminal } from '../terminal.ts'

/** Beside `src/` in a checkout, beside `dist/` in the package. */
const pages = new URL('../../../docs/checks/', import.meta.url)

export async function explain(id: string, terminal: Terminal): Promise<ExitCode> {
  const reason: string | undefined = Object.hasOwn(leftOut, id) ? leftOut[id as keyof typeof leftOut] : undefined
  if (reason !== undefined) {
    terminal.out(`${id} is known, and is no check here. ${reason}\n`)
    return 0
  }
  const known: readonly string[] = ruleIds
  const page = known.includes(id) ? await readPage(id) : undefined
  if (page === undefined) {
    throw new Misuse(`there is no page about "${id.slice(0, 100)}"${hintAtCheck(id)}`)
  }
  const { columns, isColored } = outShape()
  const width = Math.min(mostColumns, Math.max(fewestColumns, columns))
  terminal.out(`${renderPage(page, width, createPaint(isColored)).join('\n')}\n`)
  return 0
}

async function readPage(id: string): Promise<string | undefined> {
  return readFile(new URL(`${id}.md`, pages), 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return undefined
    throw error
  })
}

/** The Markdown that our pages use: headings, paragraphs, lists, tables, code, and marks within a line. Exported for its test. */
export function renderPage(page: string, columns: number, paint: Paint): string[] {
  const lines: string[] = []
  for (const block of blocksOf(page))
    lines.push(...(lines.length > 0 ? [''] : []), ...renderBlock(block, columns, paint))
  return lines
}

interface Block {
  readonly kind: 'code' | 'text'
  readonly lines: readonly string[]
}

function blocksOf(page: string): Block[] {
  const blocks: Block[] = []
  let kind: Block['kind'] = 'text'
  let lines: string[] = []
  const flush = () => {
    if (lines.length > 0) blocks.push({ kind, lines })
    lines = []
  }
  for (const line of page.split('\n')) {
    if (line.startsWith('```')) {
      flush()
      kind = kind === 'code' ? 'text' : 'code'
    } else if (kind === 'text' && line.trim() === '') flush()
    else lines.push(line)
  }
  flush()
  return blocks
}

function renderBlock({ kind, lines }: Block, columns: number, paint: Paint): string[] {
  const [first = ''] = lines
  if (kind === 'code') return lines.map((line) => `    ${line}`)
  const heading = /^#{1,6} (.*)$/.exec(first)?.[1]
  if (heading !== undefined) {
    const rest = lines.slice(1)
    return [
      paint('bold', plain(heading)),
      ...(rest.length > 0 ? renderBlock({ kind, lines: rest }, columns, paint) : []),
    ]
  }
  if (first.startsWith('|')) return renderTable(lines)
  return itemsOf(lines).flatMap(({ mark, text }) =>
    wrapped(plain(text), columns, mark).map((line) => boldened(line, text, paint)),
  )
}

/** A paragraph is one item without a mark; each line of a list that begins with a mark begins an item. */
function itemsOf(lines: readonly string[]): { mark: string; text: string }[] {
  const items: { mark: string; text: string }[] = []
  for (const line of lines) {
    const [, indent = '', sign, rest = ''] = /^( *)(?:([-*]|\d+\.) )?(.*)$/.exec(line) ?? []
    // A line that ends in two blanks, or begins with a bold word and a colon, stands by itself.
    const isOwn = sign !== undefined || items.length === 0 || /^\*\*[^*]+:\*\*/.test(rest)
    const last = items.at(-1)
    if (isOwn || !last)
      items.push({ mark: sign === undefined ? '' : `${indent}${/\d/.test(sign) ? sign : '•'} `, text: rest })
    else last.text += ` ${rest.trim()}`
  }
  return items
}

/** The first bold words of an item, where they begin its first line. */
function boldened(line: string, text: string, paint: Paint): string {
  const words = /^\*\*([^*]+)\*\*/.exec(text)?.[1]
  if (words === undefined) return line
  const at = line.indexOf(plain(words))
  return at === 0 || line.slice(0, at).trim() === '•'
    ? line.replace(plain(words), (found) => paint('bold', found))
    : line
}

function renderTable(lines: readonly string[]): string[] {
  const rows = lines
    .filter((line) => !/^\|[\s:|-]+\|?$/.test(line))
    .map((line) =>
      line
        .replace(/^\||\|$/g, '')
        .split('|')
        .map((cell) => plain(cell.trim())),
    )
  return table(rows).map((line) => `  ${line}`)
}

/** Marks within a line taken away; a link is its words and its place. */
function plain(text: string): string {
  return text
    .replace(/\[([^\]]+)\]\(([^)]+)\)/g, (_, words: string, place: string) =>
      words === place ? words : `${words} (${place})`,
    )
    .replace(/\*\*([^*]+)\*\*/g, '$1')
    .replace(/(?<![\w*])\*([^*\s][^*]*)\*(?![\w*])/g, '$1')
    .replace(/`([^`]+)`/g, '$1')
}
