/**
 * The live view of the demo as lines of text: pure, from what there is to show and the size of the terminal. Called by `view`, up to four times a
 * second.
 */
import { styleText } from 'node:util'
import { printable } from '../../base/printable.ts'
import { countText, type Teller } from '../../demo/world.ts'
import { type HealthState, isServing } from '../../routing/health.ts'

export interface PanelState {
  readonly elapsedMs: number
  readonly domain: string
  readonly perSecond: number
  readonly counts: ShownCounts
  /** Held messages, a number a second, the last one now. */
  readonly heldLately: readonly number[]
  readonly backends: readonly ShownBackend[]
  readonly events: readonly ShownEvent[]
  /** What a person may do and try. */
  readonly hints: readonly string[]
}

export interface ShownCounts {
  readonly sent: number
  readonly delivered: number
  readonly held: number
  readonly turnedAway: number
}

export interface ShownBackend {
  readonly number: number
  readonly place: string
  /** What was done to it. */
  readonly isDead: boolean
  readonly slowMs: number | undefined
  /** What the gateway thinks of it. */
  readonly state: HealthState
  readonly received: number
  /** Messages a second. */
  readonly lately: readonly number[]
}

export interface ShownEvent {
  readonly atMs: number
  readonly by: Teller
  readonly text: string
}

export interface PanelShape {
  readonly columns: number
  readonly rows: number
  readonly isColored: boolean
}

type Format = 'bold' | 'dim' | 'red' | 'green' | 'yellow'
type Paint = (format: Format, text: string) => string

const mostEventLines = 12
const leastEventLines = 4
/** Lines that are always there. */
const fixedLines = 11
export const latelySeconds = 12

export function panelLines(state: PanelState, { columns, rows, isColored }: PanelShape): readonly string[] {
  const paint: Paint = (format, text) => (isColored ? styleText(format, text, { validateStream: false }) : text)
  const width = Math.max(40, columns - 1)
  const room = rows - 1 - fixedLines - state.hints.length
  const eventLines = Math.min(mostEventLines, Math.max(leastEventLines, room))
  const lines = [
    `${paint('bold', ' Waypost demo')}  ${clockText(state.elapsedMs)}`,
    ` ${countText(state.perSecond, 'message')} a second ─▶ the gateway ─▶ three mail servers of ${state.domain}`,
    '',
    countsLine(state, paint),
    '',
    paint('dim', ` ${row('KEY', 'BACKEND', 'IT IS', 'GATEWAY SAYS', 'HAS GOT', 'LAST 12 SECONDS')}`),
    ...state.backends.map((backend) => backendLine(backend, paint)),
    '',
    ...lastEvents(state.events, eventLines, width, paint),
    '',
    ...state.hints.map((hint) => paint('dim', ` ${hint}`)),
  ]
  return lines.map((line) => cut(line, width))
}

/** `0:07`, `12:34`. */
export function clockText(elapsedMs: number): string {
  const seconds = Math.max(0, Math.floor(elapsedMs / 1000))
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

function countsLine({ counts, heldLately }: PanelState, paint: Paint): string {
  const { sent, delivered, held, turnedAway } = counts
  const fields = [
    ` SENT ${paint('bold', number(sent))}`,
    `DELIVERED ${paint('bold', number(delivered))}`,
    `HELD ${held > 0 ? paint('yellow', number(held)) : paint('bold', '0')} ${paint('yellow', bars(heldLately, 1))}`,
    `TURNED AWAY ${turnedAway > 0 ? paint('red', number(turnedAway)) : paint('bold', '0')}`,
  ]
  return fields.map((field, at) => pad(field, [14, 18, 27, 0][at] ?? 0)).join('')
}

function backendLine(
  { number: key, place, isDead, slowMs, state, received, lately }: ShownBackend,
  paint: Paint,
): string {
  const slow = slowMs === undefined ? undefined : `slow, ${(slowMs / 1000).toFixed(1).replace(/\.0$/, '')} s`
  const is = isDead ? paint('red', 'dead') : slow ? paint('yellow', slow) : 'running'
  const says = isServing(state) ? paint('green', `● ${state}`) : paint('red', `✗ ${state}`)
  return ` ${row(` ${key}`, place, is, says, number(received), paint('green', bars(lately, 4)))}`
}

function row(key: string, place: string, is: string, says: string, got: string, lately: string): string {
  return `${pad(key, 5)}${pad(place, 18)}${pad(is, 13)}${pad(says, 15)}${got.padStart(7)}   ${lately}`
}

/** A bar for each number. @param least  that the highest bar stands for */
function bars(numbers: readonly number[], least: number): string {
  const most = Math.max(least, ...numbers)
  const steps = ' ▁▂▃▄▅▆▇█'
  const text = numbers
    .map((value) => steps[value === 0 ? 0 : Math.max(1, Math.round((value / most) * 8))] ?? ' ')
    .join('')
  return text.padStart(latelySeconds)
}

/** As many as there is room for, the newest last; always so many lines, so that nothing below moves. */
function lastEvents(events: readonly ShownEvent[], lines: number, width: number, paint: Paint): readonly string[] {
  const shown: string[] = []
  for (const event of events.slice(-lines).reverse()) {
    const wrapped = eventLines(event, width, paint)
    if (shown.length + wrapped.length > lines) break
    shown.unshift(...wrapped)
  }
  return [...shown, ...Array.from({ length: lines - shown.length }, () => '')]
}

function eventLines({ atMs, by, text }: ShownEvent, width: number, paint: Paint): readonly string[] {
  const wrapped = wrap(printable(text), width - eventIndent)
  return wrapped.map((line, at) => {
    const head = at === 0 ? `${paint('dim', clockText(atMs).padStart(6))} ${mark(by, paint)} ` : ' '.repeat(eventIndent)
    return `${head}${by === 'sum' ? paint('dim', line) : line}`
  })
}

const eventIndent = 9

function mark(by: Teller, paint: Paint): string {
  if (by === 'story') return paint('yellow', '▶')
  if (by === 'you') return paint('bold', '●')
  return by === 'gateway' ? paint('green', '◆') : ' '
}

/** At blanks, where there are some. */
function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = []
  for (let rest = text; rest !== ''; ) {
    const blank = rest.length <= width ? rest.length : rest.lastIndexOf(' ', width)
    const end = blank > 0 ? blank : width
    lines.push(rest.slice(0, end))
    rest = rest.slice(end).trimStart()
  }
  return lines
}

const number = (value: number) => value.toLocaleString('en')

const escapes = /\x1b\[\d+m/g

const pad = (text: string, width: number) => text + ' '.repeat(Math.max(0, width - text.replace(escapes, '').length))

/** So many characters, colours not counted; all colours end with the line. */
function cut(line: string, width: number): string {
  let left = width
  let isCut = false
  return line.replace(/\x1b\[\d+m|[^\x1b]+/g, (part) => {
    if (part.startsWith('\x1b')) return part
    if (isCut) return ''
    if (part.length > left) {
      isCut = true
      return `${part.slice(0, Math.max(0, left - 1))}…`
    }
    left -= part.length
    return part
  })
}
