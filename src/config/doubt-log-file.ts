/** What speaks against writing the log to `log.file`, before anything is made or opened. Called by `waypost config check`, and by `serve` for its words. */
import { access, constants, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errorCode } from '../base/error-code.ts'
import { type Doubt, keepsNoFiles } from './state-files.ts'

/**
 * Undefined where nothing speaks against it. `serve` makes the file, and the folder that it lies in, but none above that.
 * @param path  absolute
 * @param whyNot  asks the system
 */
export async function doubtLogFile(path: string, whyNot = whyNotWritten): Promise<Doubt | undefined> {
  const folder = dirname(path)
  for (const place of [path, folder, dirname(folder)]) {
    const code = await whyNot(place, place !== path)
    if (code === 'ENOENT') continue
    if (code === 'EISDIR') return forEverybody(`the log file ${path} is a folder: ${elsewhere}`)
    if (code === 'ENOTDIR')
      return forEverybody(`the log file ${path} lies below something that is not a folder: ${elsewhere}`)
    // By the disk, or for a service by its unit: no owner and no mode changes that.
    if (code === 'EROFS')
      return forEverybody(
        `the log file ${path} cannot be written: ${place} is read-only for this process (EROFS). Name one at a place that may be written, such as /var/log/waypost/mail.log, with "log: { file: … }"; where a service may not write there (ProtectSystem=strict), ReadWritePaths=${folder} in its unit lets it`,
      )
    if (code !== undefined)
      return {
        kind: 'for-this-user',
        why: `the log file ${path} cannot be written by this user: ${place} is closed to them (${code}). Give it to who serves, or ${elsewhere}`,
      }
    if (place === path || !(await keepsNoFiles(place))) return undefined
    return forEverybody(`the log file ${path} cannot be made: ${place} keeps no files; ${elsewhere}`)
  }
  return forEverybody(
    `the log file ${path} cannot be made: there is no folder ${folder}, and none to make it in. Make it (mkdir -p ${folder}), or ${elsewhere}`,
  )
}

const elsewhere = 'name another with "log: { file: … }"'

const forEverybody = (why: string): Doubt => ({ kind: 'for-everybody', why })

/** @returns the system's code */
async function whyNotWritten(path: string, isFolder: boolean): Promise<string | undefined> {
  try {
    if ((await stat(path)).isDirectory() !== isFolder) return isFolder ? 'ENOTDIR' : 'EISDIR'
    await access(path, isFolder ? constants.W_OK | constants.X_OK : constants.W_OK)
    return undefined
  } catch (error) {
    const code = errorCode(error)
    if (code === undefined) throw error
    return code
  }
}
