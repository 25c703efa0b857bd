/**
 * What the rooms say while they work: one structured line an event. `cli` hands in pino; tests hand in a list.
 * Message content and secrets never become fields.
 */

export type Fields = Readonly<Record<string, unknown>>

export interface Log {
  debug(event: string, fields?: Fields): void
  info(event: string, fields?: Fields): void
  warn(event: string, fields?: Fields): void
  error(event: string, fields?: Fields): void
  /** Something that a person must look at: written as an error with `alert: true`. */
  alert(event: string, fields?: Fields): void
  /** A log whose every line carries these fields too. */
  with(fields: Fields): Log
}

export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  alert() {},
  with: () => silentLog,
}
