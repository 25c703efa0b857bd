/** Whether a program of the user's could be started, said before it is needed or when it could not: for alerts and for the targets that keep files. */
import { access, constants, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { printable } from './printable.ts'

/** Where a program without a slash is looked for. */
export const programPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Whether this user could start it here. @returns in words, why not; undefined: it could be */
export async function whyNotStartable(program: string): Promise<string | undefined> {
  const places = program.includes('/') ? [program] : programPath.split(':').map((folder) => join(folder, program))
  for (const place of places) {
    const found = await stat(place).catch(() => undefined)
    const may = await access(place, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (found?.isFile() && may) return undefined
    if (found?.isFile() && program.includes('/'))
      return `${printable(program, 200)} is not executable for this user: chmod +x makes it so`
    if (found && program.includes('/')) return `${printable(program, 200)} is no program`
  }
  return program.includes('/')
    ? `there is no ${printable(program, 200)}`
    : `there is no ${printable(program, 200)} in ${programPath}; write its whole path`
}
