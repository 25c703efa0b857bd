/**
 * What the rooms say while they work: one structured line an event. `cli` hands in pino; tests hand in a list.
 * Message content and secrets never become fields.
 */

/** What differs between two lines of one event. */
export type Fields = Readonly<Record<string, unknown>>

/**
 * Where events are told: a few words that stay the same, and fields with what differs. Never the content of a message, never a secret.
 */
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

/** Tells nobody. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  alert() {},
  with: () => silentLog,
}
