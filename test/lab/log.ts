/** A log that keeps its lines for the test to search. */
import type { Fields, Log } from '../../src/base/log.ts'

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'alert'
  readonly event: string
  readonly fields: Fields
}

export interface CollectedLog {
  readonly log: Log
  readonly lines: readonly LogLine[]
  /** Lines of this event, whose fields have these values. */
  find(event: string, fields?: Fields): readonly LogLine[]
  /** Lines that hold the text anywhere, fields included. */
  grep(pattern: RegExp): readonly LogLine[]
  /** All lines, for a failed test to print. */
  text(): string
}

export function collectLog(): CollectedLog {
  const lines: LogLine[] = []
  const child = (own: Fields): Log => {
    const at =
      (level: LogLine['level']) =>
      (event: string, fields: Fields = {}) => {
        lines.push({ level, event, fields: { ...own, ...fields } })
      }
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      alert: at('alert'),
      with: (fields) => child({ ...own, ...fields }),
    }
  }
  const show = (line: LogLine) => `${line.level} ${line.event} ${JSON.stringify(line.fields)}`
  return {
    log: child({}),
    lines,
    find: (event, fields = {}) =>
      lines.filter(
        (line) => line.event === event && Object.entries(fields).every(([key, value]) => line.fields[key] === value),
      ),
    grep: (pattern) => lines.filter((line) => pattern.test(show(line))),
    text: () => lines.map(show).join('\n'),
  }
}
