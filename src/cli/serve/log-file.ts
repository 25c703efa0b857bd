/** The file that the log goes to beside standard error (`log.file`), for `serve`: `waypost trace` reads it, and logrotate may move it away. */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { systemClock } from '../../base/clock.ts'
import { errorCode, isMissing } from '../../base/error-code.ts'
import { createLineOutput, type LineOutput } from '../line-output.ts'

export interface LogFile {
  /** Takes a whole line. What the disk does not take is dropped, at 16 MiB, and never stops the mail. */
  write(line: string): void
  /** Writes to this file from now on, or to none. @returns why it cannot, in words; then all stays as it was */
  use(path: string | undefined): string | undefined
  /** Opens the file anew: it may have been moved away. */
  readonly reopen: () => void
  close(): void
}

/** What the last lines may take, where the file is a pipe that nobody reads. */
const lastLinesMs = 1_000

/** The folder is made where that alone is missing, as at the first start of all. */
function opened(path: string): LineOutput {
  try {
    return createLineOutput(path, systemClock, () => undefined)
  } catch (error) {
    if (!isMissing(error)) throw error
    mkdirSync(dirname(path), { mode: 0o700 })
    return createLineOutput(path, systemClock, () => undefined)
  }
}

export function createLogFile(): LogFile {
  let current: { readonly path: string; readonly output: LineOutput } | undefined

  function end(): void {
    current?.output.hurry(lastLinesMs)
    current?.output.end()
    current = undefined
  }

  return {
    write: (line) => void current?.output.write(line),
    use(path) {
      if (path === current?.path) return undefined
      if (path === undefined) return void end()
      try {
        // What a full disk does not take, standard error has too.
        const output = opened(path)
        end()
        current = { path, output }
      } catch (error) {
        const code = errorCode(error)
        if (code === undefined) throw error
        return `the log file ${path} cannot be written (${code})`
      }
      return undefined
    },
    reopen: () => current?.output.reopen(),
    close: end,
  }
}
