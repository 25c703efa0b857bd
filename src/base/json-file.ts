/**
 * A small JSON file of ours in the state folder, which is read as a whole and replaced as a whole (`atomic-file.ts`): what is kept there outlives the process.
 */
import { readFile } from 'node:fs/promises'
import { replaceFile } from './atomic-file.ts'
import { isMissing } from './error-code.ts'

export type JsonFile<Value> =
  | { readonly kind: 'read'; readonly value: Value }
  | { readonly kind: 'missing' }
  /** It is no JSON, or not what it should be: somebody else has written it. */
  | { readonly kind: 'damaged' }

/**
 * Rejects with the system's error where it cannot be read.
 * @param read  what the file means; undefined where it is not what it should be
 */
export async function readJsonFile<Value>(
  path: string,
  read: (json: unknown) => Value | undefined,
): Promise<JsonFile<Value>> {
  try {
    const value = read(JSON.parse(await readFile(path, 'utf8')))
    return value === undefined ? { kind: 'damaged' } : { kind: 'read', value }
  } catch (error) {
    if (error instanceof SyntaxError) return { kind: 'damaged' }
    if (isMissing(error)) return { kind: 'missing' }
    throw error
  }
}

/** Resolves when it is on the disk. */
export async function writeJsonFile(path: string, value: unknown): Promise<void> {
  await replaceFile(path, `${JSON.stringify(value)}\n`)
}
