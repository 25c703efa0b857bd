/**
 * How the configuration reaches files: from the disk, or from the copy of the last good configuration. Everything that was read is
 * remembered, since together it is that copy.
 */
import { glob, readFile, stat } from 'node:fs/promises'
import { isAbsolute, matchesGlob, resolve } from 'node:path'
import { errorCode } from '../base/error-code.ts'

export type ReadFile =
  | { readonly kind: 'read'; readonly path: string; readonly text: string }
  /** `why` goes on from the path: "does not exist". */
  | { readonly kind: 'unreadable'; readonly path: string; readonly why: string }

export type ReadSecretFile =
  | { readonly kind: 'read'; readonly content: Buffer }
  | { readonly kind: 'unreadable'; readonly path: string; readonly why: string }

export interface ConfigFiles {
  resolve(folder: string, path: string): string
  /** @param path  absolute */
  read(path: string): Promise<ReadFile>
  /** Files that a pattern matches, sorted. A path without "*", "?", "[" or "{" is itself. @param pattern  absolute */
  match(pattern: string): Promise<readonly string[]>
  /** Always from the disk, and never copied: certificates and keys. @param path  absolute */
  readSecret(path: string): Promise<ReadSecretFile>
  /** What was read so far, each file once. */
  readonly copies: ReadonlyMap<string, string>
}

/** No configuration is larger; a device or a log file by mistake is. */
const maxFileBytes = 128 * 1024 * 1024

export function createDiskFiles(): ConfigFiles {
  const copies = new Map<string, string>()
  return {
    resolve: resolvePath,
    copies,
    async read(path) {
      const opened = await readWhole(path)
      if (opened.kind === 'unreadable') return opened
      try {
        const text = new TextDecoder('utf-8', { fatal: true }).decode(opened.content)
        copies.set(path, text)
        return { kind: 'read', path, text }
      } catch (error) {
        if (!(error instanceof TypeError)) throw error
        return { kind: 'unreadable', path, why: 'is not UTF-8 text' }
      }
    },
    readSecret: readWhole,
    async match(pattern) {
      if (!isPattern(pattern)) return [pattern]
      const found: string[] = []
      for await (const path of glob(pattern)) found.push(path)
      return found.sort()
    },
  }
}

async function readWhole(path: string): Promise<ReadSecretFile> {
  try {
    const found = await stat(path)
    if (!found.isFile()) return { kind: 'unreadable', path, why: 'is not a file' }
    if (found.size > maxFileBytes) return { kind: 'unreadable', path, why: `is larger than ${maxFileBytes} octets` }
    return { kind: 'read', content: await readFile(path) }
  } catch (error) {
    return { kind: 'unreadable', path, why: whyOf(error) }
  }
}

/** Files as they were copied. Patterns match the copies. */
export function createCopiedFiles(copies: ReadonlyMap<string, string>): ConfigFiles {
  return {
    resolve: resolvePath,
    copies,
    async read(path) {
      const text = copies.get(path)
      return text === undefined ? { kind: 'unreadable', path, why: 'is not in the copy' } : { kind: 'read', path, text }
    },
    match: async (pattern) =>
      isPattern(pattern) ? [...copies.keys()].filter((path) => matchesGlob(path, pattern)).sort() : [pattern],
    readSecret: readWhole,
  }
}

const resolvePath = (folder: string, path: string) => (isAbsolute(path) ? path : resolve(folder, path))

const isPattern = (path: string) => /[*?[{]/.test(path)

/** The system's codes in words; the error's own text is not shown. */
function whyOf(error: unknown): string {
  const code = errorCode(error)
  if (code === undefined) throw error
  return codeWords.get(code) ?? `cannot be read (${code})`
}

const codeWords: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'does not exist'],
  ['EACCES', 'may not be read by this user'],
  ['EISDIR', 'is a folder'],
  ['ENOTDIR', 'lies below something that is not a folder'],
  ['ELOOP', 'is a link that leads in a circle'],
])
