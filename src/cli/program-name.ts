/** How one calls Waypost where this was started: for lines to type. */
import { delimiter, join } from 'node:path'
import { quotedWord } from './quoted-word.ts'

/**
 * @param env  `WAYPOST_CALLED` is what `bin/waypost` was called by, `PATH` where a shell looks for it
 * @param usual  where it was not called by that
 */
export function nameOfProgram({ WAYPOST_CALLED, PATH }: NodeJS.ProcessEnv, usual: string): string {
  if (WAYPOST_CALLED === undefined || WAYPOST_CALLED === '') return usual
  const isFound = (PATH ?? '').split(delimiter).some((folder) => join(folder, 'waypost') === WAYPOST_CALLED)
  return isFound ? 'waypost' : quotedWord(WAYPOST_CALLED)
}

export const programName =
  process.env.npm_command === 'exec' && !import.meta.url.endsWith('.ts')
    ? 'npx waypost'
    : nameOfProgram(process.env, import.meta.url.endsWith('.ts') ? 'bin/waypost' : 'waypost')
