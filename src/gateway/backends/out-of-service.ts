/**
 * Which backends a person has taken out of service: kept in the state folder, so that a restart does not put one back that is being mended.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../../base/atomic-file.ts'

const fileIn = (state: string) => join(state, 'out-of-service.json')

/** URLs, as `backend.url`. A folder without the file means none; a file that is no list of texts rejects. */
export async function readOutOfService(state: string): Promise<readonly string[]> {
  let text: string
  try {
    text = await readFile(fileIn(state), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  const urls: unknown = JSON.parse(text)
  if (!Array.isArray(urls) || !urls.every((url) => typeof url === 'string')) {
    throw new Error(`${fileIn(state)} is not a list of backends; remove it to put all of them back into service`)
  }
  return urls
}

export async function writeOutOfService(state: string, urls: Iterable<string>): Promise<void> {
  await replaceFile(fileIn(state), `${JSON.stringify([...urls])}\n`)
}
