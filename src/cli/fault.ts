/**
 * What nobody caught: a fault of Waypost, or the system's refusal where none was expected. Called by `main.ts`. It is never "something is wrong with
 * what was examined" (exit code 1), which Node would make of it.
 */
import { inspect } from 'node:util'
import { printable } from '../base/printable.ts'
import { fileErrorText } from './file-error.ts'
import type { ExitCode, Terminal } from './terminal.ts'

/** One line for people; behind a fault of ours all that is known of it, for who mends it. */
export function faultText(error: unknown): string {
  if (isRefusal(error)) return `waypost: this could not be done: ${fileErrorText(error)}\n`
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return `waypost: this is a fault of Waypost, which ended here; please report it with what stands below: ${printable(what, 300)}\n${inspect(error)}\n`
}

/** Of the system, about a file or a connection. */
const isRefusal = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && 'syscall' in error && 'code' in error

const couldNotDoIt: ExitCode = 2

/**
 * From now on what nobody catches is told, and ends the process at once: what is open may never end by itself.
 * @returns does the same with an error that was caught
 */
export function endOnFault(terminal: Terminal): (error: unknown) => void {
  const end = (error: unknown) => {
    terminal.err(faultText(error))
    process.exit(couldNotDoIt)
  }
  process.on('uncaughtException', end)
  return end
}
