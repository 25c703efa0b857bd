/** An error about a file that a person named, in words. For commands that read or write one. */
import { printable } from '../base/printable.ts'

const words: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be used by this user',
  EISDIR: 'is a folder',
  ENOTDIR: 'lies below something that is not a folder',
}

/** Printable. @param error  of the system, or one of ours with a `code`, whose message says all */
export function fileErrorText(error: unknown): string {
  const { code = '', path, message } = error as NodeJS.ErrnoException
  if (path === undefined) return printable(message, 500)
  return `${printable(path, 300)} ${Object.hasOwn(words, code) ? words[code] : `cannot be used (${code})`}`
}
