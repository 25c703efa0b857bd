/**
 * The log behind `base/log`. `json` is for what collects logs, one object a line; `pretty` is for people.
 */
import { styleText } from 'node:util'
import { pino } from 'pino'
import { systemClock } from '../base/clock.ts'
import type { Fields, Log } from '../base/log.ts'
import { printable, printableLines } from '../base/printable.ts'

export const logForms = ['json', 'pretty'] as const
export const logLevels = ['debug', 'info', 'warn', 'error'] as const

export type LogForm = (typeof logForms)[number]
export type LogLevel = (typeof logLevels)[number]

export interface LogOptions {
  readonly form: LogForm
  readonly level: LogLevel
  /** Colours in the pretty form. */
  readonly color: boolean
  /** Takes whole lines, each with its newline. */
  readonly write: (line: string) => void
  /** Takes the same lines in the json form, whatever `form` says. */
  readonly writeJson?: (line: string) => void
}

/** Lines of the json form: `{"level":"info","time":"…Z", …,"event":"…"}`. */
export function createLog(options: LogOptions): Log {
  const isJson = options.form === 'json'
  const write = (line: string) => {
    const json = printableLines(line)
    options.write(isJson ? json : printableLines(prettyLine(line, options.color)))
    options.writeJson?.(json)
  }
  return logWith('', { least: logLevels.indexOf(options.level), time: isoTime(), write })
}

interface Output {
  /** The index of the first level that is written. */
  readonly least: number
  readonly time: () => string
  readonly write: (line: string) => void
}

/** @param bound  what stands in every line: members of JSON, each behind its comma */
function logWith(bound: string, output: Output): Log {
  // Put together from finished pieces, with one call for the fields: no more is to be had of a line that each message writes.
  const writer = (level: LogLevel, mark = '') => {
    if (logLevels.indexOf(level) < output.least) return () => undefined
    const head = `{"level":"${level}","time":"`
    return (event: string, fields?: Fields) =>
      output.write(`${head}${output.time()}"${bound}${members(fields)}${mark},"event":${quoted(event)}}\n`)
  }
  return {
    debug: writer('debug'),
    info: writer('info'),
    warn: writer('warn'),
    error: writer('error'),
    alert: writer('error', ',"alert":true'),
    with: (fields: Fields) => logWith(bound + members(fields), output),
  }
}

/** Events are words of ours, and few. */
function quoted(event: string): string {
  const known = quotedEvents.get(event)
  if (known !== undefined) return known
  const made = JSON.stringify(event)
  if (quotedEvents.size < mostQuoted) quotedEvents.set(event, made)
  return made
}

const quotedEvents = new Map<string, string>()
const mostQuoted = 1_000

/** The fields as members of JSON, each behind its comma; those that are undefined are left out. */
function members(fields: Fields | undefined): string {
  if (fields === undefined) return ''
  const { error } = fields
  const json = stringify(error instanceof Error ? { ...fields, error: pino.stdSerializers.err(error) } : fields)
  return json.length > 2 ? `,${json.slice(1, -1)}` : ''
}

/** A field that JSON has no form for is a bug, but the event is worth more than the field. */
function stringify(fields: Fields): string {
  try {
    return JSON.stringify(fields)
  } catch (problem) {
    return JSON.stringify({ notWritten: Object.keys(fields), why: String(problem) })
  }
}

/** The time to the millisecond. Written out once a second, and the milliseconds put in: it would cost as much as the rest of a line. */
function isoTime(): () => string {
  let second = -1
  let text = ''
  return () => {
    const nowMs = systemClock.now()
    const thisSecond = Math.floor(nowMs / 1000)
    if (thisSecond !== second) {
      second = thisSecond
      text = new Date(nowMs).toISOString().slice(0, 19)
    }
    return `${text}.${String(nowMs - second * 1000).padStart(3, '0')}Z`
  }
}

/** `12:00:00.123 warn  event  key=value …` */
function prettyLine(json: string, color: boolean): string {
  const { level, time, event, alert, problems, ...fields } = JSON.parse(json) as Record<string, unknown>
  const paint = (format: Parameters<typeof styleText>[0], text: string) =>
    color ? styleText(format, text, { validateStream: false }) : text
  const clock = String(time).slice(11, 23)
  const word = alert === true ? 'alert' : String(level)
  const shown = Object.entries(fields).map(
    ([key, value]) => `${paint('dim', `${printable(key)}=`)}${prettyValue(value)}`,
  )
  const format = word === 'debug' ? 'dim' : word === 'info' ? 'green' : word === 'warn' ? 'yellow' : 'red'
  return `${paint('dim', clock)} ${paint(format, word.padEnd(5))} ${printable(String(event))}${shown.length > 0 ? '  ' : ''}${shown.join(' ')}\n${problems === undefined ? '' : below(problems)}`
}

/** What is wrong with a configuration is many lines, which are readable as such alone. */
function below(problems: unknown): string {
  if (typeof problems !== 'string') return `    problems=${prettyValue(problems)}\n`
  return problems
    .split('\n')
    .map((line) => `    ${printable(line)}\n`)
    .join('')
}

function prettyValue(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return /^[^\s"=]+$/.test(text) || typeof value !== 'string' ? printable(text) : printable(JSON.stringify(text))
}
