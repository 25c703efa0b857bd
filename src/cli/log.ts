/**
 * The log: pino behind `base/log`. `json` is for what collects logs, one object a line; `pretty` is for people.
 */
import { styleText } from 'node:util'
import { type Logger, pino } from 'pino'
import { systemClock } from '../base/clock.ts'
import type { Fields, Log } from '../base/log.ts'
import { printable } from '../base/printable.ts'

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
}

/** Lines of the json form: `{"level":"info","time":"…Z","event":"…", …}`. */
export function createLog(options: LogOptions): Log {
  const write =
    options.form === 'json' ? options.write : (line: string) => options.write(prettyLine(line, options.color))
  const logger = pino(
    {
      level: options.level,
      base: null,
      messageKey: 'event',
      timestamp: isoTime(),
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.err },
    },
    { write },
  )
  return wrap(logger)
}

/** The time as pino wants it. Written out once a second, and the milliseconds put in: it would cost as much as the rest of a line. */
function isoTime(): () => string {
  let second = -1
  let text = ''
  return () => {
    const nowMs = systemClock.now()
    const thisSecond = Math.floor(nowMs / 1000)
    if (thisSecond !== second) {
      second = thisSecond
      text = `,"time":"${new Date(nowMs).toISOString().slice(0, 19)}`
    }
    return `${text}.${String(nowMs - second * 1000).padStart(3, '0')}Z"`
  }
}

function wrap(logger: Logger): Log {
  return {
    debug: (event, fields) => logger.debug(fields ?? {}, event),
    info: (event, fields) => logger.info(fields ?? {}, event),
    warn: (event, fields) => logger.warn(fields ?? {}, event),
    error: (event, fields) => logger.error(fields ?? {}, event),
    alert: (event, fields) => logger.error({ ...fields, alert: true }, event),
    with: (fields: Fields) => wrap(logger.child({ ...fields })),
  }
}

/** `12:00:00.123 warn  event  key=value …` */
function prettyLine(json: string, color: boolean): string {
  const { level, time, event, alert, ...fields } = JSON.parse(json) as Record<string, unknown>
  const paint = (format: Parameters<typeof styleText>[0], text: string) =>
    color ? styleText(format, text, { validateStream: false }) : text
  const clock = String(time).slice(11, 23)
  const word = alert === true ? 'alert' : String(level)
  const shown = Object.entries(fields).map(
    ([key, value]) => `${paint('dim', `${printable(key)}=`)}${prettyValue(value)}`,
  )
  const format = word === 'debug' ? 'dim' : word === 'info' ? 'green' : word === 'warn' ? 'yellow' : 'red'
  return `${paint('dim', clock)} ${paint(format, word.padEnd(5))} ${printable(String(event))}${shown.length > 0 ? '  ' : ''}${shown.join(' ')}\n`
}

function prettyValue(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return /^[^\s"=]+$/.test(text) || typeof value !== 'string' ? printable(text) : printable(JSON.stringify(text))
}
