/**
 * Holds what is written to the files that there are: a name in backticks (`check-imports.ts`, `docs/watching.md`) within a comment or a document for
 * contributors must be the path of a file, or the end of one; a bare name within a room is one of that room. `npm run check:names` runs it; it prints
 * `file:line: what is wrong` and exits 1.
 */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Finding } from './check-imports.ts'

const documents = ['ARCHITECTURE.md', 'CONTRIBUTING.md', 'docs/departures.md', 'docs/ways-through-the-code.md']
const named = /`([\w./-]*\w\.(?:ts|md))`/g
const comment = /\/\*[\s\S]*?\*\/|(?:^|\s)\/\/ [^\n]*/g

/** @param path  below the root, with slashes; @param files  all that there are, likewise */
export function checkNames(path: string, text: string, files: readonly string[]): Finding[] {
  const [room] = /^src\/[^/]+\//.exec(path) ?? []
  const isThere = (name: string): boolean => {
    if (name.startsWith('.')) return files.includes(posix.join(dirname(path), name))
    const isNear = room === undefined || name.includes('/') ? () => true : (file: string) => file.startsWith(room)
    return files.some((file) => `/${file}`.endsWith(`/${name}`) && isNear(file))
  }
  const written = path.endsWith('.md') ? [...text.matchAll(/^[\s\S]*$/g)] : [...text.matchAll(comment)]
  return written.flatMap((words) =>
    [...words[0].matchAll(named)].flatMap(({ 1: name = '', index }) => {
      if (isThere(name)) return []
      const line = text.slice(0, words.index + index).split('\n').length
      return [
        {
          file: path,
          line,
          message: `there is no file \`${name}\`${room && !name.includes('/') ? ` in ${room}` : ''}`,
        },
      ]
    }),
  )
}

function main(): number {
  const cwd = fileURLToPath(new URL('..', import.meta.url))
  const folders = '{src,scripts,test,bench,docs,examples}/**/*.{ts,md}'
  const files = [folders, '*.md']
    .flatMap((pattern) => globSync(pattern, { cwd }))
    .map((file) => file.replaceAll('\\', '/'))
  const read = [...documents, ...files.filter((file) => file.endsWith('.ts'))].sort()
  const findings = read.flatMap((file) => checkNames(file, readFileSync(join(cwd, file), 'utf8'), files))
  for (const { file, line, message } of findings) console.error(`${file}:${line}: ${message}`)
  return findings.length === 0 ? 0 : 1
}

if (import.meta.main) process.exitCode = main()
